"""The result of one run as `result.json` holds it: figures, verdict and all that is needed to judge them."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from core.dynamics import Outcome, System, TeacherCheck
from core.dynamics.teacher import TEACHER_LIMIT_EV_PER_A
from core.errors import RecordError
from core.jobs.analysis import Analysis, curves_as_json, line_as_json
from core.jobs.spec import JobSpec
from core.provenance import Provenance
from core.records import VERDICTS

_USABLE: Final = ("diffusive", "upper limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What one run says. `d_*` in cm2/s and `sigma_*` in mS/cm are 90 % intervals; `simulated_ps` at constant volume.

    `n_mg` counts working ions in the simulated cell. `msd`: by species, `lag_ps`, `msd_a2`, `axis_a2`; `fit`: the line
    through the ion's with its band. `axes`: D along x, y, z. `notes`: what a reader must know.
    `refinement`: rounds of fine-tuning with the force error before and after.
    """

    run_id: str
    id: str
    formula: str
    working_ion: str
    potential: str
    temperature_k: float
    n_atoms: int
    n_mg: int
    simulated_ps: float
    verdict: str
    reason: str
    provenance: dict[str, Any]
    protocol: dict[str, Any]
    seed: int
    supercell_matrix: list[list[int]]
    n_removed: int
    volume_a3: float | None
    confidence: float | None = None
    regime: str | None = None
    d_cm2_per_s: float | None = None
    d_std: float | None = None
    d_low: float | None = None
    d_high: float | None = None
    sigma_ms_per_cm: float | None = None
    sigma_low: float | None = None
    sigma_high: float | None = None
    axes: list[dict[str, float]] = field(default_factory=list)
    msd: dict[str, Any] = field(default_factory=dict)
    fit: dict[str, Any] | None = None
    teacher_force_mae_ev_per_a: float | None = None
    teacher_energy_mae_ev_per_atom: float | None = None
    atom_steps_per_s: float | None = None
    drift_mev_per_atom_per_ps: float | None = None
    seconds: float | None = None
    n_steps: int = 0
    refinement: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise RecordError(f"{self.run_id}: verdict {self.verdict!r} is none of {', '.join(VERDICTS)}.")
        if (self.verdict == "diffusive") != (self.sigma_ms_per_cm is not None):
            raise RecordError(f"{self.run_id}: a diffusive run has a conductivity, and only that has one.")

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON holds it."""
        return asdict(self)


def verdict_of(found: Analysis, outcome: Outcome, teacher: TeacherCheck | None) -> tuple[str, str]:
    """Return verdict and reason: a broken run first, then a potential out of its depth, then what was measured."""
    if outcome.state == "aborted":
        return ("framework melted" if outcome.cause == "framework melted" else "aborted"), outcome.reason
    if found.verdict in _USABLE and teacher is not None and not teacher.in_domain:
        return "out of domain", (
            f"Forces on this run's own snapshots miss those of the teacher by {teacher.force_mae_ev_per_a:.3f} "
            f"eV/angstrom, above the limit of {TEACHER_LIMIT_EV_PER_A:g}: what was measured is not trusted. Refine the "
            "potential for this material, or run the teacher."
        )
    return found.verdict, found.reason


def make_result(
    spec: JobSpec, system: System, outcome: Outcome, found: Analysis, teacher: TeacherCheck | None,
    *, provenance: Provenance, notes: list[str], refinement: dict[str, Any] | None = None,
) -> RunResult:  # fmt: skip
    """Return the result of a run that ended, whatever its verdict."""
    verdict, reason = verdict_of(found, outcome, teacher)
    protocol = spec.protocol
    trajectory = found.trajectory
    return RunResult(
        run_id=spec.job_id, id=spec.id, formula=spec.crystal.formula, working_ion=spec.working_ion,
        potential=spec.potential_name, temperature_k=protocol.temperature_k,
        n_atoms=system.n_atoms, n_mg=system.n_mobile,
        simulated_ps=0.0 if trajectory is None else len(trajectory.step) * trajectory.frame_ps,
        verdict=verdict, reason=reason, provenance=asdict(provenance) | {"id": provenance.id},
        protocol=protocol.to_dict(), seed=spec.seed, n_removed=system.n_removed,
        supercell_matrix=np.asarray(system.supercell_matrix).tolist(),
        volume_a3=None if trajectory is None else trajectory.mean_volume_a3,
        **_figures(found, verdict), **_curves(found, spec.working_ion),
        teacher_force_mae_ev_per_a=None if teacher is None else teacher.force_mae_ev_per_a,
        teacher_energy_mae_ev_per_atom=None if teacher is None else teacher.energy_mae_ev_per_atom,
        atom_steps_per_s=outcome.atom_steps_per_s, seconds=outcome.seconds,
        drift_mev_per_atom_per_ps=outcome.drift_mev_per_atom_per_ps, n_steps=outcome.n_steps, notes=notes,
        refinement=refinement,
    )  # fmt: skip


def _figures(found: Analysis, verdict: str) -> dict[str, Any]:
    """The figures that the verdict allows: none are shown where they would mean nothing."""
    if verdict not in _USABLE or found.diffusivity is None or found.conductivity is None:
        return {}
    d, sigma = found.diffusivity, found.conductivity
    return {
        "d_cm2_per_s": d.d_cm2_per_s, "d_std": d.d_std_cm2_per_s, "d_low": d.d_low_cm2_per_s,
        "d_high": d.d_high_cm2_per_s, "sigma_ms_per_cm": sigma.sigma_ms_per_cm,
        "sigma_low": sigma.sigma_low_ms_per_cm, "sigma_high": sigma.sigma_high_ms_per_cm,
        "axes": [asdict(axis) for axis in d.axes],
    }  # fmt: skip


def _curves(found: Analysis, ion: str) -> dict[str, Any]:
    if found.diffusivity is None or found.msd is None:
        return {}
    return {
        "confidence": found.diffusivity.confidence, "regime": found.diffusivity.regime.kind,
        "msd": curves_as_json(found.msd), "fit": line_as_json(found.diffusivity, found.msd[ion]),
    }  # fmt: skip
