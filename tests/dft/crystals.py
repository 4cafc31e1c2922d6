"""Small crystals that tests of first principles are about."""

import numpy as np
from pymatgen.core import Lattice, Structure

from core.records import Crystal


def crystal_of(structure: Structure, id: str) -> Crystal:
    return Crystal(
        id=id, formula=structure.composition.reduced_formula, lattice_a=np.array(structure.lattice.matrix),
        species=tuple(site.specie.symbol for site in structure), frac=np.array(structure.frac_coords),
        source="written down for a test",
    )  # fmt: skip


def spinel(metal: str = "Cr", a_a: float = 8.42) -> Crystal:
    """A normal spinel in its conventional cell, 56 atoms; pymatgen's Fd-3m has its origin on the A site."""
    structure = Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(a_a), ["Mg", metal, "O"],
        [[0, 0, 0], [5 / 8, 5 / 8, 5 / 8], [0.3865, 0.3865, 0.3865]],
    )  # fmt: skip
    return crystal_of(structure, f"spinel-{metal}")


def layered(metal: str = "Ni") -> Crystal:
    """MgMO2 of the delafossite's kind in its thin rhombohedral cell, 4 atoms."""
    structure = Structure.from_spacegroup(
        "R-3m", Lattice.hexagonal(3.0, 14.6), ["Mg", metal, "O"], [[0, 0, 0], [0, 0, 0.5], [0, 0, 0.2437]]
    )
    return crystal_of(structure.get_primitive_structure(), f"layered-{metal}")
