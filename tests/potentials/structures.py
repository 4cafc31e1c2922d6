"""Ten small crystals of different bonding and symmetry, made by hand and rattled by seed."""

from functools import cache

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal

from core.records import Crystal

SPINEL = [(0, 0, 0), (5 / 8, 5 / 8, 5 / 8), (0.3875, 0.3875, 0.3875)]
PROTOTYPES = (
    "MgO", "MgMn2O4", "MgTi2S4", "MgTiS2", "MgFeSiO4", "CaTiO3", "ZnS", "Mg", "CsCl", "AlF3",
)  # fmt: skip


@cache
def _ideal(name: str) -> Atoms:
    """The crystal without disorder, in its primitive cell."""
    made = {
        "MgO": lambda: bulk("MgO", "rocksalt", a=4.21),
        "MgMn2O4": lambda: _spinel(("Mg", "Mn", "O"), 8.5),
        "MgTi2S4": lambda: _spinel(("Mg", "Ti", "S"), 10.1),
        "MgTiS2": lambda: Atoms(
            "MgTiS2",
            cell=[[3.41, 0, 0], [-1.705, 2.9531, 0], [0, 0, 6.3]],
            scaled_positions=[[0, 0, 0.5], [0, 0, 0], [1 / 3, 2 / 3, 0.24], [2 / 3, 1 / 3, 0.76]],
        ),
        "MgFeSiO4": lambda: crystal(
            ("Mg", "Fe", "Si", "O", "O", "O"),
            [(0, 0, 0), (0.28, 0.25, 0.98), (0.09, 0.25, 0.42), (0.09, 0.25, 0.75), (0.45, 0.25, 0.21),
             (0.165, 0.04, 0.28)],
            spacegroup=62, cellpar=[10.2, 5.9, 4.8, 90, 90, 90],
        ),
        "CaTiO3": lambda: crystal(
            ("Ca", "Ti", "O"), [(0.5, 0.5, 0.5), (0, 0, 0), (0.5, 0, 0)], spacegroup=221, cellpar=[3.9] * 3 + [90] * 3
        ),
        "ZnS": lambda: bulk("ZnS", "zincblende", a=5.41),
        "Mg": lambda: bulk("Mg", "hcp", a=3.2, c=5.2),
        "CsCl": lambda: bulk("CsCl", "cesiumchloride", a=4.12),
        "AlF3": lambda: crystal(
            ("Al", "F"), [(0, 0, 0), (0.5, 0, 0)], spacegroup=221, cellpar=[3.6] * 3 + [90] * 3
        ),
    }  # fmt: skip
    return made[name]()


def _spinel(elements: tuple[str, str, str], edge_a: float) -> Atoms:
    # Origin choice 1 and 2 of Fd-3m differ; the shortest bond tells that these sites belong to choice 1.
    return crystal(
        elements, SPINEL, spacegroup=227, setting=1, cellpar=[edge_a] * 3 + [90] * 3, primitive_cell=True
    )  # fmt: skip


def rattled(name: str, *, displacement_a: float = 0.06) -> Atoms:
    """A copy with atoms displaced and the cell sheared a little, the same at every call."""
    atoms = _ideal(name).copy()
    seed = PROTOTYPES.index(name)
    atoms.rattle(displacement_a, seed=seed)
    strain = np.eye(3) + 0.02 * np.random.default_rng(seed).uniform(-1, 1, (3, 3))
    atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
    atoms.pbc = True
    return Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)


def record(atoms: Atoms) -> Crystal:
    """The record of the line for these atoms."""
    return Crystal(
        id="made",
        formula=atoms.get_chemical_formula("metal"),
        lattice_a=atoms.cell.array.copy(),
        species=tuple(atoms.get_chemical_symbols()),
        frac=atoms.get_scaled_positions(),
        source="made by hand",
    )
