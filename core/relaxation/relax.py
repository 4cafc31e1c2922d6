"""Ions and cell of a crystal moved to where a potential has its nearest minimum, under watch.

L-BFGS (ASE) on positions and on the logarithm of the deformation (`FrechetCellFilter`), from where the crystal stands:
symmetry of the start is kept, and a minimum of lower symmetry beside it is not looked for.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.filters import FrechetCellFilter
from ase.neighborlist import neighbor_list
from ase.optimize import LBFGS

from core.errors import RelaxationError
from core.potentials import Potential
from core.records import Crystal
from core.units import GPA_A3_PER_EV

FORCE_EV_PER_A: Final = 0.05
"""Largest force, and largest gradient of the cell in ASE's filter, at which a crystal counts as relaxed."""

MAX_STEPS: Final = 300
PAIR_LIMIT: Final = 0.5
"""Times the sum of covalent radii: closer atoms are in each other."""

VOLUME_LIMITS: Final = (0.5, 2.0)
"""Times the volume at the start: beyond them the crystal came apart, or fell into itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step on the way: its number from 0, energy of the cell, largest force, volume over that at the start."""

    number: int
    energy_ev: float
    force_max_ev_per_a: float
    volume_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relaxed:
    """A crystal at rest, or as near as `max_steps` brought it; `start_*`: forces and pressure of the one given.

    `energy_ev` is that of the cell on the potential's own scale. `start_pressure_gpa` is positive where the cell wants
    to grow.
    """

    crystal: Crystal
    energy_ev: float
    force_max_ev_per_a: float
    n_steps: int
    converged: bool
    start_energy_ev: float
    start_force_ev_per_a: float
    start_pressure_gpa: float


def relax(
    crystal: Crystal, potential: Potential, *, move_cell: bool = True, force_ev_per_a: float = FORCE_EV_PER_A,
    max_steps: int = MAX_STEPS, on_step: Callable[[Step], None] = lambda step: None,
) -> Relaxed:  # fmt: skip
    """Return a crystal with its ions, and its cell unless told otherwise, relaxed; sites keep their order.

    `on_step` hears every step and may raise to stop. Raises `RelaxationError` for atoms that come into each other or a
    cell that halves or doubles, `UnsupportedElementError` for elements that the potential does not know.
    """
    atoms = crystal.to_ase()
    atoms.calc = potential.calculator()
    _check(crystal, atoms, crystal.volume_a3)
    start_ev, start_force, start_gpa = _state(atoms)
    degrees: Any = FrechetCellFilter(atoms) if move_cell else atoms
    optimizer = LBFGS(degrees, logfile=None)  # type: ignore[arg-type]
    converged = False
    for done in optimizer.irun(fmax=force_ev_per_a, steps=max_steps):
        converged = bool(done)
        _check(crystal, atoms, crystal.volume_a3)
        energy_ev, force, _ = _state(atoms)
        on_step(
            Step(
                number=optimizer.nsteps, energy_ev=energy_ev, force_max_ev_per_a=force,
                volume_ratio=atoms.get_volume() / crystal.volume_a3,
            )
        )  # fmt: skip
    energy_ev, force, _ = _state(atoms)
    return Relaxed(
        crystal=replace(
            crystal, lattice_a=np.round(atoms.cell.array, 6), frac=np.round(atoms.get_scaled_positions(), 6)
        ),
        energy_ev=energy_ev, force_max_ev_per_a=force, n_steps=optimizer.nsteps, converged=converged,
        start_energy_ev=start_ev, start_force_ev_per_a=start_force, start_pressure_gpa=start_gpa,
    )  # fmt: skip


def _state(atoms: Atoms) -> tuple[float, float, float]:
    """Energy of the cell, largest force, pressure (GPa, positive where the cell wants to grow)."""
    force = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
    pressure = -float(np.trace(atoms.get_stress(voigt=False))) / 3.0
    return float(atoms.get_potential_energy()), force, pressure * GPA_A3_PER_EV


def _check(crystal: Crystal, atoms: Atoms, start_a3: float) -> None:
    ratio = atoms.get_volume() / start_a3
    low, high = VOLUME_LIMITS
    if not low < ratio < high:
        raise RelaxationError(
            f"{crystal.id} ({crystal.formula}): its cell went to {ratio:.2f} times its volume ({low:g} to {high:g} are "
            "allowed): without its ions the crystal does not hold, or the structure given is wrong."
        )
    first, second, lengths_a = neighbor_list(
        "ijd", atoms, PAIR_LIMIT * covalent_radii[atoms.numbers], self_interaction=False
    )
    if len(lengths_a):
        worst = int(lengths_a.argmin())
        names = "-".join(atoms.symbols[int(index)] for index in (first[worst], second[worst]))
        raise RelaxationError(
            f"{crystal.id} ({crystal.formula}): a {names} pair came to {lengths_a[worst]:.2f} angstrom, under "
            f"{PAIR_LIMIT:g} of its covalent radii: the structure is broken, or the potential fails here. Check it."
        )
