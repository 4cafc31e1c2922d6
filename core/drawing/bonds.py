"""Which atoms of a moving framework are drawn joined: those that were neighbours in the first frame."""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Final

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii
from ase.neighborlist import neighbor_list
from pymatgen.core import Element

from core.records import FloatArray

STRETCH: Final = 1.15
"""Atoms are neighbours up to this factor of the sum of their covalent radii (doi:10.1039/B801115J)."""


def framework_bonds(
    species: Sequence[str], cell_a: FloatArray, positions_a: FloatArray, working_ion: str
) -> list[list[int]]:
    """Return the bonds of one frame without the working ion's, each [i, j, image of j along a, b and c], once.

    `cell_a`: (3, 3), `positions_a`: (n_atoms, 3) Cartesian in any image, angstrom. Two metals are not joined.
    """
    elements = sorted(set(species) - {working_ion})
    limits_a = {
        pair: STRETCH * sum(float(covalent_radii[atomic_numbers[symbol]]) for symbol in pair)
        for pair in combinations_with_replacement(elements, 2)
        if not all(Element(symbol).is_metal for symbol in pair)
    }
    if not limits_a:
        return []
    frame = Atoms(list(species), positions=positions_a, cell=cell_a, pbc=True)
    first, second, image = neighbor_list("ijS", frame, limits_a)
    bonds: list[list[int]] = np.column_stack([first, second, image])[first < second].tolist()
    return bonds
