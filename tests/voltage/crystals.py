"""Small crystals made by hand, and the moves that must leave a voltage alone."""

from functools import cache

import numpy as np
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from core.records import Crystal


def crystal_of(structure: Structure, name: str = "made") -> Crystal:
    """The record of a pymatgen structure."""
    return Crystal(
        id=name,
        formula=structure.composition.reduced_formula,
        lattice_a=np.array(structure.lattice.matrix),
        species=tuple(site.specie.symbol for site in structure),
        frac=np.array(structure.frac_coords),
        source="made by hand",
    )


@cache
def spinel() -> Crystal:
    """MgMn2O4 as a cubic spinel, primitive cell of 14 atoms."""
    cell = Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(8.5), ["Mg", "Mn", "O"], [[0, 0, 0], [5 / 8] * 3, [0.3875] * 3]
    )
    return crystal_of(cell.get_primitive_structure(), "spinel")


@cache
def rock_salt() -> Crystal:
    """MgO: 12 nearest = 6 O at a/2 and a tie of 12 Mg behind them, six of which are kept."""
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.21), ["Mg", "O"], [[0, 0, 0], [0.5] * 3])
    return crystal_of(cell.get_primitive_structure(), "rock-salt")


@cache
def layered() -> Crystal:
    """MgTiS2-like layers in a hexagonal cell."""
    lattice = Lattice.hexagonal(3.41, 6.3)
    species = ["Mg", "Ti", "S", "S"]
    sites = [[0, 0, 0.5], [0, 0, 0], [1 / 3, 2 / 3, 0.24], [2 / 3, 1 / 3, 0.76]]
    return crystal_of(Structure(lattice, species, sites), "layered")


@cache
def olivine_like() -> Crystal:
    """An orthorhombic cell with no two atoms of one element alike but by symmetry."""
    cell = Structure.from_spacegroup(
        "Pnma",
        Lattice.orthorhombic(10.2, 5.9, 4.8),
        ["Mg", "Fe", "Si", "O", "O", "O"],
        [[0, 0, 0], [0.28, 0.25, 0.98], [0.09, 0.25, 0.42], [0.09, 0.25, 0.75], [0.45, 0.25, 0.21],
         [0.165, 0.04, 0.28]],
    )  # fmt: skip
    return crystal_of(cell, "olivine-like")


@cache
def mixed_tie() -> Crystal:
    """A simple cubic Mg-F-Cl-Mn cell (perovskite-like) whose ties at the twelfth place mix elements."""
    sites = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return crystal_of(Structure(Lattice.cubic(4.0), ["Mg", "Mn", "F", "Cl", "O"], sites), "mixed-tie")


@cache
def sparse() -> Crystal:
    """Two atoms in a cell so large that neither has twelve neighbours within 8 angstrom."""
    return crystal_of(Structure(Lattice.cubic(7.8), ["Mg", "O"], [[0, 0, 0], [0.3, 0.3, 0.3]]), "sparse")


@cache
def lone_ion() -> Crystal:
    """An Mg atom with nothing within 8 angstrom."""
    return crystal_of(Structure(Lattice.cubic(9.0), ["Mg"], [[0, 0, 0]]), "lone-ion")


SMALL = (spinel, rock_salt, layered, olivine_like, mixed_tie, sparse)


def moved(crystal: Crystal, *, scaling: tuple[int, int, int], seed: int) -> Crystal:
    """A supercell of the crystal, rotated, shifted and with its sites shuffled."""
    rng = np.random.default_rng(seed)
    structure = crystal.to_pymatgen()
    structure.make_supercell(scaling)
    order = rng.permutation(len(structure))
    rotation = Rotation.random(random_state=seed).as_matrix()
    shift = rng.random(3)
    return Crystal(
        id=crystal.id,
        formula=crystal.formula,
        lattice_a=structure.lattice.matrix @ rotation.T,
        species=tuple(structure[int(site)].specie.symbol for site in order),
        frac=structure.frac_coords[order] + shift,
        source=crystal.source,
    )
