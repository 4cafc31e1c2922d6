"""Crystal graphs: each atom joined to its nearest periodic neighbours, as compact arrays that are built once.

The rule is that of the original CGCNN code (Xie and Grossman, 2018, doi:10.1103/PhysRevLett.120.145301): all
periodic images within a cutoff, sorted by distance, the first twelve kept. That code leaves a tie at the
twelfth place to the order of the input. Here a tie goes by what the neighbour is, then by what surrounds it,
so that a supercell, a rotated, shifted or relabelled copy of a crystal gives the same graph.

An atom with fewer neighbours within the cutoff keeps those it has; an atom with none keeps no edge
(`isolated`).
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from vesin import NeighborList

from core.artifacts import replacing
from core.errors import StructureError
from core.records import Crystal, Skipped

CUTOFF_A: Final = 8.0
MAX_NEIGHBOURS: Final = 12
TIE_A: Final = 1e-4
"""Distances closer than this count as equal: above the rounding of structure files, below any bond
difference."""

_ATOMIC_NUMBERS: Final[dict[str, int]] = {}
_EDGE_OF_CUTOFF_A = 1e-6
_FINGERPRINT_TIE = 1e-4
_FINGERPRINT_ROUNDS = 3
_FIRST_GUESS_NEIGHBOURS = 40
_RULE_VERSION = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class CrystalGraph:
    """A crystal as nodes and directed edges neighbour -> atom, edges sorted by atom.

    `atomic_numbers`: (n_atoms,) int16. `edge_start`: (n_atoms + 1,) int32, the edges of atom i are
    `edge_start[i]:edge_start[i + 1]`. `neighbours`: (n_edges,) int32 atom index. `distances_a`: (n_edges,)
    float32, angstrom, rising within each atom. `environments`: (n_atoms,) int32, equal for atoms whose
    surroundings agree.
    """

    id: str
    atomic_numbers: NDArray[np.int16]
    edge_start: NDArray[np.int32]
    neighbours: NDArray[np.int32]
    distances_a: NDArray[np.float32]
    environments: NDArray[np.int32]

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return len(self.atomic_numbers)

    @cached_property
    def atoms(self) -> NDArray[np.int64]:
        """(n_edges,) the atom at which each edge ends."""
        return np.repeat(np.arange(self.n_atoms), np.diff(self.edge_start))

    @cached_property
    def isolated(self) -> NDArray[np.bool_]:
        """(n_atoms,) whether an atom has no neighbour within the cutoff."""
        isolated: NDArray[np.bool_] = np.diff(self.edge_start) == 0
        return isolated


def atomic_numbers(species: Sequence[str]) -> NDArray[np.int16]:
    """Return the atomic numbers of element symbols; an unknown symbol is a `StructureError`."""
    if not _ATOMIC_NUMBERS:
        from ase.data import atomic_numbers as by_symbol

        _ATOMIC_NUMBERS.update({symbol: number for symbol, number in by_symbol.items() if number > 0})
    try:
        return np.array([_ATOMIC_NUMBERS[symbol] for symbol in species], dtype=np.int16)
    except KeyError as error:
        raise StructureError(f"{error.args[0]!r} is not a chemical element; correct the species.") from None


def build_graph(
    crystal: Crystal, *, cutoff_a: float = CUTOFF_A, max_neighbours: int = MAX_NEIGHBOURS
) -> CrystalGraph:
    """Return the graph of a crystal: at most `max_neighbours` nearest periodic neighbours within `cutoff_a`.

    Distances that agree within `TIE_A` count as equal and are ordered by the neighbour's atomic number, then
    by a fingerprint of its surroundings. Raises `StructureError` for unknown elements, two atoms on one
    place, or limits that are not positive.
    """
    if not (cutoff_a > 0.0 and max_neighbours > 0):
        raise StructureError(f"Cutoff {cutoff_a} angstrom and {max_neighbours} neighbours must be positive.")
    numbers = atomic_numbers(crystal.species)
    atoms, neighbours, distances = _shells(crystal, len(numbers), cutoff_a, max_neighbours)
    if distances.size and distances.min() < 1e-3:
        raise StructureError(
            f"{crystal.id}: two atoms lie on one place ({distances.min():.2g} angstrom apart)."
        )
    level = _levels(atoms, distances)
    environments = _environments(numbers, atoms, neighbours, distances)
    order = np.lexsort((distances, environments[neighbours], numbers[neighbours], level))
    atoms, neighbours, distances = atoms[order], neighbours[order], distances[order]
    kept = _rank(atoms, len(numbers)) < max_neighbours
    atoms, neighbours, distances = atoms[kept], neighbours[kept], distances[kept]
    order = np.lexsort((distances, atoms))
    return CrystalGraph(
        id=crystal.id,
        atomic_numbers=numbers,
        edge_start=_starts(atoms, len(numbers)).astype(np.int32),
        neighbours=neighbours[order].astype(np.int32),
        distances_a=distances[order].astype(np.float32),
        environments=environments.astype(np.int32),
    )


def _shells(
    crystal: Crystal, n_atoms: int, cutoff_a: float, max_neighbours: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Edges of each atom, nearest first, to the end of the tie in which the last kept neighbour lies."""
    guess = max(_FIRST_GUESS_NEIGHBOURS, 3 * max_neighbours)
    radius = float(np.cbrt(guess * crystal.volume_a3 / n_atoms * 3.0 / (4.0 * np.pi)))
    while True:
        radius = min(radius, cutoff_a)
        atoms, neighbours, distances = _pairs_within(crystal, radius + _EDGE_OF_CUTOFF_A)
        starts = _starts(atoms, n_atoms)
        last = starts[:-1] + max_neighbours - 1
        full = last < starts[1:]
        reach = np.where(
            full, distances[np.minimum(last, distances.size - 1)] if distances.size else 0.0, np.inf
        )
        # A tie may go on past the radius searched so far: such atoms call for a wider search.
        if radius >= cutoff_a or reach.max() < radius - 10.0 * TIE_A:
            break
        radius *= 1.35
    level = _levels(atoms, distances)
    last_level = np.where(
        full, level[np.minimum(last, level.size - 1)] if level.size else 0, np.iinfo(np.int64).max
    )
    kept = level <= last_level[atoms]
    return atoms[kept], neighbours[kept], distances[kept]


def _pairs_within(crystal: Crystal, radius_a: float) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    points = crystal.frac @ crystal.lattice_a
    search = NeighborList(cutoff=radius_a, full_list=True, n_threads=1)
    atoms, neighbours, distances = search.compute(
        points=points, box=crystal.lattice_a, periodic=True, quantities="ijd"
    )
    order = np.lexsort((distances, atoms))
    return atoms[order].astype(np.int64), neighbours[order].astype(np.int64), distances[order]


def _starts(atoms: NDArray[Any], n_atoms: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(atoms, minlength=n_atoms))])


def _rank(atoms: NDArray[Any], n_atoms: int) -> NDArray[np.int64]:
    rank: NDArray[np.int64] = np.arange(atoms.size) - _starts(atoms, n_atoms)[atoms]
    return rank


def _levels(atoms: NDArray[Any], distances: NDArray[Any]) -> NDArray[np.int64]:
    """Number each run of equal distances at one atom; numbers rise along the edges, which are sorted."""
    if not atoms.size:
        return np.zeros(0, dtype=np.int64)
    new = (np.diff(distances) > TIE_A) | (np.diff(atoms) != 0)
    return np.concatenate([[0], np.cumsum(new)])


def _environments(
    numbers: NDArray[Any], atoms: NDArray[Any], neighbours: NDArray[Any], distances: NDArray[Any]
) -> NDArray[np.int64]:
    """Class of each atom by element and surroundings, several shells deep; free of labels, axes and cell.

    A smooth colour refinement: s <- sin(1.7 Z) + sum_j exp(-d / 2) sin(1.3 s_j + 0.9 d) over whole shells, so
    that no tie is cut; atoms whose s agree within a tolerance share a class, and classes are numbered by
    rising s.
    """
    own = np.sin(1.7 * numbers)
    state = numbers.astype(float)
    decay = np.exp(-0.5 * distances)
    for _ in range(_FINGERPRINT_ROUNDS):
        terms = decay * np.sin(1.3 * state[neighbours] + 0.9 * distances)
        state = own + np.bincount(atoms, weights=terms, minlength=numbers.size)
    order = np.lexsort((state, numbers))
    new = (np.diff(state[order]) > _FINGERPRINT_TIE) | (np.diff(numbers[order]) != 0)
    classes = np.empty(numbers.size, dtype=np.int64)
    classes[order] = np.concatenate([[0], np.cumsum(new)])
    return classes


@dataclass(frozen=True, kw_only=True, eq=False)
class GraphStore:
    """Many crystal graphs as one set of arrays, saved to a single npz file (no pickles).

    `ids`: (n_graphs,) strings. `atom_start`: (n_graphs + 1,) first atom of each graph. `edge_start`: (n_atoms
    + 1,) first edge of each atom, over all graphs. `atomic_numbers`, `environments`: (n_atoms,).
    `neighbours`: (n_edges,) atom index within its graph. `distances_a`: (n_edges,) angstrom. `key` names the
    crystals and the rule.
    """

    ids: NDArray[np.str_]
    atom_start: NDArray[np.int64]
    edge_start: NDArray[np.int64]
    atomic_numbers: NDArray[np.int16]
    environments: NDArray[np.int32]
    neighbours: NDArray[np.int32]
    distances_a: NDArray[np.float32]
    key: str = ""

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> CrystalGraph:
        first, end = self.atom_start[index], self.atom_start[index + 1]
        edges = slice(self.edge_start[first], self.edge_start[end])
        return CrystalGraph(
            id=str(self.ids[index]),
            atomic_numbers=self.atomic_numbers[first:end],
            edge_start=(self.edge_start[first : end + 1] - self.edge_start[first]).astype(np.int32),
            neighbours=self.neighbours[edges],
            distances_a=self.distances_a[edges],
            environments=self.environments[first:end],
        )

    @classmethod
    def from_graphs(cls, graphs: Sequence[CrystalGraph], *, key: str = "") -> "GraphStore":
        """Return a store that holds the given graphs in order; at least one is needed."""
        if not graphs:
            raise StructureError("A graph store needs at least one graph; none of the structures gave one.")
        degrees = np.concatenate([np.diff(graph.edge_start) for graph in graphs])
        return cls(
            ids=np.array([graph.id for graph in graphs], dtype=np.str_),
            atom_start=np.cumsum([0, *(graph.n_atoms for graph in graphs)]),
            edge_start=np.concatenate([[0], np.cumsum(degrees, dtype=np.int64)]),
            atomic_numbers=np.concatenate([graph.atomic_numbers for graph in graphs]),
            environments=np.concatenate([graph.environments for graph in graphs]),
            neighbours=np.concatenate([graph.neighbours for graph in graphs]),
            distances_a=np.concatenate([graph.distances_a for graph in graphs]),
            key=key,
        )

    @classmethod
    def build(
        cls, crystals: Iterable[Crystal], *, progress: Callable[[int], None] | None = None
    ) -> tuple["GraphStore", list[Skipped]]:
        """Return the graphs of all crystals that have one, and the others with the reason."""
        crystals = list(crystals)
        graphs, skipped = [], []
        for done, crystal in enumerate(crystals, start=1):
            try:
                graphs.append(build_graph(crystal))
            except StructureError as error:
                skipped.append(Skipped(id=crystal.id, reason=str(error)))
            if progress is not None:
                progress(done)
        return cls.from_graphs(graphs, key=graph_key(crystals)), skipped

    @classmethod
    def open_or_build(cls, path: Path, crystals: Sequence[Crystal]) -> "GraphStore":
        """Return the store at `path` if it was built from these very crystals, else build and save it.

        Raises `StructureError` when a crystal has no graph.
        """
        if path.exists():
            store = cls.load(path)
            if store.key == graph_key(crystals):
                return store
        store, skipped = cls.build(crystals)
        if skipped:
            raise StructureError(f"{len(skipped)} structures have no graph; the first: {skipped[0].reason}")
        store.save(path)
        return store

    def save(self, path: Path) -> None:
        """Write the arrays to a compressed npz file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {item.name: np.asarray(getattr(self, item.name)) for item in fields(self)}
        with replacing(path) as partial:
            np.savez_compressed(partial, **arrays)

    @classmethod
    def load(cls, path: Path) -> "GraphStore":
        """Read a store; a file that is absent, damaged or pickled is a `StructureError`."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                values = {item.name: arrays[item.name] for item in fields(cls)}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise StructureError(
                f"{path} is not a readable graph store ({error}); delete it and build anew."
            ) from None
        return cls(**(values | {"key": str(values["key"])}))


def graph_key(crystals: Sequence[Crystal]) -> str:
    """Return a hash of the crystals' contents and of the rule that makes graphs from them."""
    digest = hashlib.sha256(f"{_RULE_VERSION} {CUTOFF_A} {MAX_NEIGHBOURS} {TIE_A}".encode())
    for crystal in crystals:
        digest.update(f"{crystal.id} {' '.join(crystal.species)}".encode())
        digest.update(np.ascontiguousarray(crystal.lattice_a).tobytes())
        digest.update(np.ascontiguousarray(crystal.frac).tobytes())
    return digest.hexdigest()
