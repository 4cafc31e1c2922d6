"""Voltage curves for the faces: what is known of a crystal's, what another would take, and how it is started."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.calculations import Calculation
from core.calculations.kinds.curve import CurvePoint, CurveResult, CurveSpec, GroundState
from core.ordering import CurveStep, contents, ordering_cell
from core.potentials import DEFAULT_POTENTIAL
from core.records import Crystal
from core.service.calculations import Job, calculations_about
from core.store import Reader

__all__ = [
    "CurvePlan", "CurvePoint", "CurveResult", "CurveSpec", "CurveStep", "GroundState", "KnownCurve",
    "known_curves", "planned_curve", "unfinished_curve",
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


def known_curves(reader: Reader, crystal: Crystal, jobs: Sequence[Job]) -> list[KnownCurve]:
    """Return the finished curves of a crystal, one's own first; `jobs`: the runs about it."""
    return [
        KnownCurve(calculation=it, curve=it.result)
        for it in calculations_about(reader, crystal, CurveSpec.kind, jobs)
        if isinstance(it.result, CurveResult)
    ]


def unfinished_curve(jobs: Sequence[Job]) -> Job | None:
    """Return the latest curve among the runs about a crystal that is not finished."""
    return next((job for job in jobs if job.spec.kind == CurveSpec.kind and job.state != "finished"), None)


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
