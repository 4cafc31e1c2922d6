"""What stops a run: numbers that are none, heat, falling energy, atoms in each other, a molten framework.

No integrator of ASE stops on NaN, and a potential outside its training can fall through its own floor.
"""

from typing import Final

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii
from numpy.typing import NDArray
from vesin import NeighborList

from core.dynamics.state import RunState
from core.records import FloatArray
from core.units import BOLTZMANN_EV_PER_K

HEAT_LIMIT: Final = 3.0
"""Times the target temperature."""

ENERGY_LIMIT_EV: Final = 1.0
"""Change of potential energy an atom since the start; heating to 1200 K takes 0.16."""

PAIR_LIMIT: Final = 0.6
"""Times the sum of covalent radii."""

MELT_LIMIT_A2: Final = 10.0
"""Displacement of a framework species, mean square, past any vibration or turning of a group; melted beyond doubt."""

EQUIPARTITION_LIMIT: Final = 0.25
"""Relative deviation of a species' mean temperature from the target, beyond `EQUIPARTITION_Z` of its errors."""

EQUIPARTITION_Z: Final = 5.0
EQUIPARTITION_SAMPLES: Final = 10

CELL_LIMIT: Final = 0.4
"""Largest strain of the cell in NPT: more is a cell that flows or comes apart."""


class Tripped(Exception):
    """A run that must not go on: `cause` in a word or two, and the reason in full."""

    def __init__(self, cause: str, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause


class Watchdog:
    """Holds the limits of one run; `each_step` is cheap, `each_report` thorough. Both raise `Tripped`."""

    def __init__(self, atoms: Atoms, working_ion: str, temperature_k: float) -> None:
        symbols = np.array(atoms.get_chemical_symbols())
        self.species = {str(name): np.flatnonzero(symbols == name) for name in np.unique(symbols)}
        self._framework = {name: where for name, where in self.species.items() if name != working_ion}
        self._target_k = temperature_k
        self._radii_a = covalent_radii[atoms.numbers]
        longest_a = 2 * PAIR_LIMIT * max(covalent_radii[atomic_numbers[name]] for name in self.species)
        self._pairs = NeighborList(cutoff=longest_a, full_list=False)
        self._start_cell = np.array(atoms.cell.array)

    def each_step(self, atoms: Atoms) -> None:
        """Stop on NaN or infinity, and on heat over `HEAT_LIMIT` times the target."""
        temperature_k = atoms.get_temperature()
        if not (np.isfinite(temperature_k) and np.isfinite(atoms.positions).all()):
            raise Tripped(
                "not finite", "positions or velocities became NaN or infinite; shorten the time step."
            )
        if temperature_k > HEAT_LIMIT * self._target_k:
            raise Tripped(
                "temperature",
                f"the temperature rose to {temperature_k:.0f} K, over {HEAT_LIMIT:g} times the {self._target_k:g} K "
                "asked for: the potential or the time step fails here. Shorten the time step or use another potential.",
            )

    def each_report(self, atoms: Atoms, state: RunState, msd_a2: dict[str, float]) -> None:
        """Stop on energy, close pairs, a wrung cell, a molten framework or uneven heat."""
        self.pairs(atoms)
        self._energy(atoms, state)
        self._cell(atoms)
        self._melted(msd_a2)
        self._equipartition(state)

    def pairs(self, atoms: Atoms) -> None:
        """Stop on atoms closer than `PAIR_LIMIT` of the sum of their covalent radii; needs no potential."""
        first, second, lengths_a = self._pairs.compute(
            points=np.ascontiguousarray(atoms.positions), box=np.ascontiguousarray(atoms.cell.array),
            periodic=True, quantities="ijd",
        )  # fmt: skip
        share = lengths_a / (self._radii_a[first] + self._radii_a[second])
        if len(share) and share.min() < PAIR_LIMIT:
            worst = int(share.argmin())
            names = "-".join(atoms.symbols[int(index)] for index in (first[worst], second[worst]))
            raise Tripped(
                "close pair",
                f"a {names} pair came to {lengths_a[worst]:.2f} angstrom, {share[worst]:.2f} of its covalent radii "
                f"({PAIR_LIMIT:g} is the limit): the structure is broken or the potential fails here. Check it.",
            )

    def _energy(self, atoms: Atoms, state: RunState) -> None:
        change_ev = atoms.get_potential_energy() / len(atoms) - state.start_ev_per_atom
        if not abs(change_ev) < ENERGY_LIMIT_EV:
            raise Tripped(
                "energy",
                f"potential energy went {change_ev:+.2f} eV/atom from the start ({ENERGY_LIMIT_EV:g} is the limit): "
                "the structure falls apart or the potential fails here. Use another potential.",
            )

    def _cell(self, atoms: Atoms) -> None:
        deformed = np.linalg.solve(self._start_cell, atoms.cell.array)
        strain = float(np.abs(np.linalg.svd(deformed, compute_uv=False) - 1).max())
        if strain > CELL_LIMIT:
            raise Tripped(
                "cell",
                f"the cell was strained by {strain:.0%} ({CELL_LIMIT:.0%} is the limit): the crystal does not hold at "
                f"{self._target_k:g} K and zero pressure. Lower the temperature.",
            )

    def _melted(self, msd_a2: dict[str, float]) -> None:
        moved = {name: msd_a2[name] for name in self._framework}
        name = max(moved, key=moved.__getitem__)
        if moved[name] > MELT_LIMIT_A2:
            raise Tripped(
                "framework melted",
                f"{name} of the framework moved by {moved[name]:.1f} square angstrom in the mean ({MELT_LIMIT_A2:g} is "
                "the limit): the framework melts, and its ions' motion is no conduction. Lower the temperature.",
            )

    def _equipartition(self, state: RunState) -> None:
        if state.n_samples < EQUIPARTITION_SAMPLES:
            return
        for number, (name, where) in enumerate(self.species.items()):
            mean_k = state.temperature_sum_k[number] / state.n_samples
            error = np.sqrt(2 / (3 * len(where) * state.n_samples))
            off = mean_k / self._target_k - 1
            if abs(off) > EQUIPARTITION_LIMIT + EQUIPARTITION_Z * error:
                raise Tripped(
                    "equipartition",
                    f"{name} has {mean_k:.0f} K in the mean where {self._target_k:g} K are asked for "
                    f"({EQUIPARTITION_LIMIT:.0%} are allowed): heat is not shared evenly. Shorten the time step.",
                )


def temperatures_k(atoms: Atoms, species: dict[str, NDArray[np.int64]]) -> FloatArray:
    """Return the temperature of each species at this moment, kelvin."""
    doubled_ev = (atoms.get_momenta() ** 2).sum(axis=1) / atoms.get_masses()
    return np.array([doubled_ev[where].mean() for where in species.values()]) / (3 * BOLTZMANN_EV_PER_K)
