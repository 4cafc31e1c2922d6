"""Is the time step short enough? Energy must stay where nothing takes or gives any."""

from collections.abc import Callable
from typing import Final

import ase.units
import numpy as np
from ase import Atoms
from ase.md.verlet import VelocityVerlet

from core.dynamics.calculator import StepCalculator
from core.errors import DynamicsError
from core.potentials import Potential
from core.units import FS_PER_PS

DRIFT_LIMIT_MEV: Final = 1.0
"""Largest drift of total energy that a protocol may have, meV/atom/ps."""

_MEV_PER_EV = 1000.0
_LEAST_STEPS = 10


def nve_drift(
    atoms: Atoms, potential: Potential, time_step_fs: float, n_steps: int,
    *, on_step: Callable[[], None] | None = None,
) -> float:  # fmt: skip
    """Return the drift of total energy without thermostat, meV/atom/ps: size of the slope of a line through all steps.

    Starts from the atoms as they are, velocities included (give thermal ones), and leaves them alone. `on_step` is
    called before each step. Infinite where the run breaks. Raises `DynamicsError` for fewer than ten steps.
    """
    if n_steps < _LEAST_STEPS:
        raise DynamicsError(f"{n_steps} NVE steps show no drift; at least {_LEAST_STEPS} are needed.")
    copy = atoms.copy()
    copy.calc = StepCalculator(potential)
    dynamics = VelocityVerlet(copy, time_step_fs * ase.units.fs)
    energy_ev = np.empty(n_steps)
    for index in range(n_steps):
        if on_step is not None:
            on_step()
        dynamics.step()
        energy_ev[index] = copy.get_total_energy()
        if not np.isfinite(energy_ev[index]):
            return float("inf")
    time_ps = np.arange(n_steps) * time_step_fs / FS_PER_PS
    return float(abs(np.polyfit(time_ps, energy_ev - energy_ev[0], 1)[0]) * _MEV_PER_EV / len(atoms))


def drift_problem(drift_mev_per_atom_per_ps: float, time_step_fs: float) -> str | None:
    """Return why a time step is refused, or None for one that passes `DRIFT_LIMIT_MEV`."""
    if drift_mev_per_atom_per_ps <= DRIFT_LIMIT_MEV:
        return None
    return (
        f"energy drifts by {drift_mev_per_atom_per_ps:.2f} meV/atom/ps without thermostat at a time step of "
        f"{time_step_fs:g} fs ({DRIFT_LIMIT_MEV:g} is the limit). Run again with time_step_fs {time_step_fs / 2:g}."
    )
