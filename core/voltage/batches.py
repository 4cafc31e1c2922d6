"""Graphs as a few big tensors, and batches of them by index arithmetic: no work an item in Python."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import NoWorkingIonError
from core.graphs import CrystalGraph, GraphStore, atomic_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphBatch:
    """Graphs joined into one disconnected graph.

    `atomic_numbers`, `graph_of_atom`: (n_atoms,) int64. `ion_weights`, `atom_weights`: (n_atoms,) share of an
    atom in the mean over the working ions, over all atoms; each adds up to one in a graph. `edge_index`: (2,
    n_edges) neighbour -> atom. `distances_a`: (n_edges,) angstrom.
    """

    n_graphs: int
    atomic_numbers: Tensor
    graph_of_atom: Tensor
    ion_weights: Tensor
    atom_weights: Tensor
    edge_index: Tensor
    distances_a: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphTable:
    """All graphs of a data set with their working ions, ready to be cut into batches.

    Atoms `atom_start[g]:atom_start[g + 1]` and edges `edge_start[g]:edge_start[g + 1]` belong to graph g;
    `atoms` and `neighbours` count within the graph.
    """

    atom_start: Tensor
    edge_start: Tensor
    atomic_numbers: Tensor
    ion_weights: Tensor
    atom_weights: Tensor
    atoms: Tensor
    neighbours: Tensor
    distances_a: Tensor

    def __len__(self) -> int:
        return len(self.atom_start) - 1

    @classmethod
    def from_graphs(
        cls,
        graphs: Sequence[CrystalGraph] | GraphStore,
        working_ions: Sequence[str],
        *,
        merge_equivalent: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> "GraphTable":
        """Return the table of graphs and their working ions.

        With `merge_equivalent` atoms of one environment stand as one, weighted by their number: the same
        network output (to the tie tolerance) from about half the atoms. Raises `NoWorkingIonError`.
        """
        parts = []
        for index, ion_number in enumerate(atomic_numbers(working_ions)):
            graph = graphs[index]
            if not (graph.atomic_numbers == ion_number).any():
                raise NoWorkingIonError(graph.id, working_ions[index])
            parts.append(_part(graph, int(ion_number), merge_equivalent))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        numbers, ion_weights, atom_weights, atoms, neighbours, distances = columns
        return cls(
            atom_start=_starts([len(part[0]) for part in parts]),
            edge_start=_starts([len(part[3]) for part in parts]),
            atomic_numbers=torch.as_tensor(numbers, dtype=torch.int64),
            ion_weights=torch.as_tensor(ion_weights, dtype=dtype),
            atom_weights=torch.as_tensor(atom_weights, dtype=dtype),
            atoms=torch.as_tensor(atoms, dtype=torch.int64),
            neighbours=torch.as_tensor(neighbours, dtype=torch.int64),
            distances_a=torch.as_tensor(distances, dtype=dtype),
        )

    def batch(self, graphs: Tensor) -> GraphBatch:
        """Return the batch of the given graph indices, in their order."""
        atom_rows, n_atoms = _rows(self.atom_start, graphs)
        edge_rows, n_edges = _rows(self.edge_start, graphs)
        first_atom = torch.repeat_interleave(torch.cumsum(n_atoms, 0) - n_atoms, n_edges)
        pairs = torch.stack([self.neighbours[edge_rows], self.atoms[edge_rows]])
        return GraphBatch(
            n_graphs=len(graphs),
            atomic_numbers=self.atomic_numbers[atom_rows],
            graph_of_atom=torch.repeat_interleave(torch.arange(len(graphs)), n_atoms),
            ion_weights=self.ion_weights[atom_rows],
            atom_weights=self.atom_weights[atom_rows],
            edge_index=pairs + first_atom,
            distances_a=self.distances_a[edge_rows],
        )


def _part(graph: CrystalGraph, ion_number: int, merge_equivalent: bool) -> tuple[NDArray, ...]:
    numbers: NDArray = graph.atomic_numbers
    atoms: NDArray = graph.atoms
    neighbours: NDArray = graph.neighbours
    distances = graph.distances_a
    counts: NDArray = np.ones(graph.n_atoms)
    if merge_equivalent:
        classes: NDArray = graph.environments  # numbered from 0 without gaps: a class is its own index
        _, first, counts = np.unique(classes, return_index=True, return_counts=True)
        kept = np.isin(atoms, first)
        numbers = numbers[first]
        atoms, neighbours, distances = classes[atoms[kept]], classes[neighbours[kept]], distances[kept]
    ion_counts = counts * (numbers == ion_number)
    return numbers, ion_counts / ion_counts.sum(), counts / counts.sum(), atoms, neighbours, distances


def _starts(lengths: Sequence[int]) -> Tensor:
    return torch.as_tensor(np.concatenate([[0], np.cumsum(lengths)]), dtype=torch.int64)


def _rows(starts: Tensor, graphs: Tensor) -> tuple[Tensor, Tensor]:
    first = starts[graphs]
    lengths = starts[graphs + 1] - first
    before = torch.cumsum(lengths, 0) - lengths
    return torch.arange(int(lengths.sum())) + torch.repeat_interleave(first - before, lengths), lengths
