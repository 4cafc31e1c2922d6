"""How long a run will take on this machine, from a few steps of it."""

import time
from typing import Final

import numpy as np
from ase import Atoms

from core.dynamics.protocol import Protocol
from core.potentials import Potential

STEP_OVERHEAD_S: Final = 4e-4
ATOM_OVERHEAD_S: Final = 1e-6
"""What integrator, checks and files take a step, beside the potential; measured on one slow core."""

_SHAKE_A = 0.02


def measure_step(atoms: Atoms, potential: Potential, n: int = 3) -> float:
    """Return seconds that the potential takes for one step: the median of `n`, after one that is not counted."""
    rng = np.random.default_rng(0)
    seconds = []
    for _ in range(n + 1):
        shaken = atoms.copy()
        shaken.positions += rng.normal(0, _SHAKE_A, (len(atoms), 3))
        start = time.perf_counter()
        potential.evaluate(shaken)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[1:]))


def expected_seconds(protocol: Protocol, n_atoms: int, seconds_per_step: float) -> float:
    """Return how long a whole run takes where the potential takes `seconds_per_step`, the NVE test included."""
    overhead_s = STEP_OVERHEAD_S + ATOM_OVERHEAD_S * n_atoms
    return (protocol.n_steps + protocol.n_drift_steps) * (seconds_per_step + overhead_s)
