"""The atoms and edges of many graphs in one row, and those that a network cannot tell apart standing as one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.graphs import TIE_A, GraphStore

SAME_LENGTH_A = 2e-6
"""Lengths of one graph closer than this, which is rounding, count as one where atoms or edges are merged."""

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Atoms:
    """Atoms of all graphs, each (n_atoms,), by graph: graph, atomic number, how many atoms each stands for."""

    graphs: Integers
    numbers: Integers
    counts: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Edges of all graphs, each (n_edges,), by atom: atom and neighbour among all atoms, length in angstrom."""

    atoms: Integers
    neighbours: Integers
    distances_a: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedEdges:
    """Edges that differ, each (n_edges,): `rows` of their lengths, `counts` how many edges each stands for.

    `lengths_a`, `length_graphs`: (n_lengths,) the lengths and the graph of each, by graph.
    """

    atoms: Integers
    neighbours: Integers
    rows: Integers
    counts: Integers
    lengths_a: Floats
    length_graphs: Integers


def joined(store: GraphStore) -> tuple[Atoms, Edges]:
    """Return the atoms and edges of all graphs as they are."""
    graphs = np.repeat(np.arange(len(store)), np.diff(store.atom_start))
    degrees = np.diff(store.edge_start)
    atoms = Atoms(
        graphs=graphs,
        numbers=store.atomic_numbers.astype(np.int64),
        counts=np.ones(len(graphs), dtype=np.int64),
    )
    return atoms, Edges(
        atoms=np.repeat(np.arange(len(graphs)), degrees),
        neighbours=store.neighbours.astype(np.int64) + np.repeat(store.atom_start[graphs], degrees),
        distances_a=store.distances_a.astype(np.float64),
    )


def environments(store: GraphStore, atoms: Atoms) -> Integers:
    """Return the (n_atoms,) class of each atom by its surroundings, different from graph to graph."""
    return store.environments + store.atom_start[atoms.graphs]


def alike(store: GraphStore, atoms: Atoms, edges: Edges) -> Integers:
    """Return the (n_atoms,) class of each atom: equal where edges of equal lengths lead to atoms of equal classes.

    Classes of environments are split until nothing changes; which edges an atom has is told by the sum of a 64-bit hash
    of each, so that their order does not matter.
    """
    classes = np.unique(environments(store, atoms), return_inverse=True)[1]
    lengths = _length_rows(atoms.graphs[edges.atoms], edges.distances_a) * len(classes)
    n_classes = 0
    while (found := int(classes.max()) + 1) != n_classes:
        n_classes = found
        running = np.append(np.uint64(0), np.cumsum(_hashed(lengths + classes[edges.neighbours])))
        keys = np.diff(running[store.edge_start]) + _hashed(-1 - classes)
        classes = np.unique(keys, return_inverse=True)[1]
    return classes


def merge_atoms(atoms: Atoms, edges: Edges, classes: Integers) -> tuple[Atoms, Edges]:
    """Return the first atom of each class, with the number of its like, and the edges that end at those."""
    _, first, members, counts = np.unique(classes, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    standing_for = np.argsort(order)[members]
    kept = np.isin(edges.atoms, first)
    merged = Atoms(
        graphs=atoms.graphs[first[order]], numbers=atoms.numbers[first[order]], counts=counts[order]
    )
    return merged, Edges(
        atoms=standing_for[edges.atoms[kept]],
        neighbours=standing_for[edges.neighbours[kept]],
        distances_a=edges.distances_a[kept],
    )


def merge_edges(atoms: Atoms, edges: Edges) -> MergedEdges:
    """Return the edges with those of one length, to the tie tolerance, between the same two atoms as one.

    A length is the mean over its edges.
    """
    pairs = edges.atoms * len(atoms.graphs) + edges.neighbours
    order = np.lexsort((edges.distances_a, pairs))
    pairs, distances = pairs[order], edges.distances_a[order]
    new = (np.diff(pairs) != 0) | (np.diff(distances) > TIE_A)
    first = np.flatnonzero(np.append(True, new)[: len(pairs)])
    counts = np.diff(np.append(first, len(pairs)))
    means = np.bincount(np.repeat(np.arange(len(first)), counts), weights=distances) / counts
    ends = edges.atoms[order][first]
    rows = _length_rows(atoms.graphs[ends], means)
    lengths = np.bincount(rows, weights=means * counts) / np.bincount(rows, weights=counts)
    length_graphs = np.zeros(len(lengths), dtype=np.int64)
    length_graphs[rows] = atoms.graphs[ends]
    return MergedEdges(
        atoms=ends, neighbours=edges.neighbours[order][first], rows=rows, counts=counts, lengths_a=lengths,
        length_graphs=length_graphs,
    )  # fmt: skip


def unmerged_edges(atoms: Atoms, edges: Edges) -> MergedEdges:
    """Return the edges as they are, each with a length of its own."""
    each = np.arange(len(edges.atoms))
    return MergedEdges(
        atoms=edges.atoms, neighbours=edges.neighbours, rows=each, counts=np.ones_like(each),
        lengths_a=edges.distances_a, length_graphs=atoms.graphs[edges.atoms],
    )  # fmt: skip


def _length_rows(graphs: Integers, lengths: Floats) -> Integers:
    """Number the lengths by graph and size; those of a graph that differ by rounding alone share a number."""
    rising = np.lexsort((lengths, graphs))
    new = (np.diff(graphs[rising]) != 0) | (np.diff(lengths[rising]) > SAME_LENGTH_A)
    rows = np.empty(len(lengths), dtype=np.int64)
    rows[rising] = np.cumsum(np.append(0, new)[: len(lengths)])
    return rows


def _hashed(values: Integers) -> NDArray[np.uint64]:
    """The values scattered over 64 bits (splitmix64)."""
    mixed = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
