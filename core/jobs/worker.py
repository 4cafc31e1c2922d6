"""Does one run from its folder: build the system, simulate, measure, compare with the teacher, write the result.

`python -m core.jobs.worker FOLDER` is what `core.jobs.submit` starts; the command line does the same in the foreground.
"""

import contextlib
import logging
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, Final

import numpy as np
import torch

from core.dynamics import (
    Frames,
    Outcome,
    Progress,
    System,
    TeacherCheck,
    build_system,
    read_trajectory,
    simulate,
    teacher_check,
)
from core.errors import ExplorerError, JobError
from core.jobs.analysis import analyse
from core.jobs.folder import ProgressLog, RunFolder
from core.jobs.locks import device_slot, held, job_threads
from core.jobs.path import mg_path, write_path
from core.jobs.potential import TEACHER, Ready, ready_potential, refined_potential
from core.jobs.process import ProcessIdentity
from core.jobs.queue import Job, look
from core.jobs.result import RunResult, make_result
from core.jobs.spec import JobSpec
from core.potentials import Potential, load_potential
from core.provenance import Provenance
from core.settings import resolve_device

TEACHER_SNAPSHOTS: Final = 4
_LOCK_TRIES: Final = 20
_LOCK_PAUSE_S: Final = 0.1

Watch = Callable[[dict[str, Any]], None]
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
    with _sole_worker(folder), _stop_signals() as stopped:
        folder.write("worker.json", ProcessIdentity.current().to_dict())
        try:
            _wait_and_run(folder, spec, stopped, watch)
        except ExplorerError as error:
            folder.write_status("failed", error=str(error))
        except Exception as error:
            _log.exception("run %s failed", folder.name)
            folder.write_status("failed", error=f"{type(error).__name__}: {error} (its worker.log has more)")
        finally:
            # This process may live on (the command line, a test) and must not be taken for one at work.
            (folder.path / "worker.json").unlink(missing_ok=True)
    return look(folder)


def _wait_and_run(folder: RunFolder, spec: JobSpec, stopped: Callable[[], bool], watch: Watch | None) -> None:
    def should_stop() -> bool:
        return stopped() or folder.cancel_flag.exists()

    device = resolve_device(spec.device)
    folder.write_status("queued", note=f"waiting for {device}")
    with device_slot(device, should_stop) as is_ours:
        if is_ours:
            torch.set_num_threads(job_threads())
            _run(folder, spec, device, should_stop, watch)
        else:
            _write_stopped(folder)


def _write_stopped(folder: RunFolder) -> None:
    """Without the flag it was a signal."""
    folder.write_status("cancelled" if folder.cancel_flag.exists() else "interrupted")


class _Stopped(Exception):
    """A stop was asked for while the potential was made ready."""


def _run(
    folder: RunFolder, spec: JobSpec, device: str, should_stop: Callable[[], bool], watch: Watch | None
) -> None:
    if folder.read("result.json") is None:
        system = build_system(spec.crystal, spec.working_ion, spec.protocol, spec.seed)
        try:
            ready = _ready(folder, spec, device, should_stop, system.n_atoms * spec.protocol.n_steps)
        except _Stopped:
            _write_stopped(folder)
            return
        outcome = _simulate(folder, spec, system, ready.potential, should_stop, watch)
        if outcome.state == "stopped":
            _write_stopped(folder)
            return
        folder.write_status("running", note="measuring")
        result = _conclude(folder, spec, system, ready, outcome)
        folder.write("result.json", result.to_dict())
    folder.write_status("finished")


def _ready(
    folder: RunFolder, spec: JobSpec, device: str, should_stop: Callable[[], bool], atom_steps: int
) -> Ready:
    def say(stage: str) -> None:
        if should_stop():
            raise _Stopped
        folder.write_status("running", note=stage)

    if spec.refine_rounds:
        return refined_potential(spec, device, folder.path.parent, say, atom_steps=atom_steps)
    return ready_potential(spec.potential, device, say, atom_steps=atom_steps)


def _simulate(
    folder: RunFolder, spec: JobSpec, system: System, potential: Potential, should_stop: Callable[[], bool],
    watch: Watch | None,
) -> Outcome:  # fmt: skip
    started = time.monotonic() - _seconds_before(folder)
    with ProgressLog(folder) as log:

        def report(progress: Progress) -> None:
            row = _row(progress, spec, time.monotonic() - started)
            log.add(row)
            if watch is not None:
                watch(row)

        folder.write_status("running", note="simulating")
        return simulate(
            system, potential, spec.protocol, seed=spec.seed, folder=folder.path, on_progress=report,
            should_stop=should_stop,
        )  # fmt: skip


def _row(progress: Progress, spec: JobSpec, wall_s: float) -> dict[str, Any]:
    """A report as its line holds it: numbers that are none (a displacement before any) become null."""
    n_steps = spec.protocol.n_steps
    left = n_steps - progress.step + (spec.protocol.n_drift_steps if progress.phase == "npt" else 0)
    row = asdict(progress) | {
        "wall_s": wall_s, "fraction": min(progress.step / n_steps, 1.0), "eta_s": progress.seconds_per_step * left,
    }  # fmt: skip
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _seconds_before(folder: RunFolder) -> float:
    latest = folder.latest()
    return 0.0 if latest is None else float(latest["wall_s"])


def _conclude(folder: RunFolder, spec: JobSpec, system: System, ready: Ready, outcome: Outcome) -> RunResult:
    frames = read_trajectory(folder.path)
    found = analyse(frames, spec.working_ion, spec.protocol.temperature_k)
    if found.trajectory is not None:
        points = mg_path(
            found.trajectory, ideal_frac=system.atoms.positions @ np.linalg.inv(system.unit_lattice_a),
            supercell_matrix=system.supercell_matrix, ion=spec.working_ion,
        )  # fmt: skip
        write_path(folder.path, points)
    notes = [*filter(None, [spec.protocol.description]), *ready.notes]
    teacher = None
    if spec.potential == TEACHER:
        notes.append(f"{TEACHER} is the teacher itself: there is no other potential to check it against.")
    elif outcome.state == "finished":
        teacher = _teacher(frames, ready.potential)
    provenance = Provenance(
        kind="mlmd", model_name=spec.potential, model_sha256=ready.potential.card.sha256, seed=spec.seed,
        device=ready.potential.device,
    )  # fmt: skip
    return make_result(
        spec, system, outcome, found, teacher, provenance=provenance, notes=notes, refinement=ready.refinement
    )


def _teacher(frames: Frames, potential: Potential) -> TeacherCheck:
    teacher = load_potential(TEACHER, device=potential.device, dtype="float32")
    return teacher_check(frames, potential, teacher, n_snapshots=TEACHER_SNAPSHOTS)


@contextlib.contextmanager
def _sole_worker(folder: RunFolder) -> Iterator[None]:
    """Hold the run's lock; readers that probe it hold it for an instant, so it is tried a few times."""
    for _ in range(_LOCK_TRIES):
        with held(folder.run_lock, wait=False) as is_ours:
            if is_ours:
                yield
                return
        time.sleep(_LOCK_PAUSE_S)
    raise JobError(
        f"Another process works on run {folder.name}; look at it with `mlmd status {folder.name}`."
    )


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
