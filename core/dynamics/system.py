"""From a crystal to the atoms of a run: supercell, and a share of the working ions taken out by seed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from ase import Atoms
from ase.build import make_supercell

from core.dynamics.protocol import Protocol
from core.dynamics.supercell import IntMatrix, find_supercell, height_a
from core.errors import CellTooSmallError, DynamicsError, NoWorkingIonError
from core.records import Crystal, FloatArray

MIN_HEIGHT_A: Final = 7.0
"""Least distance between opposite faces: two hops of a working ion, and frames far enough apart to unwrap."""

MIN_IONS: Final = 2
"""Mobile ions that must stay: a diffusivity needs two."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class System:
    """Atoms to simulate and how they came from the crystal: cell = `supercell_matrix` @ `unit_lattice_a`."""

    atoms: Atoms
    crystal_id: str
    formula: str
    working_ion: str
    supercell_matrix: IntMatrix
    unit_lattice_a: FloatArray
    n_removed: int

    @property
    def n_atoms(self) -> int:
        """Number of atoms simulated."""
        return len(self.atoms)

    @property
    def n_mobile(self) -> int:
        """Number of working ions simulated."""
        return int((self.atoms.symbols == self.working_ion).sum())


def build_system(crystal: Crystal, working_ion: str, protocol: Protocol, seed: int) -> System:
    """Return the supercell of a crystal without the protocol's share of working ions, chosen by `seed`.

    Raises `NoWorkingIonError`; `DynamicsError` for a crystal of working ions alone; `CellTooSmallError` for a cell less
    than `MIN_HEIGHT_A` high or with fewer than `MIN_IONS` mobile ions.
    """
    if not crystal.count(working_ion):
        raise NoWorkingIonError(crystal.formula, working_ion)
    if crystal.count(working_ion) == crystal.n_sites:
        raise DynamicsError(
            f"{crystal.formula} is {working_ion} alone: diffusion is measured against a framework of other atoms. "
            "Choose a compound."
        )
    lattice_a = np.array(crystal.lattice_a, dtype=np.float64, order="C")
    matrix = find_supercell(
        lattice_a, crystal.n_sites, min_atoms=protocol.min_atoms, max_atoms=protocol.max_atoms
    )
    unit = Atoms(crystal.species, cell=lattice_a, scaled_positions=np.array(crystal.frac), pbc=True)
    atoms = make_supercell(unit, matrix)
    _check_height(crystal, atoms)
    removed = _removed(crystal, atoms, working_ion, protocol.vacancy_fraction, seed)
    del atoms[removed]
    return System(
        atoms=atoms, crystal_id=crystal.id, formula=crystal.formula, working_ion=working_ion,
        supercell_matrix=matrix, unit_lattice_a=lattice_a, n_removed=len(removed),
    )  # fmt: skip


def _check_height(crystal: Crystal, atoms: Atoms) -> None:
    found_a = height_a(atoms.cell.array)
    if found_a < MIN_HEIGHT_A:
        raise CellTooSmallError(
            f"{crystal.formula}: the most nearly cubic cell of {len(atoms)} atoms is {found_a:.1f} angstrom high; "
            f"{MIN_HEIGHT_A:g} are needed, lest ions meet their own images. Raise max_atoms (unit cell: "
            f"{crystal.n_sites} atoms) or use the protocol 'paper'."
        )


def _removed(crystal: Crystal, atoms: Atoms, working_ion: str, fraction: float, seed: int) -> list[int]:
    """Return which atoms to take out: the nearest whole number to the share, at least one where any is asked for."""
    ions = np.flatnonzero(np.array(atoms.get_chemical_symbols()) == working_ion)
    n_removed = max(round(fraction * len(ions)), 1) if fraction > 0 else 0
    if len(ions) - n_removed < MIN_IONS:
        raise CellTooSmallError(
            f"{crystal.formula}: {len(ions)} {working_ion} in {len(atoms)} atoms, of which {n_removed} are taken out; "
            f"{MIN_IONS} or more must stay. Raise min_atoms or lower vacancy_fraction."
        )
    chosen = np.random.default_rng([seed, 0]).choice(ions, size=n_removed, replace=False)
    return sorted(chosen.tolist())
