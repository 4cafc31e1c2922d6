"""Runs as pages and commands see them: submit, look, cancel, resume. All state lies in files, none in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from core.errors import ExplorerError, JobError
from core.jobs.folder import RunFolder, runs_folder
from core.jobs.locks import held, is_held, job_threads
from core.jobs.process import start_detached
from core.jobs.spec import JobSpec

STATES: Final = ("queued", "running", "finished", "failed", "cancelled", "interrupted")
"""`interrupted`: the worker died without a word (killed, or the machine); `resume` goes on from its checkpoint."""

ACTIVE: Final = ("queued", "running")
RESUMABLE: Final = ("failed", "cancelled", "interrupted")
LOG: Final = "worker.log"
_WORKER: Final = ("-m", "core.jobs.worker")


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """A run at the moment it was looked at. `error`: why it failed; `note`: what it is doing now, such as waiting."""

    folder: RunFolder
    spec: JobSpec
    state: str
    submitted: str | None = None
    changed: str | None = None
    error: str | None = None
    note: str | None = None

    @property
    def job_id(self) -> str:
        """The run's id, the name of its folder."""
        return self.folder.name

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @property
    def is_active(self) -> bool:
        """Whether it waits or works, so that a picture of it should be refreshed."""
        return self.state in ACTIVE

    @cached_property
    def progress(self) -> list[dict[str, Any]]:
        """One row a report: the fields of `core.dynamics.Progress` and `wall_s`, seconds of work on the run so far."""
        return self.folder.progress()

    @cached_property
    def latest(self) -> dict[str, Any] | None:
        """The last report, without reading all."""
        return self.folder.latest()

    @cached_property
    def result(self) -> dict[str, Any] | None:
        """What came out (`core.jobs.result`), None until it is finished."""
        return self.folder.read("result.json") if self.state == "finished" else None

    @property
    def fraction(self) -> float | None:
        """Share of all steps done, 0 to 1; None before the first report."""
        if self.state == "finished":
            return 1.0
        return None if self.latest is None else float(self.latest["fraction"])

    @property
    def eta_s(self) -> float | None:
        """Measured seconds a step times the steps left; None unless it runs and has reported."""
        return self.latest["eta_s"] if self.state == "running" and self.latest is not None else None


def submit(spec: JobSpec, runs: Path | None = None) -> Job:
    """Start a run in a process of its own and return it; one that is under way or finished is returned as it is.

    A run that failed, was cancelled or interrupted goes on. Raises `JobError` where it cannot be kept or started, and
    `DeviceError` for a device that is not there.
    """
    folder = RunFolder(path=runs_folder(runs) / spec.job_id)
    folder.create(spec)
    _start(folder)
    return look(folder)


def prepare(spec: JobSpec, runs: Path | None = None) -> RunFolder:
    """Return the folder of a run that this process will do itself (`core.jobs.worker.run_job`), an old cancel cleared.

    Raises `JobError` where it cannot be kept.
    """
    folder = RunFolder(path=runs_folder(runs) / spec.job_id)
    folder.create(spec)
    with _as_job_error(folder), held(folder.start_lock):
        if not _at_work(folder):
            folder.cancel_flag.unlink(missing_ok=True)
    return folder


def resume(job_id: str, runs: Path | None = None) -> Job:
    """Go on with a run from its checkpoint; one that is under way or finished is returned as it is.

    Raises `UnknownJobError`, and `JobError` where no worker can be started.
    """
    folder = RunFolder.named(job_id, runs)
    _start(folder)
    return look(folder)


def cancel(job_id: str, runs: Path | None = None) -> Job:
    """Ask a run to stop at its next step, keeping its checkpoint; a run that is over stays as it is.

    Raises `UnknownJobError`, and `JobError` where its folder cannot be written.
    """
    folder = RunFolder.named(job_id, runs)
    if look(folder).state in (*ACTIVE, "interrupted"):
        with _as_job_error(folder):
            folder.cancel_flag.touch()
    return look(folder)


def status(job_id: str, runs: Path | None = None) -> Job:
    """Return a run as it is now; raise `UnknownJobError`, or `RunFileError` where its files are damaged."""
    return look(RunFolder.named(job_id, runs))


def list_jobs(runs: Path | None = None) -> list[Job]:
    """Return all runs of the folder, the latest submitted first; folders that hold no readable run are left out."""
    jobs = list(_readable(runs_folder(runs)))
    return sorted(jobs, key=lambda job: (job.submitted or "", job.job_id), reverse=True)


def look(folder: RunFolder) -> Job:
    """Return the run of a folder as it is now; raise `RunFileError` where its files are damaged."""
    found = folder.read("status.json") or {}
    return Job(
        folder=folder, spec=folder.spec(), state=_state(folder, found.get("state")),
        submitted=found.get("submitted"), changed=found.get("changed"), error=found.get("error"),
        note=found.get("note"),
    )  # fmt: skip


def _readable(runs: Path) -> Iterator[Job]:
    for path in runs.iterdir() if runs.is_dir() else ():
        try:
            yield look(RunFolder.named(path.name, runs))
        except ExplorerError:
            continue


def _state(folder: RunFolder, written: str | None) -> str:
    """What the status says, unless it says that a worker is at work and there is none."""
    if written is not None and written not in (*ACTIVE, "interrupted"):
        return written
    if _at_work(folder):
        return written or "queued"
    if is_held(folder.start_lock):
        return "queued"
    # The worker may have ended properly between the two looks.
    again = (folder.read("status.json") or {}).get("state")
    if again is not None and again not in (*ACTIVE, "interrupted"):
        return str(again)
    return "cancelled" if folder.cancel_flag.exists() else "interrupted"


def _at_work(folder: RunFolder) -> bool:
    worker = folder.worker()
    return is_held(folder.run_lock) or (worker is not None and worker.is_alive)


def _start(folder: RunFolder) -> None:
    """Start a worker unless one is at work or the run is finished; two callers at once start one."""
    with _as_job_error(folder), held(folder.start_lock):
        written = (folder.read("status.json") or {}).get("state")
        if written == "finished" or _at_work(folder):
            return
        folder.cancel_flag.unlink(missing_ok=True)
        folder.write_status("queued", note="starting")
        command = (*_WORKER, str(folder.path.resolve()))
        identity = start_detached(command, log=folder.path / LOG, threads=job_threads())
        folder.write("worker.json", identity.to_dict())


@contextmanager
def _as_job_error(folder: RunFolder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JobError(
            f"Run {folder.name} could not be changed ({error.strerror}); check that its folder is writable and its "
            "disk has room."
        ) from error
