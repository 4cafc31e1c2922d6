"""Cheap potentials with every property that dynamics asks for, and a small crystal for them."""

from collections.abc import Callable

import numpy as np
from ase import Atoms
from ase.build import bulk
from vesin import NeighborList

from core.dynamics import PROTOCOLS, Protocol, System, build_system
from core.potentials import Evaluation, Potential, PotentialCard
from core.records import Crystal

CUTOFF_A = 4.5
DEPTH_EV = 0.3
UNLIKE_A, LIKE_A = 2.0, 2.83


def card(sha256: str = "0" * 64, elements: tuple[str, ...] = ("Mg", "O", "S", "Ti")) -> PotentialCard:
    return PotentialCard(
        name="toy", title="Pairs", elements=elements, cutoff_a=CUTOFF_A, trained_on="nothing", energy_scale="toy",
        licence="MIT", source="none", sha256=sha256,
    )  # fmt: skip


class Toy(Potential):
    """Smoothly cut Morse pairs, at their best in rocksalt: a solid with exact forces and stress."""

    def __init__(self, *, sha256: str = "0" * 64, spoil: Callable[[int], float] | None = None) -> None:
        super().__init__(card(sha256), device="cpu")
        self._pairs = NeighborList(cutoff=CUTOFF_A, full_list=False)
        self._spoil = spoil
        self.n_calls = 0

    def _evaluate(self, atoms: Atoms) -> Evaluation:
        first, second, vectors, lengths = self._pairs.compute(
            points=atoms.positions, box=atoms.cell.array, periodic=True, quantities="ijDd"
        )
        energy, slope = _morse(
            lengths, np.where(atoms.numbers[first] == atoms.numbers[second], LIKE_A, UNLIKE_A)
        )
        pull = (slope / lengths)[:, None] * vectors
        forces = np.zeros((len(atoms), 3))
        np.add.at(forces, first, pull)
        np.add.at(forces, second, -pull)
        self.n_calls += 1
        factor = 1.0 if self._spoil is None else self._spoil(self.n_calls)
        return Evaluation(
            energy_ev=float(energy.sum()), forces_ev_per_a=factor * forces,
            stress_ev_per_a3=pull.T @ vectors / atoms.get_volume(),
        )  # fmt: skip


def _morse(lengths: np.ndarray, best: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energy and its slope, taken smoothly to zero over the last angstrom."""
    decay = np.exp(-1.5 * (lengths - best))
    energy, slope = DEPTH_EV * (decay**2 - 2 * decay), DEPTH_EV * -3.0 * (decay**2 - decay)
    x = np.clip(lengths - (CUTOFF_A - 1.0), 0.0, 1.0)
    cut, cut_slope = 1 - x**3 * (10 - 15 * x + 6 * x**2), -30 * x**2 * (1 - x) ** 2
    return energy * cut, slope * cut + energy * cut_slope


def rocksalt(id: str = "toy-MgO") -> Crystal:
    atoms = bulk("MgO", "rocksalt", a=4.0)
    return Crystal(
        id=id, formula="MgO", lattice_a=atoms.cell.array, species=("Mg", "O"),
        frac=atoms.get_scaled_positions(), source="test", working_ion="Mg",
    )  # fmt: skip


SHORT: Protocol = PROTOCOLS["quick"].with_changes(
    name="short", min_atoms=60, max_atoms=64, temperature_k=600.0, settle_ps=0.04, npt_ps=0.08, nvt_ps=0.1,
    drift_ps=0.0, friction_per_ps=5.0,
)  # fmt: skip


def system(protocol: Protocol = SHORT, seed: int = 0) -> System:
    return build_system(rocksalt(), "Mg", protocol, seed)
