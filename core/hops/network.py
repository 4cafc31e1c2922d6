"""The hops of an ion that symmetry tells apart, the network that they make, and how far barriers let ions through it.

Sites and classes of hops come from pymatgen-analysis-diffusion (`MigrationGraph`), the dimensionality of what a set of
hops connects from pymatgen (Larsen, Pandey, Strange, Jacobsen, doi:10.1103/PhysRevMaterials.3.034003).
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import BarrierError
from core.hops.voids import voids
from core.records import Crystal

MAX_HOP_A: Final = 5.0
"""An ion does not go further in one hop: beyond it another site or a void lies between."""

DIMENSIONS: Final = (1, 2, 3)
_PASSES_A: Final = 1.0
"""A straight way that comes so near to a third site is two hops."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkHop:
    """One hop between sites of a cell, the second one in a neighbouring cell `image`; hops of one `label` are alike."""

    label: int
    start: int
    end: int
    image: tuple[int, int, int]
    length_a: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """Sites of an ion and all hops between them.

    `frac`: (n, 3) sites, those of the crystal's ions first; `n_ions` of them. The rest are voids of the host.
    """

    lattice_a: Floats
    frac: Floats
    n_ions: int
    hops: tuple[NetworkHop, ...]

    @property
    def distinct(self) -> tuple[NetworkHop, ...]:
        """One hop of each label, shortest first."""
        first: dict[int, NetworkHop] = {}
        for hop in self.hops:
            first.setdefault(hop.label, hop)
        return tuple(sorted(first.values(), key=lambda hop: (hop.length_a, hop.label)))


def network(crystal: Crystal, ion: str, *, max_hop_a: float = MAX_HOP_A) -> Network:
    """Return the hops between the crystal's own sites; where these lead nowhere, the voids of its host are sites too.

    Raises `BarrierError` for a crystal without the ion, or where no hop is short enough even then.
    """
    own = np.array([place for place, it in zip(crystal.frac, crystal.species, strict=True) if it == ion])
    if not len(own):
        raise BarrierError(f"{crystal.formula} holds no {ion}.")
    found = _between(crystal, ion, own, len(own), max_hop_a)
    if reach(found, {hop.label: 0.0 for hop in found.hops})[1] is None:
        found = _between(crystal, ion, np.vstack([own, voids(crystal, ion)]), len(own), max_hop_a)
    if not found.hops:
        raise BarrierError(
            f"{crystal.formula}: no site or void of {ion} lies within {max_hop_a:g} angstrom of another."
        )
    return found


def _between(crystal: Crystal, ion: str, frac: Floats, n_ions: int, max_hop_a: float) -> Network:
    from pymatgen.analysis.diffusion.neb.full_path_mapper import MigrationGraph
    from pymatgen.core import Structure

    host = [it != ion for it in crystal.species]
    species = [it for it in crystal.species if it != ion]
    structure = Structure(
        crystal.lattice_a, [ion] * len(frac) + species, np.vstack([frac, np.asarray(crystal.frac)[host]])
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = MigrationGraph.with_distance(structure, ion, max_distance=max_hop_a)
            edges = list(graph.m_graph.graph.edges(data=True)) if graph.unique_hops else []
    except (ValueError, KeyError) as error:
        raise BarrierError(
            f"{crystal.formula}: the network of its hops cannot be built ({error})."
        ) from error
    places = _order(np.array([site.frac_coords for site in graph.only_sites]), frac, crystal.lattice_a)
    hops = [_hop(crystal.lattice_a, frac, places, *edge) for edge in edges]
    return Network(
        lattice_a=np.asarray(crystal.lattice_a), frac=frac, n_ions=n_ions,
        hops=tuple(hop for hop in hops if not _passes_another(hop, frac, crystal.lattice_a)),
    )  # fmt: skip


def _order(theirs: Floats, ours: Floats, lattice_a: Any) -> list[tuple[int, NDArray[np.int64]]]:
    """Of each site of the graph: which of ours it is, and the cell that ours lies in relative to it."""
    found: list[tuple[int, NDArray[np.int64]]] = []
    for place in theirs:
        apart = ours - place
        shift = np.rint(apart)
        index = int(np.linalg.norm((apart - shift) @ lattice_a, axis=1).argmin())
        found.append((index, shift[index].astype(np.int64)))
    return found


def _hop(
    lattice_a: Any,
    frac: Floats,
    places: list[tuple[int, NDArray[np.int64]]],
    first: int,
    second: int,
    data: Any,
) -> NetworkHop:
    """A hop in our numbering; the graph may place a site in another cell than we do."""
    (start, start_shift), (end, end_shift) = places[first], places[second]
    image = np.asarray(data["to_jimage"]) - end_shift + start_shift
    length_a = float(np.linalg.norm((frac[end] + image - frac[start]) @ lattice_a))
    return NetworkHop(
        label=int(data["hop_label"]), start=start, end=end, image=(int(image[0]), int(image[1]), int(image[2])),
        length_a=length_a,
    )  # fmt: skip


def _passes_another(hop: NetworkHop, frac: Floats, lattice_a: Any) -> bool:
    start, step_a = frac[hop.start], (frac[hop.end] + hop.image - frac[hop.start]) @ lattice_a
    cells = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    others = ((frac[:, None] + cells[None]).reshape(-1, 3) - start) @ lattice_a
    share = (others @ step_a) / (step_a @ step_a)
    away_a = np.linalg.norm(others - share[:, None] * step_a, axis=1)
    return bool(((share > 0.1) & (share < 0.9) & (away_a < _PASSES_A)).any())


def reach(network: Network, barriers_ev: Mapping[int, float]) -> dict[int, float | None]:
    """Return the lowest barrier at which hops connect sites without end in one, two and three dimensions.

    `barriers_ev`: of each label; hops without one stay shut. None where even all open hops do not connect so far.
    """
    from pymatgen.analysis.dimensionality import get_structure_components
    from pymatgen.core import Structure
    from pymatgen.core.graphs import StructureGraph

    sites = Structure(network.lattice_a, ["H"] * len(network.frac), network.frac)
    graph = StructureGraph.from_empty_graph(sites, name="hops")
    answer: dict[int, float | None] = dict.fromkeys(DIMENSIONS)
    for barrier_ev in sorted(set(barriers_ev.values())):
        for hop in network.hops:
            if barriers_ev.get(hop.label) == barrier_ev:
                graph.add_edge(hop.start, hop.end, to_jimage=hop.image, warn_duplicates=False)
        dimension = max(int(part["dimensionality"]) for part in get_structure_components(graph))
        for reached in DIMENSIONS[:dimension]:
            if answer[reached] is None:
                answer[reached] = barrier_ev
    return answer


def limit(network: Network, barriers_ev: Mapping[int, float]) -> float:
    """Return the barrier above which no other hop changes what `reach` says, infinite where any may.

    The hops known must connect sites in as many dimensions as all hops together; then only lower ones help.
    """
    possible = reach(network, {hop.label: 0.0 for hop in network.hops})
    known = reach(network, barriers_ev)
    far = max((dimension for dimension in DIMENSIONS if possible[dimension] is not None), default=1)
    barrier_ev = known[far]
    return float("inf") if barrier_ev is None else barrier_ev
