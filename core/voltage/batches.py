"""Graphs as a few big tensors, and batches of them by index arithmetic: no work an item in Python."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import NoWorkingIonError
from core.graphs import TIE_A, CrystalGraph, GraphStore, atomic_numbers

_SAME_LENGTH_A = 2e-6
"""Lengths of one graph closer than this, which is rounding, count as one where atoms or edges are merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphBatch:
    """Graphs joined into one disconnected graph.

    `atomic_numbers`, `graph_of_atom`: (n_atoms,) int64. `ion_weights`, `atom_weights`: (n_atoms,) share of an
    atom in the mean over the working ions, over all atoms; each adds up to one in a graph. `edge_index`: (2,
    n_edges) neighbour -> atom, in order of the atom. `lengths_a`: (n_lengths,) the lengths that occur,
    angstrom. `edge_lengths`, `edge_counts`: (n_edges,) the row of an edge's length, and how many edges it
    stands for.
    """

    n_graphs: int
    atomic_numbers: Tensor
    graph_of_atom: Tensor
    ion_weights: Tensor
    atom_weights: Tensor
    edge_index: Tensor
    lengths_a: Tensor
    edge_lengths: Tensor
    edge_counts: Tensor

    @property
    def distances_a(self) -> Tensor:
        """(n_edges,) length of each edge, angstrom."""
        return self.lengths_a[self.edge_lengths]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphTable:
    """All graphs of a data set with their working ions, ready to be cut into batches.

    Atoms `atom_start[g]:atom_start[g + 1]` belong to graph g, edges and lengths likewise; `atoms`, `neighbours`
    and `edge_lengths` count within the graph. `edge_counts`: how many edges each stands for.
    """

    atom_start: Tensor
    edge_start: Tensor
    length_start: Tensor
    atomic_numbers: Tensor
    ion_weights: Tensor
    atom_weights: Tensor
    atoms: Tensor
    neighbours: Tensor
    edge_lengths: Tensor
    edge_counts: Tensor
    lengths_a: Tensor

    def __len__(self) -> int:
        return len(self.atom_start) - 1

    @classmethod
    def from_graphs(
        cls,
        graphs: Sequence[CrystalGraph] | GraphStore,
        working_ions: Sequence[str],
        *,
        merge_equivalent: bool = False,
        merge_alike: bool = False,
        merge_edges: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> "GraphTable":
        """Return the table of graphs and their working ions.

        With `merge_equivalent` atoms of one environment stand as one, weighted by their number: the same
        network output from about half the atoms, but where a tie of the twelfth neighbour is cut otherwise for
        one of them. With `merge_alike` only those whose very edges agree stand as one, two thirds of the atoms,
        and the output stays to 1e-5 V. With `merge_edges` edges of one length from one atom to neighbours that
        are one stand as one too, for networks that heed `edge_counts`. Raises `NoWorkingIonError`.
        """
        parts = []
        for index, ion_number in enumerate(atomic_numbers(working_ions)):
            graph = graphs[index]
            if not (graph.atomic_numbers == ion_number).any():
                raise NoWorkingIonError(graph.id, working_ions[index])
            classes = graph.environments if merge_equivalent else alike(graph) if merge_alike else None
            nodes, edges = _part(graph, int(ion_number), classes)
            parts.append((*nodes, *(_merged if merge_edges else _as_they_are)(*edges)))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        numbers, ion_weights, atom_weights, atoms, neighbours, edge_lengths, counts, lengths = columns
        return cls(
            atom_start=_starts([len(part[0]) for part in parts]),
            edge_start=_starts([len(part[3]) for part in parts]),
            length_start=_starts([len(part[7]) for part in parts]),
            atomic_numbers=torch.as_tensor(numbers, dtype=torch.int64),
            ion_weights=torch.as_tensor(ion_weights, dtype=dtype),
            atom_weights=torch.as_tensor(atom_weights, dtype=dtype),
            atoms=torch.as_tensor(atoms, dtype=torch.int64),
            neighbours=torch.as_tensor(neighbours, dtype=torch.int64),
            edge_lengths=torch.as_tensor(edge_lengths, dtype=torch.int64),
            edge_counts=torch.as_tensor(counts, dtype=dtype),
            lengths_a=torch.as_tensor(lengths, dtype=dtype),
        )

    def batch(self, graphs: Tensor) -> GraphBatch:
        """Return the batch of the given graph indices, in their order."""
        atom_rows, n_atoms = _rows(self.atom_start, graphs)
        edge_rows, n_edges = _rows(self.edge_start, graphs)
        length_rows, n_lengths = _rows(self.length_start, graphs)
        first_atom = torch.repeat_interleave(torch.cumsum(n_atoms, 0) - n_atoms, n_edges)
        first_length = torch.repeat_interleave(torch.cumsum(n_lengths, 0) - n_lengths, n_edges)
        pairs = torch.stack([self.neighbours[edge_rows], self.atoms[edge_rows]])
        return GraphBatch(
            n_graphs=len(graphs),
            atomic_numbers=self.atomic_numbers[atom_rows],
            graph_of_atom=torch.repeat_interleave(torch.arange(len(graphs)), n_atoms),
            ion_weights=self.ion_weights[atom_rows],
            atom_weights=self.atom_weights[atom_rows],
            edge_index=pairs + first_atom,
            lengths_a=self.lengths_a[length_rows],
            edge_lengths=self.edge_lengths[edge_rows] + first_length,
            edge_counts=self.edge_counts[edge_rows],
        )


Arrays = tuple[NDArray, ...]


def _part(graph: CrystalGraph, ion_number: int, classes: NDArray | None) -> tuple[Arrays, Arrays]:
    numbers: NDArray = graph.atomic_numbers
    atoms: NDArray = graph.atoms
    neighbours: NDArray = graph.neighbours
    distances = graph.distances_a
    counts: NDArray = np.ones(graph.n_atoms)
    if classes is not None:  # numbered from 0 without gaps: a class is its own index
        _, first, counts = np.unique(classes, return_index=True, return_counts=True)
        kept = np.isin(atoms, first)
        numbers = numbers[first]
        atoms, neighbours, distances = classes[atoms[kept]], classes[neighbours[kept]], distances[kept]
    ion_counts = counts * (numbers == ion_number)
    nodes = (numbers, ion_counts / ion_counts.sum(), counts / counts.sum())
    return nodes, (atoms, neighbours, distances)


def alike(graph: CrystalGraph) -> NDArray[np.int64]:
    """Return the (n_atoms,) class of each atom: equal where edges of equal lengths lead to atoms of equal classes.

    Classes of environments are split until nothing changes; which edges an atom has is told by the sum of a
    64-bit hash of each, so that their order does not matter.
    """
    classes, n_classes = graph.environments.astype(np.int64), 0
    lengths = _length_rows(graph.distances_a) * graph.n_atoms
    while (found := int(classes.max()) + 1) not in (n_classes, graph.n_atoms):
        n_classes = found
        running = np.append(np.uint64(0), np.cumsum(_hashed(lengths + classes[graph.neighbours])))
        keys = np.diff(running[graph.edge_start]) + _hashed(-1 - classes)
        classes = np.unique(keys, return_inverse=True)[1]
    return classes


def _hashed(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The values scattered over 64 bits (splitmix64)."""
    mixed = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _length_rows(lengths: NDArray) -> NDArray[np.int64]:
    """Number the lengths by size; those that differ by rounding alone share a number."""
    rising = np.argsort(lengths)
    rows = np.empty(len(lengths), dtype=np.int64)
    rows[rising] = np.cumsum(np.append(0, np.diff(lengths[rising]) > _SAME_LENGTH_A)[: len(lengths)])
    return rows


def _as_they_are(atoms: NDArray, neighbours: NDArray, distances: NDArray) -> Arrays:
    order = np.argsort(atoms, kind="stable")
    return atoms[order], neighbours[order], np.arange(len(atoms)), np.ones(len(atoms)), distances[order]


def _merged(atoms: NDArray, neighbours: NDArray, distances: NDArray) -> Arrays:
    """Atoms, neighbours, rows of lengths and numbers of the edges that differ; the lengths, each a mean."""
    order = np.lexsort((distances, neighbours, atoms))
    atoms, neighbours, distances = atoms[order], neighbours[order], distances[order]
    new = (np.diff(atoms) != 0) | (np.diff(neighbours) != 0) | (np.diff(distances) > TIE_A)
    first = np.flatnonzero(np.append(True, new)[: len(atoms)])
    counts = np.diff(np.append(first, len(atoms)))
    means = np.bincount(np.repeat(np.arange(len(first)), counts), weights=distances) / counts
    rows = _length_rows(means)
    lengths = np.bincount(rows, weights=means * counts) / np.bincount(rows, weights=counts)
    return atoms[first], neighbours[first], rows, counts, lengths


def _starts(lengths: Sequence[int]) -> Tensor:
    return torch.as_tensor(np.concatenate([[0], np.cumsum(lengths)]), dtype=torch.int64)


def _rows(starts: Tensor, graphs: Tensor) -> tuple[Tensor, Tensor]:
    first = starts[graphs]
    lengths = starts[graphs + 1] - first
    before = torch.cumsum(lengths, 0) - lengths
    return torch.arange(int(lengths.sum())) + torch.repeat_interleave(first - before, lengths), lengths
