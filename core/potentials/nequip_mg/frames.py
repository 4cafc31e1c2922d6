"""Frames for the student to learn from: strained, rattled and hot cells with ions missing, labelled by the teacher."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ase import Atoms, units
from ase.constraints import FixAtoms
from ase.data import covalent_radii
from ase.geometry import get_distances
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import thermalize_momenta
from numpy.typing import NDArray

from core.potentials.base import Potential
from core.records import Crystal

Floats = NDArray[np.float64]
Generator = np.random.Generator

VACANCIES: Final = (0.0, 0.2, 0.2, 0.2, 0.5, 0.8)
TEMPERATURES_K: Final = (800.0, 1000.0, 1200.0, 1200.0, 1500.0)
TARGET_ATOMS: Final = 40
"""Frames have about so many atoms: enough for vacancies, few enough for the teacher's time."""

MAX_FORCE_EV_PER_A: Final = 25.0
"""A frame with a larger force is broken: no trajectory at 1500 K goes there, and training would follow it alone."""

_MIN_PAIR = 0.6
_NEAREST = 1.2
_MASS_AMU = 20.0
_STEP_FS = 3.0
_FRICTION_PER_FS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """Labelled atoms: `forces_ev_per_a` (n, 3), `stress_ev_per_a3` (3, 3).

    `kind` is "static", "teacher", "student" or "hop".
    """

    crystal_id: str
    kind: str
    atoms: Atoms
    energy_ev: float
    forces_ev_per_a: Floats
    stress_ev_per_a3: Floats


def starting_cell(crystal: Crystal, working_ion: str, rng: Generator) -> Atoms:
    """Return the crystal repeated to about `TARGET_ATOMS`, some of its working ions removed, a few per cent strained.

    The strain is symmetric with 1.5 % standard deviation, on top of -1 to 4 % of each length for thermal expansion.
    """
    cell = crystal.to_ase()
    atoms: Atoms = cell.repeat(_repeats(cell, rng))
    ions = np.flatnonzero(atoms.symbols == working_ion)
    n_removed = round(float(rng.choice(VACANCIES)) * len(ions))
    if 0 < n_removed < len(atoms):
        del atoms[rng.choice(ions, size=n_removed, replace=False).tolist()]
    strain = rng.normal(0.0, 0.015, (3, 3))
    deformation = (np.eye(3) + (strain + strain.T) / 2) * (1.0 + rng.uniform(-0.01, 0.04))
    atoms.set_cell(atoms.cell.array @ deformation, scale_atoms=True)
    return atoms


def rattled(atoms: Atoms, working_ion: str, rng: Generator) -> Atoms:
    """Return a copy with Gaussian displacements of 0.02 to 0.16 angstrom; now and then one ion leaves its site."""
    moved: Atoms = atoms.copy()
    sigma_a = rng.uniform(0.02, 0.16)
    moved.positions += rng.normal(0.0, sigma_a, moved.positions.shape)
    ions = np.flatnonzero(moved.symbols == working_ion)
    if len(ions) and rng.random() < 0.35:
        direction = rng.normal(size=3)
        moved.positions[rng.choice(ions)] += direction / np.linalg.norm(direction) * rng.uniform(0.3, 1.6)
    return moved


def hopping(atoms: Atoms, working_ion: str, rng: Generator) -> Atoms | None:
    """Return a copy with one ion held somewhere on the straight way to a neighbour's site, which is empty.

    None where there are no two ions. The way matters most for diffusion, and dynamics is on it only now and then.
    """
    ions = np.flatnonzero(atoms.symbols == working_ion)
    if len(ions) < 2:
        return None
    ion = int(rng.choice(ions))
    others = ions[ions != ion]
    distances_a = atoms.get_distances(ion, others, mic=True)
    gap = int(rng.choice(others[distances_a < _NEAREST * distances_a.min()]))
    moved: Atoms = atoms.copy()
    moved.positions[ion] += rng.uniform() * atoms.get_distance(ion, gap, mic=True, vector=True)
    del moved[gap]
    moved.set_constraint(FixAtoms([ion - (gap < ion)]))
    return moved


def is_sound(atoms: Atoms) -> bool:
    """Return whether no two atoms are nearer than 0.6 of the sum of their covalent radii."""
    _, distances_a = get_distances(atoms.positions, cell=atoms.cell, pbc=True)
    radii_a = covalent_radii[atoms.numbers]
    np.fill_diagonal(distances_a, np.inf)
    return bool((distances_a > _MIN_PAIR * (radii_a[:, None] + radii_a[None, :])).all())


def label(atoms: Atoms, teacher: Potential, *, crystal_id: str, kind: str) -> Frame | None:
    """Return the frame with the teacher's labels, or None where it is broken (see `MAX_FORCE_EV_PER_A`)."""
    if not is_sound(atoms):
        return None
    labels = teacher.evaluate(atoms)
    if not np.abs(labels.forces_ev_per_a).max() < MAX_FORCE_EV_PER_A:
        return None
    bare = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)
    return Frame(
        crystal_id=crystal_id, kind=kind, atoms=bare, energy_ev=labels.energy_ev,
        forces_ev_per_a=labels.forces_ev_per_a, stress_ev_per_a3=labels.stress_ev_per_a3,
    )  # fmt: skip


def hot_cells(
    start: Atoms, driver: Potential, rng: Generator, *, n_steps: int, keep: tuple[int, ...]
) -> Iterator[Atoms]:
    """Yield copies of atoms at the steps `keep` of Langevin dynamics at 800 to 1500 K, until they break.

    All atoms weigh the same: positions at equilibrium do not depend on masses, and so heavy and light ones lose their
    memory equally fast, at 3 fs a step.
    """
    atoms = start.copy()
    atoms.set_masses([_MASS_AMU] * len(atoms))
    temperature_k = float(rng.choice(TEMPERATURES_K))
    thermalize_momenta(atoms, 1.5 * temperature_k, rng=rng)
    atoms.calc = driver.calculator()
    dynamics = Langevin(
        atoms, _STEP_FS * units.fs, temperature_K=temperature_k, friction=_FRICTION_PER_FS / units.fs, fixcm=False,
        rng=rng,
    )  # fmt: skip
    for step in range(1, n_steps + 1):
        dynamics.run(1)
        if not np.abs(atoms.get_forces()).max() < 2 * MAX_FORCE_EV_PER_A:
            return
        if step in keep:
            yield atoms.copy()


def teacher_frames(
    crystal: Crystal, working_ion: str, teacher: Potential, rng: Generator, *, n_static: int, n_hot: int
) -> Iterator[Frame]:
    """Yield static frames and frames of the teacher's own dynamics, for the first round."""
    for _ in range(n_static):
        atoms = rattled(starting_cell(crystal, working_ion, rng), working_ion, rng)
        if frame := label(atoms, teacher, crystal_id=crystal.id, kind="static"):
            yield frame
    keep = tuple(12 + 9 * index for index in range(n_hot))
    start = starting_cell(crystal, working_ion, rng)
    start.positions += rng.normal(0.0, 0.06, start.positions.shape)
    if keep and is_sound(start):
        for atoms in hot_cells(start, teacher, rng, n_steps=keep[-1], keep=keep):
            if frame := label(atoms, teacher, crystal_id=crystal.id, kind="teacher"):
                yield frame


def student_frames(
    crystal: Crystal, working_ion: str, student: Potential, teacher: Potential, rng: Generator, *, n_runs: int
) -> Iterator[Frame]:
    """Yield frames of the student's dynamics with the teacher's labels: where the student goes, right or wrong."""
    for _ in range(n_runs):
        start = starting_cell(crystal, working_ion, rng)
        for atoms in hot_cells(start, student, rng, n_steps=90, keep=(34, 62, 90)):
            if frame := label(atoms, teacher, crystal_id=crystal.id, kind="student"):
                yield frame


def hop_frames(
    crystal: Crystal, working_ion: str, student: Potential, teacher: Potential, rng: Generator, *, n_hops: int
) -> Iterator[Frame]:
    """Yield frames with an ion held on its way to an empty site, while the student's dynamics moves all others."""
    for _ in range(n_hops):
        start = hopping(starting_cell(crystal, working_ion, rng), working_ion, rng)
        if start is None or not is_sound(start):
            continue
        for atoms in hot_cells(start, student, rng, n_steps=34, keep=(12, 34)):
            if frame := label(atoms, teacher, crystal_id=crystal.id, kind="hop"):
                yield frame


def _repeats(atoms: Atoms, rng: Generator) -> tuple[int, int, int]:
    """Grow the shortest direction until the target is near; at random the last step is left out."""
    times = np.ones(3, dtype=int)
    lengths_a = atoms.cell.lengths()
    while True:
        axis = int(np.argmin(lengths_a * times))
        grown = times.copy()
        grown[axis] += 1
        n_atoms = len(atoms) * int(grown.prod())
        if n_atoms > 1.4 * TARGET_ATOMS or (n_atoms > 0.8 * TARGET_ATOMS and rng.random() < 0.3):
            break
        times = grown
    repeats: Any = tuple(int(time) for time in times)
    counts: tuple[int, int, int] = repeats
    return counts
