"""ASE's integrators as this project uses them, and all that they remember, so that a run can be taken up again."""

from operator import attrgetter
from typing import Any, Final

import ase.units
import numpy as np
from ase import Atoms
from ase.md.langevin import Langevin
from ase.md.md import MolecularDynamics
from ase.md.nose_hoover_chain import MTKNPT, IsotropicMTKNPT
from ase.md.velocitydistribution import Stationary, thermalize_momenta

from core.dynamics.protocol import Protocol
from core.records import FloatArray
from core.units import FS_PER_PS

_CHAINS = ("_thermostat._eta", "_thermostat._p_eta", "_barostat._xi", "_barostat._p_xi")
_MEMORY: Final[dict[type[MolecularDynamics], tuple[str, ...]]] = {
    Langevin: (),
    MTKNPT: ("_p_g", *_CHAINS),
    IsotropicMTKNPT: ("_cell0", "_volume0", "_eps", "_p_eps", *_CHAINS),
}
"""What each keeps beside positions, momenta, cell and the random generator; forces follow from positions."""


def stage_at(protocol: Protocol, step: int) -> str:
    """Return the stage that makes the step after `step`: settle, npt, rest (settling again) or nvt."""
    if step < protocol.n_settle_steps:
        return "settle"
    if step < protocol.n_settle_steps + protocol.n_npt_steps:
        return "npt"
    return "rest" if step < protocol.n_equilibration_steps else "nvt"


def thermalise(atoms: Atoms, temperature_k: float, rng: np.random.Generator) -> None:
    """Give the atoms velocities of a temperature, without motion of the whole."""
    thermalize_momenta(atoms, temperature_k, rng=rng)
    Stationary(atoms)


def integrator(stage: str, atoms: Atoms, protocol: Protocol, rng: np.random.Generator) -> MolecularDynamics:
    """Return a fresh integrator of a stage.

    Langevin after doi:10.1016/j.cplett.2006.07.086 for settling and NVT, MTK after doi:10.1063/1.467468 for NPT.
    """
    time_step = protocol.time_step_fs * ase.units.fs
    if stage == "npt":
        kind = MTKNPT if protocol.cell_change == "full" else IsotropicMTKNPT
        ps = FS_PER_PS * ase.units.fs
        return kind(
            atoms, time_step, temperature_K=protocol.temperature_k, pressure_au=0.0,
            tdamp=protocol.thermostat_ps * ps, pdamp=protocol.barostat_ps * ps,
        )  # fmt: skip
    friction_per_ps = protocol.friction_per_ps if stage == "nvt" else protocol.settle_friction_per_ps
    return Langevin(
        atoms, time_step, temperature_K=protocol.temperature_k,
        friction=friction_per_ps / (FS_PER_PS * ase.units.fs), rng=rng, fixcm=False,
    )  # fmt: skip


def memory(dynamics: MolecularDynamics) -> dict[str, FloatArray]:
    """Return what an integrator remembers beside the atoms."""
    return {path: np.array(attrgetter(path)(dynamics)) for path in _MEMORY[type(dynamics)]}


def recall(dynamics: MolecularDynamics, stored: dict[str, FloatArray]) -> None:
    """Give a fresh integrator the memory of another; raise `KeyError` where something is missing."""
    for path in _MEMORY[type(dynamics)]:
        owner_path, _, name = path.rpartition(".")
        owner: Any = attrgetter(owner_path)(dynamics) if owner_path else dynamics
        value = stored[path]
        setattr(owner, name, value.copy() if value.ndim else float(value))
