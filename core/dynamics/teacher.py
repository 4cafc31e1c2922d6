"""A run's own snapshots shown to the potential's teacher: where they disagree, the run means nothing."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.dynamics.trajectory import Frames
from core.errors import DynamicsError
from core.potentials import Potential

TEACHER_LIMIT_EV_PER_A: Final = 0.25
"""Force error against the teacher beyond which a run is out of the potential's domain; thermal forces are near 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherCheck:
    """Mean absolute differences from the teacher: of force components, and of energies once their mean is taken off.

    With a single snapshot the energy has no difference left, and is None.
    """

    force_mae_ev_per_a: float
    energy_mae_ev_per_atom: float | None
    n_snapshots: int

    @property
    def in_domain(self) -> bool:
        """Whether the forces stay within `TEACHER_LIMIT_EV_PER_A`."""
        return self.force_mae_ev_per_a <= TEACHER_LIMIT_EV_PER_A


def teacher_check(
    frames: Frames, potential: Potential, teacher: Potential, n_snapshots: int = 4
) -> TeacherCheck:
    """Return how far a potential is from its teacher on evenly spaced production frames, the last among them.

    Raises `DynamicsError` where there are no production frames or no snapshots are asked for.
    """
    production = frames.production()
    if not len(production) or n_snapshots < 1:
        raise DynamicsError(
            f"{len(production)} production frames, {n_snapshots} snapshots asked for: one at least is needed of both."
        )
    chosen = np.unique(np.linspace(len(production) - 1, 0, n_snapshots + 1)[:-1].round().astype(int))
    forces, energies = [], []
    for index in chosen:
        atoms = production.atoms(int(index))
        ours, theirs = potential.evaluate(atoms), teacher.evaluate(atoms)
        forces.append(np.abs(ours.forces_ev_per_a - theirs.forces_ev_per_a).mean())
        energies.append((ours.energy_ev - theirs.energy_ev) / len(atoms))
    spread = float(np.abs(np.array(energies) - np.mean(energies)).mean()) if len(energies) > 1 else None
    return TeacherCheck(
        force_mae_ev_per_a=float(np.mean(forces)), energy_mae_ev_per_atom=spread, n_snapshots=len(chosen)
    )
