"""Finished runs whose ions walk by a known law, written as the worker writes them."""

from pathlib import Path

import numpy as np

from core.calculations.kinds.diffusion import DiffusionSpec
from core.calculations.kinds.diffusion.analysis import analyse
from core.calculations.kinds.diffusion.displacements import write_displacements
from core.calculations.kinds.diffusion.work import make_result
from core.dynamics import Outcome, TeacherCheck, TrajectoryWriter, build_system, read_trajectory
from core.dynamics.trajectory import Header
from core.provenance import Provenance
from core.tasks import RunFolder

N_FRAMES = 400
FRAME_FS = 20.0


def walked(
    spec: DiffusionSpec, runs: Path, *, step_a: float, framework_step_a: float = 0.0, n_frames: int = N_FRAMES,
    teacher_mae: float | None = None, cause: str | None = None,
) -> Path:  # fmt: skip
    """Write a run whose ions step by normal steps of `step_a` an axis and frame; return its folder."""
    folder = RunFolder(path=runs / spec.name)
    folder.create(spec)
    system = build_system(spec.crystal, spec.working_ion, spec.protocol, spec.seed)
    _write_frames(folder.path, spec, system.atoms, step_a, framework_step_a, n_frames)
    frames = read_trajectory(folder.path)
    analysis = analyse(frames, spec.working_ion, spec.protocol.temperature_k)
    outcome = Outcome(
        state="aborted" if cause else "finished", reason=f"it was the {cause}." if cause else "all steps were made.",
        cause=cause, n_steps=10 * n_frames, seconds=100.0, atom_steps_per_s=1000.0, drift_mev_per_atom_per_ps=None,
    )  # fmt: skip
    teacher = None
    if teacher_mae is not None:
        teacher = TeacherCheck(force_mae_ev_per_a=teacher_mae, energy_mae_ev_per_atom=0.01, n_snapshots=4)
    provenance = Provenance(kind="mlmd", model_name=spec.potential, model_sha256="0" * 64, seed=spec.seed)
    result = make_result(spec, system, outcome, analysis, teacher, provenance=provenance)
    if analysis.msd is not None:
        write_displacements(folder.path, analysis.msd[spec.working_ion])
    folder.keep_result(spec, result)
    folder.write_status("finished")
    return folder.path


def _write_frames(
    path: Path, spec: DiffusionSpec, atoms, step_a: float, framework_step_a: float, n_frames: int
) -> None:
    rng = np.random.default_rng([spec.seed, int(spec.protocol.temperature_k)])
    is_ion = np.array(atoms.get_chemical_symbols()) == spec.working_ion
    sizes_a = np.where(is_ion, step_a, framework_step_a)[:, None]
    start_a = atoms.positions.copy()
    walk_a = np.cumsum(rng.normal(0, 1, (n_frames, len(atoms), 3)) * sizes_a, axis=0)
    shaken_a = rng.normal(0, 0.05, walk_a.shape)
    header = Header(
        species=tuple(atoms.get_chemical_symbols()), time_step_fs=spec.protocol.time_step_fs,
        frame_steps=round(FRAME_FS / spec.protocol.time_step_fs), n_npt_frames=0,
    )  # fmt: skip
    writer = TrajectoryWriter(path, header)
    for moved_a in walk_a + shaken_a:
        atoms.positions = start_a + moved_a
        writer.append(atoms)
    writer.flush()
    atoms.positions = start_a


def d_of_step(step_a: float) -> float:
    """D in cm2/s of a walk of normal steps `step_a` an axis and frame: step^2 / (2 time)."""
    return step_a**2 * 1e-16 / (2 * FRAME_FS * 1e-15)
