"""The most nearly cubic supercell of a size, by a search over all integer matrices in Hermite normal form."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import DynamicsError
from core.records import FloatArray

IntMatrix = NDArray[np.int64]

EXHAUSTIVE_CELLS: Final = 40
"""Up to so many unit cells every sublattice is looked at; larger ones are whole multiples of the best of these."""

_MAX_ROUNDS = 60
_SAME = 6
"""Decimals to which two shapes are equal: then the smaller cell wins, and rounding errors do not choose."""


def find_supercell(lattice_a: FloatArray, n_sites: int, *, min_atoms: int, max_atoms: int) -> IntMatrix:
    """Return the (3, 3) integer matrix P whose supercell P @ lattice_a is most nearly cubic, det P > 0.

    `lattice_a`: (3, 3) rows, angstrom; the supercell holds `min_atoms` to `max_atoms`, or where no multiple of
    `n_sites` lies between, the least above. Shapes are compared by |G / V^(2/3) - 1|, G the metric tensor of the
    reduced vectors, which is 0 for a cube. Deterministic. Raises `DynamicsError` for numbers without sense.
    """
    if n_sites < 1 or not 1 <= min_atoms <= max_atoms:
        raise DynamicsError(
            f"{n_sites} sites, {min_atoms} to {max_atoms} atoms: positive numbers in order are needed."
        )
    fewest = math.ceil(min_atoms / n_sites)
    most = max(max_atoms // n_sites, fewest)
    if most <= EXHAUSTIVE_CELLS:
        found = [_best_of(lattice_a, n_cells) for n_cells in range(fewest, most + 1)]
    else:
        found = _multiples(lattice_a, fewest, most)
    return min(found, key=lambda item: (round(item[0], _SAME), _n_cells(item[1])))[1]


def height_a(cell_a: FloatArray) -> float:
    """Return the smallest distance between opposite faces of a cell, angstrom."""
    return float(1.0 / np.linalg.norm(np.linalg.inv(cell_a), axis=0).max())


def _n_cells(matrix: IntMatrix) -> int:
    return round(float(abs(np.linalg.det(matrix))))


def _best_of(lattice_a: FloatArray, n_cells: int) -> tuple[float, IntMatrix]:
    """Return shape score and matrix of the best sublattice of index `n_cells`."""
    matrices = _reduced(_hermite_normal_forms(n_cells), lattice_a)
    scores = _scores(_cells(matrices, lattice_a))
    best = int(np.round(scores, _SAME).argmin())
    return float(scores[best]), _right_handed(matrices[best])


def _multiples(lattice_a: FloatArray, fewest: int, most: int) -> list[tuple[float, IntMatrix]]:
    """Return the best whole multiples, by each axis, of the best small sublattices."""
    found = []
    for n_cells in range(1, EXHAUSTIVE_CELLS + 1):
        base = _best_of(lattice_a, n_cells)[1]
        times = _triples(math.ceil(fewest / n_cells), most // n_cells)
        if not len(times):
            continue
        matrices = times[:, :, None] * base
        scores = _scores(_cells(matrices, lattice_a))
        products = times.prod(axis=1)
        best = np.lexsort((products, np.round(scores, _SAME)))[0]
        found.append((float(scores[best]), matrices[best]))
    return found


def _cells(matrices: IntMatrix, lattice_a: FloatArray) -> FloatArray:
    """Return (m, 3, 3) lattice vectors."""
    return (matrices.reshape(-1, 3) @ lattice_a).reshape(-1, 3, 3)


def _triples(low: int, high: int) -> IntMatrix:
    """Return all (m, 3) positive integers whose product lies from low to high."""
    found = [
        (first, second, third)
        for first in range(1, high + 1)
        for second in range(1, high // first + 1)
        for third in range(-(-low // (first * second)), high // (first * second) + 1)
        if third > 0
    ]
    return np.array(found, dtype=np.int64).reshape(-1, 3)


def _hermite_normal_forms(index: int) -> IntMatrix:
    """Return all (m, 3, 3) lower triangular forms of a determinant: one for each sublattice of that index."""
    found = []
    for first in (item for item in range(1, index + 1) if index % item == 0):
        rest = index // first
        for second in (item for item in range(1, rest + 1) if rest % item == 0):
            third = rest // second
            b, d, e = np.meshgrid(np.arange(first), np.arange(first), np.arange(second), indexing="ij")
            forms = np.zeros((b.size, 3, 3), dtype=np.int64)
            forms[:, 0, 0], forms[:, 1, 1], forms[:, 2, 2] = first, second, third
            forms[:, 1, 0], forms[:, 2, 0], forms[:, 2, 1] = b.ravel(), d.ravel(), e.ravel()
            found.append(forms)
    return np.concatenate(found)


def _reduced(matrices: IntMatrix, lattice_a: FloatArray) -> IntMatrix:
    """Return the same sublattices by short, nearly orthogonal vectors: pairs reduced until nothing changes."""
    # rows first: long contiguous arrays make this ten times faster than stacks of small matrices
    current = np.ascontiguousarray(matrices.transpose(1, 2, 0))
    vectors_a = np.einsum("ijm,jx->ixm", current, lattice_a)
    for _ in range(_MAX_ROUNDS):
        changed = False
        for row, other in ((0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)):
            overlap = (vectors_a[row] * vectors_a[other]).sum(axis=0) / (vectors_a[other] ** 2).sum(axis=0)
            # a little less than rounding: a vector that is exactly halfway would go back and forth for ever
            times = np.sign(overlap) * np.floor(np.abs(overlap) + 0.5 - 1e-6)
            if times.any():
                changed = True
                current[row] -= times.astype(np.int64) * current[other]
                vectors_a[row] -= times * vectors_a[other]
        if not changed:
            break
    return np.ascontiguousarray(current.transpose(2, 0, 1))


def _scores(cells_a: FloatArray) -> FloatArray:
    """Return |G / V^(2/3) - 1| of each cell."""
    pairs = {(i, j): (cells_a[:, i] * cells_a[:, j]).sum(axis=1) for i in range(3) for j in range(i, 3)}
    edge2 = np.abs(np.linalg.det(cells_a)) ** (2 / 3)
    scores: FloatArray = np.sqrt(
        sum((value / edge2 - (i == j)) ** 2 * (1 if i == j else 2) for (i, j), value in pairs.items())
    )
    return scores


def _right_handed(matrix: IntMatrix) -> IntMatrix:
    return -matrix if np.linalg.det(matrix) < 0 else matrix
