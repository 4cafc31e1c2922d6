"""Does one run: build the cell, simulate, measure, compare with the teacher."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from core.calculations.base import Context, Figure, Stopped
from core.calculations.kinds.diffusion.analysis import Analysis, analyse, curves_of, line_of
from core.calculations.kinds.diffusion.displacements import write_displacements
from core.calculations.kinds.diffusion.prepare import ready_potential
from core.calculations.kinds.diffusion.result import DiffusionResult, RefinementErrors
from core.calculations.kinds.diffusion.visited import visited, write_visited
from core.calculations.kinds.refinement import RefinementResult
from core.dynamics import (
    TEACHER_LIMIT_EV_PER_A,
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
from core.dynamics.checkpoint import CHECKPOINT_FILE
from core.errors import CheckpointError
from core.potentials import Potential, load_potential, load_refined
from core.provenance import Provenance

if TYPE_CHECKING:
    from core.calculations.kinds.diffusion.spec import DiffusionSpec

TEACHER_SNAPSHOTS: Final = 4
_USABLE: Final = ("diffusive", "upper limit")


def run(spec: "DiffusionSpec", context: Context) -> DiffusionResult:
    """Do the run of a spec in the context's folder, from its checkpoint if there is one."""
    system = build_system(spec.crystal, spec.working_ion, spec.protocol, spec.seed)
    potential, notes, errors = _potential(spec, context, system.n_atoms * spec.protocol.n_steps)
    context.works_with(potential)
    outcome = _made_before(spec, context, system) or _simulate(spec, context, system, potential)
    if outcome.state == "stopped":
        raise Stopped
    context.say("measuring")
    frames = read_trajectory(context.folder)
    analysis = analyse(frames, spec.working_ion, spec.protocol.temperature_k)
    _keep_pictures(spec, context, system, analysis)
    teacher, teacher_notes = _teacher(potential, frames, outcome)
    described = filter(None, [spec.protocol.description])
    return make_result(
        spec, system, outcome, analysis, teacher, refinement=errors, notes=(*described, *notes, *teacher_notes),
        provenance=Provenance(
            kind="mlmd", model_name=spec.potential, model_sha256=potential.card.sha256, seed=spec.seed,
            device=context.device,
        ),
    )  # fmt: skip


def make_result(
    spec: "DiffusionSpec", system: System, outcome: Outcome, analysis: Analysis, teacher: TeacherCheck | None,
    *, provenance: Provenance, notes: tuple[str, ...] = (), refinement: RefinementErrors | None = None,
) -> DiffusionResult:  # fmt: skip
    """Return the result of a run that ended, whatever its verdict."""
    verdict, reason = verdict_of(analysis, outcome, teacher)
    trajectory = analysis.trajectory
    matrix = np.asarray(system.supercell_matrix).tolist()
    return DiffusionResult(
        run_id=spec.name, id=spec.crystal.id, formula=spec.crystal.formula, working_ion=spec.working_ion,
        potential=spec.potential_name, protocol=spec.protocol, temperature_k=spec.protocol.temperature_k,
        seed=spec.seed, n_atoms=system.n_atoms, n_working_ions=system.n_mobile, n_removed=system.n_removed,
        supercell_matrix=tuple((a, b, c) for a, b, c in matrix),
        simulated_ps=0.0 if trajectory is None else len(trajectory.step) * trajectory.frame_ps,
        volume_a3=None if trajectory is None else trajectory.mean_volume_a3,
        verdict=verdict, reason=reason, **_figures(analysis, verdict), **_curves(analysis, spec.working_ion),
        teacher_force_mae_ev_per_a=None if teacher is None else teacher.force_mae_ev_per_a,
        teacher_energy_mae_ev_per_atom=None if teacher is None else teacher.energy_mae_ev_per_atom,
        atom_steps_per_s=outcome.atom_steps_per_s, seconds=outcome.seconds,
        drift_mev_per_atom_per_ps=outcome.drift_mev_per_atom_per_ps, n_steps=outcome.n_steps,
        refinement=refinement, notes=notes, provenance=provenance,
    )  # fmt: skip


def verdict_of(analysis: Analysis, outcome: Outcome, teacher: TeacherCheck | None) -> tuple[str, str]:
    """Return verdict and reason: a broken run first, then a potential out of its depth, then what was measured."""
    if outcome.state == "aborted":
        return ("framework melted" if outcome.cause == "framework melted" else "aborted"), outcome.reason
    if analysis.verdict in _USABLE and teacher is not None and not teacher.in_domain:
        return "out of domain", (
            f"Forces on this run's own snapshots miss those of the teacher by {teacher.force_mae_ev_per_a:.3f} "
            f"eV/angstrom, above the limit of {TEACHER_LIMIT_EV_PER_A:g}: what was measured is not trusted. Refine the "
            "potential for this material, or run the teacher."
        )
    return analysis.verdict, analysis.reason


def _potential(
    spec: "DiffusionSpec", context: Context, atom_steps: int
) -> tuple[Potential, list[str], RefinementErrors | None]:
    """Return the potential, notes for the reader, and the errors of its refinement where it was refined."""
    make: Callable[[], Potential]
    errors = None
    if spec.refine_rounds:
        refined, folder = context.needed(spec.refinement())
        if not isinstance(refined, RefinementResult):
            raise TypeError(f"A refinement gave a {type(refined).__name__}.")
        weights = folder / refined.weights
        make = lambda: load_refined(spec.potential, weights, device=context.device, dtype="float32")  # noqa: E731
        errors = RefinementErrors(
            rounds=spec.refine_rounds, force_mae_before_ev_per_a=refined.force_mae_ev_per_a[0],
            force_mae_after_ev_per_a=refined.force_mae_ev_per_a[-1], n_frames=refined.n_frames,
        )  # fmt: skip
    else:
        make = lambda: load_potential(spec.potential, device=context.device, dtype="float32")  # noqa: E731
    potential, notes = ready_potential(make, context.say, atom_steps=atom_steps)
    return potential, notes, errors


def _made_before(spec: "DiffusionSpec", context: Context, system: System) -> Outcome | None:
    """Return how a run ended whose frames are all there and whose checkpoint is lost: it is measured, not made anew.

    None where there is a checkpoint to go on from, or a frame is missing, or the first is of another cell.
    """
    if (context.folder / CHECKPOINT_FILE).exists():
        return None
    try:
        frames = read_trajectory(context.folder)
    except CheckpointError:
        return None
    protocol, species = spec.protocol, tuple(system.atoms.get_chemical_symbols())
    if len(frames) != protocol.n_steps // protocol.frame_steps + 1 or frames.species != species:
        return None
    if not np.array_equal(frames.positions_a[0], system.atoms.positions.astype(np.float32)):
        return None
    seconds = context.seconds_before()
    return Outcome(
        state="finished", reason="all steps were made; the checkpoint is lost, and the drift with it.", cause=None,
        n_steps=protocol.n_steps, seconds=seconds, drift_mev_per_atom_per_ps=None,
        atom_steps_per_s=protocol.n_steps * system.n_atoms / max(seconds, 1e-9),
    )  # fmt: skip


def _simulate(spec: "DiffusionSpec", context: Context, system: System, potential: Potential) -> Outcome:
    started = time.monotonic() - context.seconds_before()

    def report(progress: Progress) -> None:
        context.report(_row(progress, spec) | {"wall_s": time.monotonic() - started})

    context.say("simulating")
    return simulate(
        system, potential, spec.protocol, seed=spec.seed, folder=context.folder, on_progress=report,
        should_stop=context.should_stop,
    )  # fmt: skip


def _row(progress: Progress, spec: "DiffusionSpec") -> dict[str, Figure]:
    """A report as its line holds it: numbers that are none (a displacement before any) become null."""
    n_steps = spec.protocol.n_steps
    left = n_steps - progress.step + (spec.protocol.n_drift_steps if progress.phase == "npt" else 0)
    row: dict[str, Figure] = asdict(progress) | {
        "fraction": min(progress.step / n_steps, 1.0), "eta_s": progress.seconds_per_step * left,
    }  # fmt: skip
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _keep_pictures(spec: "DiffusionSpec", context: Context, system: System, analysis: Analysis) -> None:
    """Write what pooling and pictures need, and frames are too large to be kept for."""
    if analysis.trajectory is None or analysis.msd is None:
        return
    points = visited(
        analysis.trajectory, ideal_frac=system.atoms.positions @ np.linalg.inv(system.unit_lattice_a),
        supercell_matrix=system.supercell_matrix, ion=spec.working_ion,
    )  # fmt: skip
    write_visited(context.folder, points)
    write_displacements(context.folder, analysis.msd[spec.working_ion])


def _teacher(
    potential: Potential, frames: Frames, outcome: Outcome
) -> tuple[TeacherCheck | None, tuple[str, ...]]:
    """Compare with the teacher that the potential's card names; without one there is only a note."""
    name = potential.card.teacher
    if name is None:
        return None, (f"{potential.name} has no teacher: there is no other potential to check it against.",)
    if outcome.state != "finished":
        return None, ()
    teacher = load_potential(name, device=potential.device, dtype="float32")
    return teacher_check(frames, potential, teacher, n_snapshots=TEACHER_SNAPSHOTS), ()


def _figures(analysis: Analysis, verdict: str) -> dict[str, Any]:
    """The figures that the verdict allows: none are shown where they would mean nothing."""
    if verdict not in _USABLE or analysis.diffusivity is None or analysis.conductivity is None:
        return {}
    d, sigma = analysis.diffusivity, analysis.conductivity
    return {
        "d_cm2_per_s": d.d_cm2_per_s, "d_std_cm2_per_s": d.d_std_cm2_per_s, "d_low_cm2_per_s": d.d_low_cm2_per_s,
        "d_high_cm2_per_s": d.d_high_cm2_per_s, "sigma_ms_per_cm": sigma.sigma_ms_per_cm,
        "sigma_low_ms_per_cm": sigma.sigma_low_ms_per_cm, "sigma_high_ms_per_cm": sigma.sigma_high_ms_per_cm,
        "axes": d.axes,
    }  # fmt: skip


def _curves(analysis: Analysis, ion: str) -> dict[str, Any]:
    if analysis.diffusivity is None or analysis.msd is None:
        return {}
    return {
        "confidence": analysis.diffusivity.confidence, "regime": analysis.diffusivity.regime.kind,
        "msd": curves_of(analysis.msd), "fit": line_of(analysis.diffusivity, analysis.msd[ion]),
    }  # fmt: skip
