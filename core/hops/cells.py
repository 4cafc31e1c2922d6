"""Cells to work a hop out in, at both ends of discharge: a vacancy in the full host, an ion in the empty one."""

from itertools import product
from typing import Any, Final, Literal

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from core.errors import BarrierError
from core.hops.network import Network, NetworkHop
from core.hops.scan import Hop
from core.records import Crystal

End = Literal["full", "empty"]
ENDS: Final[tuple[End, ...]] = ("full", "empty")

MIN_LENGTH_A: Final = 8.0
"""Between a moving ion and its images, as in the cells of the literature (spinels: the cubic one of 56 atoms)."""

MAX_ATOMS: Final = 200

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def supercell(lattice_a: Any, n_atoms: int, *, min_length_a: float = MIN_LENGTH_A) -> Integers:
    """Return (3, 3) whole numbers M of the smallest cell M @ lattice whose shortest vector has `min_length_a`.

    All cells of one size are looked at (Hermite normal forms), the roundest is taken. Raises `BarrierError` where it
    would hold more than `MAX_ATOMS` atoms.
    """
    for size in range(1, MAX_ATOMS // n_atoms + 1):
        found = [(_shortest_a(matrix @ lattice_a), matrix) for matrix in _hermite(size)]
        length_a, best = max(found, key=lambda it: round(it[0], 3))
        if length_a >= min_length_a:
            return best
    raise BarrierError(
        f"No cell of up to {MAX_ATOMS} atoms keeps an ion {min_length_a:g} angstrom from its images; the crystal's own "
        f"holds {n_atoms}."
    )


def _hermite(size: int) -> list[Integers]:
    return [
        np.array([[a, b, c], [0, d, e], [0, 0, f]])
        for a in range(1, size + 1)
        if size % a == 0
        for d in range(1, size // a + 1)
        if (size // a) % d == 0
        for f in [size // a // d]
        for b in range(d)
        for c in range(f)
        for e in range(f)
    ]


def _shortest_a(lattice_a: Floats) -> float:
    from pymatgen.core import Lattice

    reduced = Lattice(lattice_a).get_lll_reduced_lattice().matrix
    steps = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return float(np.linalg.norm(steps[np.any(steps != 0, axis=1)] @ reduced, axis=1).min())


def hop_cell(host: Crystal, ion: str, network: Network, hop: NetworkHop, end: End) -> Hop:
    """Return a hop in a repeated cell of a host, which is relaxed at that end of discharge.

    At the full end all sites of the crystal's ions hold one but the two of the hop, which share one; at the empty end
    there is no other ion. Raises `BarrierError` for a void at the full end, and for a cell that is too large.
    """
    if end == "full" and max(hop.start, hop.end) >= network.n_ions:
        raise BarrierError("At the full end an ion has no void to go to: its own sites are taken.")
    lattice_a = np.asarray(host.lattice_a)
    is_host = np.array([it != ion for it in host.species])
    places, symbols = np.asarray(host.frac)[is_host], np.asarray(host.species)[is_host].tolist()
    matrix = supercell(lattice_a, len(places) + network.n_ions)
    cell_a = matrix @ lattice_a
    cells = _cells_within(matrix)
    frac = (places[None] + cells[:, None]).reshape(-1, 3)
    species = symbols * len(cells)
    start, goal = network.frac[hop.start], network.frac[hop.end] + hop.image
    if end == "full":
        ions = (network.frac[None, : network.n_ions] + cells[:, None]).reshape(-1, 3)
        taken = _same(ions, start, matrix) | _same(ions, goal, matrix)
        frac, species = np.vstack([frac, ions[~taken]]), species + [ion] * int((~taken).sum())
    atoms = Atoms([*species, ion], positions=np.vstack([frac, start]) @ lattice_a, cell=cell_a, pbc=True)
    return Hop(id=f"{host.id} hop {hop.label}, {end}", atoms=atoms, step_a=(goal - start) @ lattice_a)


def _cells_within(matrix: Integers) -> Integers:
    """Return (det, 3) the cells of the crystal that lie in one cell of `matrix`, a Hermite normal form."""
    return np.array(list(product(*[range(int(n)) for n in np.diag(matrix)])))


def _same(places: Floats, place: Floats, matrix: Integers) -> NDArray[np.bool_]:
    """(n,) whether places, in units of the crystal's cell, are one with `place` or its images in the larger cell."""
    apart = (places - place) @ np.linalg.inv(matrix)
    return np.asarray((np.abs(apart - np.rint(apart)) < 1e-4).all(axis=1))
