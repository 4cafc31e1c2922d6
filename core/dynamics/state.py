"""All that a run has to remember, the running sums and reference positions of its checks among it."""

from typing import Any

import numpy as np
from ase import Atoms
from ase.md.md import MolecularDynamics

from core.dynamics.integrators import memory, thermalise
from core.records import FloatArray

Arrays = dict[str, FloatArray]


class RunState:
    """Where a run stands. `arrays` and `numbers` hold it all; `from_stored` makes the same again, bit by bit.

    `reference_frac`: (n, 3) fractional positions from which displacements count, set anew where NVT begins.
    `cell_sum_a`: sum of the cells of NPT's second half. `temperature_sum_k`: of each species, over NVT's reports.
    """

    def __init__(self, atoms: Atoms, rng: np.random.Generator, n_species: int) -> None:
        self.atoms = atoms
        self.rng = rng
        self.step = 0
        self.seconds = 0.0
        self.start_ev_per_atom = float("nan")
        self.drift_mev_per_atom_per_ps: float | None = None
        self.cell_sum_a: FloatArray = np.zeros((3, 3))
        self.n_cells = 0
        self.temperature_sum_k: FloatArray = np.zeros(n_species)
        self.n_samples = 0
        self.reference_frac: FloatArray = fractional(atoms)

    @classmethod
    def fresh(cls, atoms: Atoms, n_species: int, temperature_k: float, seed: int) -> "RunState":
        """Return the state before the first step, with velocities drawn by seed."""
        rng = np.random.default_rng([seed, 1])
        thermalise(atoms, temperature_k, rng)
        return cls(atoms, rng, n_species)

    def arrays(self, dynamics: MolecularDynamics | None) -> Arrays:
        """Return the arrays to keep, the integrator's memory among them."""
        kept = {
            "positions": self.atoms.positions, "momenta": self.atoms.get_momenta(), "cell": self.atoms.cell.array,
            "cell_sum_a": self.cell_sum_a, "temperature_sum_k": self.temperature_sum_k,
            "reference_frac": self.reference_frac,
        }  # fmt: skip
        remembered = {} if dynamics is None else memory(dynamics)
        return kept | {f"integrator:{name}": value for name, value in remembered.items()}

    def numbers(self) -> dict[str, Any]:
        """Return the rest as JSON holds it."""
        return {
            "step": self.step, "seconds": self.seconds, "start_ev_per_atom": self.start_ev_per_atom,
            "drift_mev_per_atom_per_ps": self.drift_mev_per_atom_per_ps, "n_cells": self.n_cells,
            "n_samples": self.n_samples, "rng": self.rng.bit_generator.state,
        }  # fmt: skip

    @classmethod
    def from_stored(cls, atoms: Atoms, arrays: Arrays, numbers: dict[str, Any]) -> "RunState":
        """Return a state as it was kept; raise `KeyError`, `ValueError` or `TypeError` for one that is not whole."""
        atoms.set_cell(arrays["cell"])
        atoms.set_positions(arrays["positions"])
        atoms.set_momenta(arrays["momenta"])
        rng = np.random.default_rng()
        rng.bit_generator.state = numbers["rng"]
        state = cls(atoms, rng, len(arrays["temperature_sum_k"]))
        state.step, state.seconds = int(numbers["step"]), float(numbers["seconds"])
        state.start_ev_per_atom = float(numbers["start_ev_per_atom"])
        state.drift_mev_per_atom_per_ps = numbers["drift_mev_per_atom_per_ps"]
        state.n_cells, state.n_samples = int(numbers["n_cells"]), int(numbers["n_samples"])
        state.cell_sum_a, state.temperature_sum_k = arrays["cell_sum_a"], arrays["temperature_sum_k"]
        state.reference_frac = arrays["reference_frac"]
        return state

    def add_cell(self) -> None:
        """Let the cell of this moment count for the mean."""
        self.cell_sum_a = self.cell_sum_a + self.atoms.cell.array
        self.n_cells += 1

    def take_mean_cell(self) -> None:
        """Take the mean of the cells that were added, once."""
        if self.n_cells:
            self.atoms.set_cell(self.cell_sum_a / self.n_cells, scale_atoms=True)
            self.cell_sum_a, self.n_cells = np.zeros((3, 3)), 0

    def count_from_here(self) -> None:
        """Let displacements count from the positions of this moment."""
        self.reference_frac = fractional(self.atoms)


def fractional(atoms: Atoms) -> FloatArray:
    """Return (n, 3) fractional positions, not wrapped."""
    frac: FloatArray = np.linalg.solve(atoms.cell.array.T, atoms.positions.T).T
    return frac


def displacements_a2(atoms: Atoms, reference_frac: FloatArray, working_ion: str) -> FloatArray:
    """Return (n,) squared displacements from a reference, free of the drift of the framework's centre of mass."""
    moved_a = (fractional(atoms) - reference_frac) @ atoms.cell.array
    masses = np.where(np.array(atoms.get_chemical_symbols()) == working_ion, 0.0, atoms.get_masses())
    squared: FloatArray = ((moved_a - masses @ moved_a / masses.sum()) ** 2).sum(axis=1)
    return squared
