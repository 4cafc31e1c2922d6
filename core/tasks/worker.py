"""Does one run from its folder, of whatever kind: what it needs first, then its own work, then the result.

`python -m core.tasks.worker FOLDER` is what `core.dispatch` starts for `core.tasks.submit`; the command line does the
same in the foreground.
"""

import contextlib
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, Final

import torch

from core.artifacts import is_full, locked, why_not_written
from core.calculations import Calculation, Context, Result, Spec, Stopped
from core.dispatch import tickets
from core.dispatch.process import ProcessIdentity
from core.dispatch.slots import POLL_SECONDS, device_slot
from core.errors import ExplorerError, JobError, RunFileError
from core.potentials import Potential
from core.provenance import Leg
from core.settings import Settings, resolve_device
from core.tasks.folder import ProgressLog, RunFolder
from core.tasks.legs import conditions_here, joined, keep_legs, legs_so_far, with_legs
from core.tasks.merge import released_answer
from core.tasks.queue import ACTIVE, Job, look, waiting_ticket

_LOCK_TRIES: Final = 20
_LOCK_PAUSE_S: Final = 0.1

Watch = Callable[[Mapping[str, Any]], None]
"""Called with each progress row."""

_log = logging.getLogger(__name__)


def run_job(path: Path, watch: Watch | None = None) -> Job:
    """Do the run of a folder in this process, from its checkpoint if there is one, and return how it stands then.

    What goes wrong is written into its status (`failed`). SIGTERM and SIGINT stop it after the step at hand, with a
    checkpoint, as `interrupted`. Raises `JobError` where another process works on it, `RunFileError` for a damaged
    folder.
    """
    folder = RunFolder(path=path)
    spec = folder.spec()
    with _stop_signals() as stopped, _at_work(folder):

        def should_stop() -> bool:
            return stopped() or folder.cancel_flag.exists()

        with _kept_in_status(folder):
            device = resolve_device(spec.device)
            folder.write_status("queued", note=f"waiting for {device}")
            with device_slot(device, should_stop) as is_ours:
                if not is_ours:
                    raise Stopped
                tickets.withdraw(folder.path)
                torch.set_num_threads(Settings.from_environment().job_threads)
                _work(folder, spec, device, should_stop, watch)
    return look(folder)


class _Work(Context):
    """What a calculation is given, kept in its folder."""

    def __init__(
        self, folder: RunFolder, device: str, should_stop: Callable[[], bool], watch: Watch | None, log: ProgressLog
    ) -> None:  # fmt: skip
        self.folder = folder.path
        self.device = device
        self._run, self._should_stop, self._watch, self._log = folder, should_stop, watch, log
        latest = folder.latest() or {}
        self._seconds_before = float(latest.get("wall_s") or 0.0)
        self._legs_before = legs_so_far(folder)
        self._leg = Leg(first_step=latest.get("step", 0), conditions=conditions_here(device))
        keep_legs(folder, self.legs)

    @property
    def legs(self) -> tuple[Leg, ...]:
        """Under which conditions the run was made so far, this sitting's last."""
        return joined(self._legs_before, self._leg)

    def works_with(self, potential: Potential) -> None:
        build = "compiled" if potential.is_compiled else "eager"
        self._leg = replace(self._leg, conditions={**self._leg.conditions, potential.name: build})
        keep_legs(self._run, self.legs)

    def should_stop(self) -> bool:
        return self._should_stop()

    def say(self, note: str) -> None:
        if self._should_stop():
            raise Stopped
        self._run.write_status("running", note=note)

    def report(self, row: Mapping[str, Any]) -> None:
        self._log.add(row)
        if self._watch is not None:
            self._watch(row)

    def seconds_before(self) -> float:
        return self._seconds_before

    def needed(self, spec: Spec) -> tuple[Result, Path]:
        beside = RunFolder.of(spec, self.folder.parent)
        shipped = None if beside.path.exists() else _released(spec)
        finished = shipped or beside.calculation()
        return finished.result, finished.folder or self.folder


def _work(
    folder: RunFolder, spec: Spec, device: str, should_stop: Callable[[], bool], watch: Watch | None
) -> None:  # fmt: skip
    """Do what the run needs, then the run; a result that is there is kept, a damaged one made anew."""
    with contextlib.suppress(RunFileError):
        if folder.result() is not None:
            folder.write_status("finished")
            return
    spec.check()
    for need in spec.needs():
        _fulfil(folder, need, device, should_stop)
    with ProgressLog(folder) as log:
        context = _Work(folder, device, should_stop, watch, log)
        context.say("starting")
        result = with_legs(spec.run(context), context.legs)
    folder.keep_result(spec, result)
    folder.write_status("finished")


def _released(need: Spec) -> Calculation | None:
    """Return a needed calculation that the release holds, as far as its result is all that is needed of it."""
    return None if need.is_more_than_its_result else released_answer(need)


def _fulfil(folder: RunFolder, need: Spec, device: str, should_stop: Callable[[], bool]) -> None:
    """See to it that a needed run beside this one is finished: do it here, or wait for whoever is at it.

    One that nobody began and the release holds is not done again.
    """
    other = RunFolder.of(need, folder.path.parent)
    if not other.path.exists() and _released(need) is not None:
        return
    other.create(need)
    while (job := look(other)).state != "finished":
        if should_stop():
            raise Stopped
        folder.write_status("running", note=f"waiting for {other.name}")
        is_free = job.state not in ACTIVE or waiting_ticket(other) is not None
        if is_free and _done_here(other, need, device, should_stop):
            job = look(other)
            if job.state == "finished":
                return
            if should_stop():
                raise Stopped
            raise JobError(
                f"{other.name}, which this run needs, is {job.state}: {job.error or 'resume it first.'}"
            )
        time.sleep(POLL_SECONDS)


def _done_here(other: RunFolder, need: Spec, device: str, should_stop: Callable[[], bool]) -> bool:
    """Work on a needed run; False where another process turned out to be at it."""
    try:
        with _at_work(other):
            tickets.withdraw(other.path)
            other.cancel_flag.unlink(missing_ok=True)

            def should_stop_here() -> bool:
                return should_stop() or other.cancel_flag.exists()

            with _kept_in_status(other):
                _work(other, need, device, should_stop_here, None)
    except _Busy:
        return False
    return True


class _Busy(JobError):
    """Another process works on the run."""


@contextlib.contextmanager
def _at_work(folder: RunFolder) -> Iterator[None]:
    """Hold the run's lock and leave our name; readers that probe the lock hold it for an instant, so it is retried."""
    for _ in range(_LOCK_TRIES):
        with locked(folder.run_lock, wait=False) as is_ours:
            if is_ours:
                with contextlib.suppress(OSError):  # a full disk: the lock says it too
                    folder.write(tickets.WORKER_FILE, ProcessIdentity.current().to_dict())
                try:
                    yield
                finally:
                    # This process may live on (the command line, a test) and must not be taken for one at work.
                    (folder.path / tickets.WORKER_FILE).unlink(missing_ok=True)
                return
        time.sleep(_LOCK_PAUSE_S)
    raise _Busy(f"Another process works on run {folder.name}; look at it with `runs status {folder.name}`.")


@contextlib.contextmanager
def _kept_in_status(folder: RunFolder) -> Iterator[None]:
    """Write how the work of the block ended into the run's status."""
    try:
        yield
    except Stopped:
        # Without the flag it was a signal, or the end of the run that needed this one.
        folder.write_status("cancelled" if folder.cancel_flag.exists() else "interrupted")
    except ExplorerError as error:
        folder.write_status("failed", error=str(error))
    except Exception as error:
        _log.exception("run %s failed", folder.name)
        folder.write_status("failed", error=_words_of(error, folder))


def _words_of(error: Exception, folder: RunFolder) -> str:
    """What no kind foresaw; of a full disk what is free, and how the run goes on."""
    if isinstance(error, OSError) and is_full(error):
        return (
            f"A file of the run could not be written: {why_not_written(folder.path, error)}. Make room, then "
            f"`python -m core runs resume {folder.name}` goes on from what it has kept."
        )
    return f"{type(error).__name__}: {error} (its worker.log has more)"


@contextlib.contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """Turn SIGTERM and SIGINT into a question that the run asks between steps."""
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main() -> int:
    """Do the run of the folder named on the command line; 0 unless it failed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    job = run_job(Path(sys.argv[1]))
    _log.info("run %s: %s", job.job_id, job.error or job.state)
    return 1 if job.state == "failed" else 0


if __name__ == "__main__":
    sys.exit(main())
