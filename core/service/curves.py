"""Voltage curves for the faces: what is known of a crystal's, what another would take, and how it is started."""

from dataclasses import dataclass
from pathlib import Path

from core.calculations import Calculation
from core.calculations.kinds.curve import CurvePoint, CurveResult, CurveSpec, GroundState
from core.ordering import CurveStep, contents, ordering_cell
from core.potentials import DEFAULT_POTENTIAL
from core.records import Crystal
from core.service.calculations import Job, jobs_of, shipped, submit
from core.store import Reader

__all__ = [
    "CurvePlan", "CurvePoint", "CurveResult", "CurveSpec", "CurveStep", "GroundState", "KnownCurve", "curve_jobs",
    "known_curves", "planned_curve", "start_curve",
]  # fmt: skip

SECONDS_PER_ATOM = 0.006
"""Of an energy with forces by `nequip-mp` in single precision, measured on one thread of a shared processor."""

_STEPS_OF_A_RELAXATION = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class KnownCurve:
    """A finished voltage curve and the calculation that it is the result of."""

    calculation: Calculation
    curve: CurveResult

    @property
    def is_shipped(self) -> bool:
        """Whether it came with the release."""
        return self.calculation.is_shipped


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePlan:
    """What a curve would look at: atoms and ion sites of its cell, contents between the ends, relaxations at most."""

    spec: CurveSpec
    n_sites: int
    n_ion_sites: int
    n_contents: int
    n_relaxations: int

    @property
    def expected_seconds(self) -> float:
        """A rough guess on one processor core, from a usual number of steps; loaded machines take longer."""
        return self.n_relaxations * self.n_sites * _STEPS_OF_A_RELAXATION * SECONDS_PER_ATOM


def known_curves(reader: Reader, crystal: Crystal, runs: Path | None = None) -> list[KnownCurve]:
    """Return the finished curves of a crystal: one's own, the latest first, then those of the release."""
    own = [job.calculation for job in curve_jobs(crystal, runs)]
    mine = [it for it in own if it is not None]
    names = {it.name for it in mine}
    held = [it for it in shipped(reader, crystal.id) if it.name not in names]
    return [
        KnownCurve(calculation=it, curve=it.result)
        for it in (*mine, *held)
        if isinstance(it.result, CurveResult)
    ]


def curve_jobs(crystal: Crystal, runs: Path | None = None) -> list[Job]:
    """Return the runs of curves about a crystal, the latest first."""
    return [job for job in jobs_of(crystal, runs) if job.spec.kind == CurveSpec.kind]


def planned_curve(crystal: Crystal, working_ion: str, potential: str | None = None) -> CurvePlan:
    """Return what a curve of a crystal would take; raise the `ExplorerError` that says why there can be none."""
    spec = CurveSpec.planned(crystal, working_ion, potential=potential or DEFAULT_POTENTIAL)
    spec.check()
    cell = ordering_cell(crystal, working_ion, max_sites=spec.max_sites, min_ions=spec.min_ions)
    n_contents = len(contents(len(cell.ion_sites), spec.max_contents))
    return CurvePlan(
        spec=spec, n_sites=cell.crystal.n_sites, n_ion_sites=len(cell.ion_sites), n_contents=n_contents,
        n_relaxations=2 + n_contents * spec.n_relaxed,
    )  # fmt: skip


def start_curve(plan: CurvePlan, runs: Path | None = None) -> Job:
    """Start a curve in the background; one that is under way or finished is returned as it is."""
    return submit(plan.spec, runs)
