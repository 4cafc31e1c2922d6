"""Runs as pages and commands see them: submit, look, cancel, resume. All state lies in files, none in this process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from core.artifacts import is_locked, locked, why_not_written
from core.calculations import Calculation, Result, Spec
from core.dispatch import dispatcher, tickets
from core.dispatch.process import start_detached
from core.dispatch.slots import slots_of
from core.errors import ExplorerError, JobError, RunFileError
from core.records import Skipped
from core.settings import Settings, resolve_device
from core.tasks.folder import RunFolder, runs_folder

STATES: Final = ("queued", "running", "finished", "failed", "cancelled", "interrupted")
"""`interrupted`: the worker died without a word (killed, or the machine); `resume` goes on from its checkpoint."""

ACTIVE: Final = ("queued", "running")
RESUMABLE: Final = ("failed", "cancelled", "interrupted")
_MAKING_S: Final = 2.0
WORKER: Final = ("-m", "core.tasks.worker")


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """A run at the moment it was looked at.

    `error`: why it failed; `note`: what it is doing now; `place`: in the queue, the first is 1, None where it has none.
    """

    folder: RunFolder
    spec: Spec
    state: str
    submitted: str | None = None
    changed: str | None = None
    error: str | None = None
    note: str | None = None
    place: int | None = None

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
        """One row a report: `step`, `fraction`, `eta_s`, `wall_s` (seconds of work so far), and figures of the kind."""
        return self.folder.progress()

    @cached_property
    def latest(self) -> dict[str, Any] | None:
        """The last report, without reading all."""
        return self.folder.latest()

    @cached_property
    def result(self) -> Result | None:
        """What came out, None until it is finished."""
        return self.folder.result() if self.state == "finished" else None

    @property
    def calculation(self) -> Calculation | None:
        """The finished run, None until it is finished."""
        return self.folder.calculation() if self.state == "finished" else None

    @property
    def fraction(self) -> float | None:
        """Share of all steps done, 0 to 1; None before the first report."""
        if self.state == "finished":
            return 1.0
        return None if self.latest is None else float(self.latest.get("fraction") or 0.0)

    @property
    def eta_s(self) -> float | None:
        """Measured seconds a step times the steps left; None unless it runs and has reported."""
        return self.latest.get("eta_s") if self.state == "running" and self.latest is not None else None


def submit(spec: Spec, runs: Path | None = None) -> Job:
    """Put a run into the queue and return it; one that waits, is under way or finished is returned as it is.

    It starts in a process of its own once its device is free. One that failed, was cancelled or interrupted goes on.
    Raises what `spec.check` says could not run, and `JobError` where it cannot be kept or queued.
    """
    spec.check()
    folder = RunFolder.of(spec, runs)
    folder.create(spec)
    _queue(folder)
    return look(folder)


def prepare(spec: Spec, runs: Path | None = None) -> RunFolder:
    """Return the folder of a run that this process will do itself (`core.tasks.worker.run_job`), an old cancel cleared.

    Raises as `submit` does.
    """
    spec.check()
    folder = RunFolder.of(spec, runs)
    folder.create(spec)
    with _as_job_error(folder), locked(folder.start_lock):
        if not _at_work(folder):
            folder.cancel_flag.unlink(missing_ok=True)
            tickets.withdraw(folder.path)
    return folder


def resume(job_id: str, runs: Path | None = None) -> Job:
    """Put a run into the queue again, to go on from its checkpoint; as `submit` does.

    Raises `UnknownJobError`, `RunFileError` where its spec is damaged, `DeviceError` where its device is absent, and
    `JobError` where it cannot be queued.
    """
    folder = RunFolder.named(job_id, runs)
    _queue(folder)
    return look(folder)


def cancel(job_id: str, runs: Path | None = None) -> Job:
    """Take a run out of the queue, or ask it to stop at its next step, keeping its checkpoint.

    A run that is over stays as it is. Raises `UnknownJobError`, and `JobError` where its folder cannot be written.
    """
    folder = RunFolder.named(job_id, runs)
    if look(folder).state in (*ACTIVE, "interrupted"):
        with _as_job_error(folder), locked(folder.start_lock):
            folder.cancel_flag.touch()
            if not _at_work(folder):
                tickets.withdraw(folder.path)
                folder.write_status("cancelled")
    return look(folder)


def status(job_id: str, runs: Path | None = None) -> Job:
    """Return a run as it is now; raise `UnknownJobError`, or `RunFileError` where its spec is damaged."""
    return look(RunFolder.named(job_id, runs))


def list_jobs(runs: Path | None = None) -> list[Job]:
    """Return all runs of the folder that can be read, the latest submitted first; `unreadable_runs` are the others."""
    jobs = [it for it in _all(runs) if isinstance(it, Job)]
    return sorted(jobs, key=lambda job: (job.submitted or "", job.job_id), reverse=True)


def unreadable_runs(runs: Path | None = None) -> list[Skipped]:
    """Return the runs that cannot be read, with the reason: damaged, or of a kind that is not known here."""
    return sorted((it for it in _all(runs) if isinstance(it, Skipped)), key=lambda it: it.id)


def look(folder: RunFolder) -> Job:
    """Return the run of a folder as it is now; raise `RunFileError` where its spec is damaged.

    Where it waits and the dispatcher was killed, that is called again.
    """
    written = folder.status()
    state, error, note = _state(folder, written.get("state")), written.get("error"), written.get("note")
    place = None
    if state == "finished" and (problem := _problem_of_result(folder)):
        state, error = "failed", problem
    if state == "queued" and (ticket := waiting_ticket(folder)) is not None:
        place = tickets.place_of(ticket)
        note = f"place {place} in the queue"
        with suppress(OSError):  # whoever only looks may not be able to write here
            _call_dispatcher()
    return Job(
        folder=folder, spec=folder.spec(), state=state, submitted=written.get("submitted"),
        changed=written.get("changed"), error=error, note=note, place=place,
    )  # fmt: skip


def _all(runs: Path | None) -> Iterator[Job | Skipped]:
    parent = runs_folder(runs)
    for path in parent.iterdir() if parent.is_dir() else ():
        try:
            if (
                path.name.startswith(".")
                or not path.is_dir()
                or not RunFolder.is_meant_by(path)
                or _is_new(path)
            ):
                continue
            yield look(RunFolder.named(path.name, parent))
        except ExplorerError as error:
            yield Skipped(id=path.name, reason=str(error))
        except OSError as error:
            yield Skipped(id=path.name, reason=f"It cannot be read ({error.strerror}); make it readable.")


def _is_new(path: Path) -> bool:
    """Whether a folder is being made right now, its spec still to come."""
    return not (path / "spec.json").exists() and time.time() - path.stat().st_mtime < _MAKING_S


def _problem_of_result(folder: RunFolder) -> str | None:
    """What is wrong with the result of a run that says it is finished, None where nothing is."""
    try:
        if folder.result() is not None:
            return None
    except RunFileError as error:
        return str(error)
    return str(RunFileError(folder.path / "result.json", "it is missing"))


def _state(folder: RunFolder, written: str | None) -> str:
    """What the status says, unless it says that a worker is at work and there is none."""
    if written in STATES and written not in (*ACTIVE, "interrupted"):
        return str(written)
    if _at_work(folder):
        return written if written in ACTIVE else "queued"
    if is_locked(folder.start_lock) or waiting_ticket(folder) is not None:
        return "queued"
    # The worker may have ended properly between the two looks.
    again = folder.status().get("state")
    if again in STATES and again not in (*ACTIVE, "interrupted"):
        return str(again)
    return "cancelled" if folder.cancel_flag.exists() else "interrupted"


def waiting_ticket(folder: RunFolder) -> tickets.Ticket | None:
    """Return the ticket of a run that waits without a process; None for any other."""
    ticket = tickets.ticket_of(folder.path)
    return ticket if ticket is not None and ticket.worker is None else None


def _at_work(folder: RunFolder) -> bool:
    worker = folder.worker()
    return is_locked(folder.run_lock) or (worker is not None and worker.is_alive)


def _queue(folder: RunFolder) -> None:
    """Give a run its ticket unless it has one, is at work or finished; two callers at once give one."""
    with _as_job_error(folder), locked(folder.start_lock):
        is_finished = folder.status().get("state") == "finished" and _problem_of_result(folder) is None
        if is_finished or _at_work(folder):
            return
        if waiting_ticket(folder) is None:
            device = resolve_device(folder.spec().device)
            tickets.withdraw(folder.path)  # one that a dead worker left
            folder.cancel_flag.unlink(missing_ok=True)
            folder.write_status("queued")
            threads = Settings.from_environment().job_threads
            tickets.draw(folder.path, device=device, slots=slots_of(device), threads=threads)
    with _as_job_error(folder):
        _call_dispatcher()


def _call_dispatcher() -> None:
    dispatcher.call(lambda log: start_detached((*dispatcher.COMMAND, *WORKER), log=log, threads=1))


@contextmanager
def _as_job_error(folder: RunFolder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JobError(
            f"Run {folder.name} could not be changed ({why_not_written(folder.path, error)}); make its folder "
            "writable and some room, then try again."
        ) from error
