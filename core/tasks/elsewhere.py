"""Results that were computed elsewhere, kept as finished runs, so that they are listed and merged like all others."""

from pathlib import Path

from core.calculations import Result, Spec
from core.tasks.folder import RunFolder
from core.tasks.queue import Job, look


def keep_finished(spec: Spec, result: Result, runs: Path | None = None) -> Job:
    """Return the finished run that holds a result; one that is there already is written anew.

    Raises `JobError` where the folder cannot be written.
    """
    folder = RunFolder.of(spec, runs)
    folder.create(spec)
    folder.keep_result(spec, result)
    folder.write_status("finished")
    return look(folder)
