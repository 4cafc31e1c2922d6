"""Graphs as a few big tensors, and batches of them by index arithmetic: no work an item in Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import NoWorkingIonError
from core.graphs import CrystalGraph, GraphStore, atomic_numbers
from core.voltage.kinds.cgcnn.merging import (
    Atoms,
    MergedEdges,
    alike,
    environments,
    joined,
    merge_atoms,
    unmerged_edges,
)
from core.voltage.kinds.cgcnn.merging import merge_edges as with_merged_edges


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
        store = graphs if isinstance(graphs, GraphStore) else GraphStore.from_graphs(graphs)
        atoms, edges = joined(store)
        ions = atomic_numbers(working_ions)
        n_ions = np.bincount(atoms.graphs, weights=atoms.numbers == ions[atoms.graphs])
        if not n_ions.all():
            index = int(np.argmin(n_ions))
            raise NoWorkingIonError(str(store.ids[index]), working_ions[index])
        if merge_equivalent or merge_alike:
            classes = environments(store, atoms) if merge_equivalent else alike(store, atoms, edges)
            atoms, edges = merge_atoms(atoms, edges, classes)
        standing = (with_merged_edges if merge_edges else unmerged_edges)(atoms, edges)
        return cls._of(len(store), atoms, ions, standing, dtype)

    @classmethod
    def _of(
        cls, n_graphs: int, atoms: Atoms, ions: NDArray[Any], edges: MergedEdges, dtype: torch.dtype
    ) -> "GraphTable":
        edge_graphs = atoms.graphs[edges.atoms]
        atom_start, edge_start, length_start = (
            np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=n_graphs))])
            for owners in (atoms.graphs, edge_graphs, edges.length_graphs)
        )
        return cls(
            atom_start=torch.as_tensor(atom_start),
            edge_start=torch.as_tensor(edge_start),
            length_start=torch.as_tensor(length_start),
            atomic_numbers=torch.as_tensor(atoms.numbers),
            ion_weights=torch.as_tensor(_shares(atoms, atoms.numbers == ions[atoms.graphs]), dtype=dtype),
            atom_weights=torch.as_tensor(_shares(atoms, np.ones(len(atoms.graphs))), dtype=dtype),
            atoms=torch.as_tensor(edges.atoms - atom_start[edge_graphs]),
            neighbours=torch.as_tensor(edges.neighbours - atom_start[edge_graphs]),
            edge_lengths=torch.as_tensor(edges.rows - length_start[edge_graphs]),
            edge_counts=torch.as_tensor(edges.counts, dtype=dtype),
            lengths_a=torch.as_tensor(edges.lengths_a, dtype=dtype),
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


def _shares(atoms: Atoms, chosen: NDArray[Any]) -> NDArray[np.float64]:
    """The share of each chosen atom among those of its graph."""
    counts = atoms.counts * chosen
    return np.asarray(counts / np.bincount(atoms.graphs, weights=counts)[atoms.graphs], dtype=np.float64)


def _rows(starts: Tensor, graphs: Tensor) -> tuple[Tensor, Tensor]:
    first = starts[graphs]
    lengths = starts[graphs + 1] - first
    before = torch.cumsum(lengths, 0) - lengths
    return torch.arange(int(lengths.sum())) + torch.repeat_interleave(first - before, lengths), lengths
