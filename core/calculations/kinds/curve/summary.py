"""From relaxed ends and relaxed orderings to points, ground states and steps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from core.calculations.kinds.curve.result import CurvePoint, GroundState
from core.calculations.kinds.curve.work import RelaxedOrdering
from core.calculations.kinds.relaxation import RelaxationResult
from core.ordering import CurveStep, OrderingCell, Phase, repeated, voltage_curve
from core.records import Crystal
from core.relaxation import FRAMEWORKS

COLLAPSED: Final = FRAMEWORKS[-1]

_DIGITS: Final = 5
"""Of coordinates and cells in a result: a release holds many."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CurveSummary:
    """All points, those on the lower hull with their crystals, and the steps between these."""

    points: tuple[CurvePoint, ...]
    ground_states: tuple[GroundState, ...]
    steps: tuple[CurveStep, ...]

    @classmethod
    def of(
        cls, working_ion: str, cell: OrderingCell, ends: RelaxationResult, between: Sequence[RelaxedOrdering]
    ) -> Self:
        """Return the hull over relaxed orderings and both ends; the ends, relaxed in their own cell, count as many.

        An ordering in which the host collapsed is a point but no ground state: it is no insertion any more.
        """
        states = sorted((*_ends(cell, ends), *between), key=lambda it: (it.n_ions, it.frozen_rank))
        n_sites = len(cell.ion_sites)
        phases = [
            Phase(name=str(place), n_ions=it.n_ions, energy_ev=it.energy_ev, crystal=it.crystal)
            for place, it in enumerate(states)
            if it.framework != COLLAPSED or it.n_ions in (0, n_sites)
        ]
        curve = voltage_curve(phases, working_ion, ends.metal_ev)
        points = [_point(it, states[0].energy_ev, states[-1].energy_ev, n_sites) for it in states]
        stable = [int(name) for name in curve.stable]
        ground = [_ground_state(points[place], states[place].crystal) for place in stable]
        return cls(points=tuple(points), ground_states=tuple(ground), steps=curve.steps)


def _ends(cell: OrderingCell, ends: RelaxationResult) -> tuple[RelaxedOrdering, RelaxedOrdering]:
    empty, full = (
        RelaxedOrdering(
            n_ions=end.n_ions * cell.n_copies, ordering=0, multiplicity=1, frozen_rank=0, frozen_ev=None,
            crystal=repeated(end.crystal, cell.copies), energy_ev=end.energy_ev * cell.n_copies,
            framework=framework,
        )
        for end, framework in ((ends.charged, ends.framework), (ends.discharged, FRAMEWORKS[0]))
    )  # fmt: skip
    return empty, full


def _point(it: RelaxedOrdering, empty_ev: float, full_ev: float, n_sites: int) -> CurvePoint:
    x = it.n_ions / n_sites
    return CurvePoint(
        x=x, n_ions=it.n_ions, ordering=it.ordering, multiplicity=it.multiplicity, frozen_rank=it.frozen_rank,
        frozen_ev=it.frozen_ev, energy_ev=it.energy_ev,
        formation_ev=(it.energy_ev - x * full_ev - (1.0 - x) * empty_ev) / n_sites,
        volume_a3=it.crystal.volume_a3, framework=it.framework,
    )  # fmt: skip


def _ground_state(point: CurvePoint, crystal: Crystal) -> GroundState:
    return GroundState(
        x=point.x, n_ions=point.n_ions, ordering=point.ordering, energy_ev=point.energy_ev, volume_a3=point.volume_a3,
        framework=point.framework,
        crystal=replace(
            crystal, lattice_a=np.round(crystal.lattice_a, _DIGITS), frac=np.round(crystal.frac, _DIGITS)
        ),
    )  # fmt: skip
