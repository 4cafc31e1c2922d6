"""Migration barriers for the faces: of a crystal, what they would take and the ways drawn; of the hops of a file."""

from dataclasses import dataclass

import numpy as np

from core.calculations.kinds.barrier import BarrierResult, BarrierSpec, EndBarriers, HopBarrier
from core.errors import BarrierError
from core.hops.cells import supercell
from core.hops.choice import barrier_potential, load_with_guide
from core.hops.network import network
from core.hops.paths import COLUMNS, barrier_rows, read_lines
from core.records import Crystal, FloatArray
from core.service.curves import SECONDS_PER_ATOM

__all__ = [
    "COLUMNS", "BarrierPlan", "BarrierResult", "BarrierSpec", "EndBarriers", "HopBarrier", "barrier_plan",
    "barrier_potential", "barrier_rows", "barrier_spec", "limiting_hop", "load_with_guide", "read_lines", "way_of",
]  # fmt: skip

_FORCES_OF_A_HOP = 130
_POINTS_OF_A_WAY = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierPlan:
    """What the barriers of a crystal would take: kinds of hops at each end, atoms of their cell."""

    spec: BarrierSpec
    n_hops: int
    n_atoms: int

    @property
    def expected_seconds(self) -> float:
        """A rough guess on one processor core; symmetry may halve it, loaded machines take longer."""
        return 2 * self.n_hops * _FORCES_OF_A_HOP * self.n_atoms * SECONDS_PER_ATOM


def barrier_spec(crystal: Crystal, working_ion: str, potential: str | None = None) -> BarrierSpec:
    """Return the spec of a crystal's barriers; raise the `ExplorerError` that says why there can be none.

    Quick: whether its hops lead anywhere shows when they are told apart, in the run or by `barrier_plan`.
    """
    spec = BarrierSpec.planned(crystal, working_ion, potential=potential)
    spec.check()
    supercell(np.asarray(crystal.lattice_a), crystal.n_sites)
    return spec


def barrier_plan(crystal: Crystal, working_ion: str, potential: str | None = None) -> BarrierPlan:
    """Return what the barriers of a crystal would take; raise the `ExplorerError` that says why there can be none.

    Slow where the host has many voids: pymatgen compares every hop with every other, up to minutes.
    """
    spec = barrier_spec(crystal, working_ion, potential)
    sites = network(crystal, working_ion, max_hop_a=spec.max_hop_a)
    matrix = supercell(np.asarray(crystal.lattice_a), crystal.n_sites)
    n_atoms = round(abs(float(np.linalg.det(matrix)))) * crystal.n_sites
    return BarrierPlan(spec=spec, n_hops=len(sites.distinct), n_atoms=n_atoms)


def limiting_hop(result: BarrierResult, end: EndBarriers) -> HopBarrier:
    """Return the hop that sets how easily ions get through one end, the highest that could be done where none do.

    Raises `BarrierError` where no hop of that end could be worked out.
    """
    done = [hop for hop in result.hops if hop.end == end.end and hop.barrier_ev is not None]
    if not done:
        raise BarrierError(f"No hop in the {end.end} host could be worked out.")
    if end.one_ev is None:
        return max(done, key=lambda hop: hop.barrier_ev or 0.0)
    limit = end.one_ev
    return min(done, key=lambda hop: abs((hop.barrier_ev or 0.0) - limit))


def way_of(hop: HopBarrier) -> FloatArray:
    """Return (n, 3) places along the way of a hop, close enough to be drawn as one line."""
    ways, places = np.array(hop.ways), np.array(hop.path)
    along = np.linspace(0.0, 1.0, _POINTS_OF_A_WAY)
    return np.stack([np.interp(along, ways, places[:, axis]) for axis in range(3)], axis=1)
