"""The smallest cell of a crystal, with all its symmetry and no thin angles, and the k points that it needs."""

import math
from dataclasses import replace
from typing import Any, Final

import numpy as np
import spglib
from numpy.typing import NDArray

from core.errors import StructureError
from core.records import Crystal, FloatArray

SYMPRECS_A: Final = (0.1, 0.05, 0.02, 0.01, 0.001)
MAX_SHIFT_A: Final = 0.02
"""Standardising may move no atom further than this: a real distortion is not symmetry that was lost in rounding."""

_MAX_STRAIN: Final = 0.005


def primitive(crystal: Crystal) -> Crystal:
    """Return the standardised primitive cell, Niggli-reduced.

    The widest tolerance of `SYMPRECS_A` is taken whose idealised cell has no atom moved by more than `MAX_SHIFT_A`;
    where none fits, the crystal's own cell is reduced. Thin rhombohedral cells need the reduction: their k points would
    crowd along one direction. Sites come in another order. Raises `StructureError` where there is no reduced cell.
    """
    cell = _cell(crystal)
    for symprec in SYMPRECS_A:
        ideal: Any = spglib.standardize_cell(cell, to_primitive=True, symprec=symprec)
        found: Any = spglib.standardize_cell(cell, to_primitive=True, no_idealize=True, symprec=symprec)
        if ideal is not None and found is not None and _shift_a(ideal, found) <= MAX_SHIFT_A:
            return _reduced(crystal, *ideal)
    return _reduced(crystal, *cell)


def k_points(crystal: Crystal, spacing_per_a: float) -> tuple[int, int, int]:
    """Return the numbers of k points along the reciprocal vectors b: ceil(|b| / spacing), b with 2 pi."""
    lengths = 2 * math.pi * np.linalg.norm(np.linalg.inv(crystal.lattice_a), axis=0)
    a, b, c = (max(1, math.ceil(length / spacing_per_a - 1e-6)) for length in lengths)
    return a, b, c


def n_irreducible(crystal: Crystal, grid: tuple[int, int, int], symprec: float = 1e-4) -> int:
    """Return how many of the k points of a grid through the origin symmetry and time reversal leave."""
    cell = _cell(crystal)
    mapping, _ = spglib.get_ir_reciprocal_mesh(grid, cell, is_shift=(0, 0, 0), symprec=symprec)
    return len(np.unique(mapping))


def _cell(crystal: Crystal) -> Any:
    """A crystal as spglib takes it: lattice vectors, fractions, atomic numbers."""
    from ase.data import atomic_numbers

    return crystal.lattice_a, crystal.frac, [atomic_numbers[symbol] for symbol in crystal.species]


def _shift_a(ideal: Any, found: Any) -> float:
    """The furthest that idealising moves an atom; infinite where the cell is strained by more than a trace."""
    if len(ideal[2]) != len(found[2]) or list(ideal[2]) != list(found[2]):
        return math.inf
    metric, before = ideal[0] @ ideal[0].T, found[0] @ found[0].T
    if np.abs(metric - before).max() > 2 * _MAX_STRAIN * np.abs(before).max():
        return math.inf
    moved = ideal[1] - found[1]
    moved -= np.round(moved)
    moved -= moved.mean(axis=0)
    return float(np.linalg.norm(moved @ ideal[0], axis=1).max())


def _reduced(crystal: Crystal, lattice_a: FloatArray, frac: FloatArray, numbers: NDArray[np.int_]) -> Crystal:
    from ase.data import chemical_symbols

    lattice_a = np.asarray(lattice_a, dtype=float)
    reduced = spglib.niggli_reduce(lattice_a, eps=1e-5)
    if reduced is None:
        raise StructureError(
            f"{crystal.id}: its cell cannot be reduced (volume {crystal.volume_a3:.3g} cubic angstrom, "
            f"{crystal.n_sites} sites); give a standardised cell."
        )
    inside = (np.asarray(frac) @ lattice_a @ np.linalg.inv(reduced)) % 1.0
    species = tuple(chemical_symbols[number] for number in numbers)
    return replace(crystal, lattice_a=np.asarray(reduced), frac=inside, species=species, spacegroup=None)
