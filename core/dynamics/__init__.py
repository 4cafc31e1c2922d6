"""Molecular dynamics of a crystal's working ions: supercell, protocol, run, trajectory, checks.

The public face, in the order of the work:

- `PROTOCOLS` (`QUICK`, `LONG`, `PAPER`), `default_protocol(device)`, `protocol.with_changes(...)`,
  `default_potential()`.
- `build_system(crystal, working_ion, protocol, seed) -> System`; `find_supercell(lattice_a, n_sites, ...)`.
- `measure_step(atoms, potential)`, `expected_seconds(protocol, n_atoms, seconds_per_step)` before the start.
- `simulate(system, potential, protocol, seed=, folder=, ...) -> Outcome`; goes on from a checkpoint.
- `read_trajectory(folder) -> Frames`, `frames.production()`, `write_extxyz(folder, target)`.
- `nve_drift(atoms, potential, time_step_fs, n_steps)`, `teacher_check(frames, potential, teacher) -> TeacherCheck`.

Raises `DynamicsError` and its kinds `CellTooSmallError` and `CheckpointError`.
"""

from core.dynamics.drift import DRIFT_LIMIT_MEV, nve_drift
from core.dynamics.progress import Outcome, Progress
from core.dynamics.protocol import LONG, PAPER, PROTOCOLS, QUICK, Protocol, adapted, default_protocol
from core.dynamics.run import simulate
from core.dynamics.supercell import IntMatrix, find_supercell
from core.dynamics.system import System, build_system
from core.dynamics.teacher import TEACHER_LIMIT_EV_PER_A, TeacherCheck, teacher_check
from core.dynamics.timing import expected_seconds, measure_step
from core.dynamics.trajectory import Frames, TrajectoryWriter, read_trajectory, write_extxyz
from core.potentials import default_dynamics_potential as default_potential

__all__ = [
    "DRIFT_LIMIT_MEV",
    "LONG",
    "PAPER",
    "PROTOCOLS",
    "QUICK",
    "TEACHER_LIMIT_EV_PER_A",
    "Frames",
    "IntMatrix",
    "Outcome",
    "Progress",
    "Protocol",
    "System",
    "TeacherCheck",
    "TrajectoryWriter",
    "adapted",
    "build_system",
    "default_potential",
    "default_protocol",
    "expected_seconds",
    "find_supercell",
    "measure_step",
    "nve_drift",
    "read_trajectory",
    "simulate",
    "teacher_check",
    "write_extxyz",
]
