"""The energy of one crystal by GPAW: plane waves, PAW, spin, Hubbard U; a second, gentler try where the first fails.

GPAW: Enkovaara and others 2010, doi:10.1088/0953-8984/22/25/253202; Mortensen and others 2024, doi:10.1063/5.0182685.
"""

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from core.dft.available import needed
from core.dft.cells import k_points
from core.dft.dispersion import dispersion_ev
from core.dft.level import FUNCTIONAL, Level, gpaw_setups
from core.dft.moments import at_rest
from core.errors import DftError
from core.records import Crystal
from core.settings import Settings

CONVERGENCE: Final = {"energy": 1e-5, "density": 1e-4, "eigenstates": 4e-7}
"""eV, electrons and eV^2, each per valence electron."""

_TRIES: Final[tuple[dict[str, Any], ...]] = (
    {"maxiter": 120},
    {"maxiter": 250, "mixer": {"name": "pulay", "beta": 0.02, "nmaxold": 8, "weight": 50.0}},
)
"""GPAW's own mixer first, then short steps."""

_EXPECTED_ITERATIONS: Final = 20
_HARTREE_EV: Final = 27.211386
_MAX_RELAX_STEPS: Final = 60

OnIteration = Callable[[int, float, float], None]
"""Called after each iteration with its number, the energy (eV) and the share that is done, a guess; may raise."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Point:
    """One converged calculation: the crystal as it was computed, its energy on GPAW's own scale, and what it cost.

    `energy_ev`: of the cell, electrons extrapolated to zero temperature, without dispersion. `start`: name of the
    moments that it began with. `moments_mu_b`: within the PAW spheres, a site each; the total is that of the cell.
    `force_max_ev_per_a`: how far the geometry is from rest at this level. `memory_mb`: most that the process held after
    an iteration. `note`: what was needed to converge.
    """

    crystal: Crystal
    energy_ev: float
    dispersion_ev: float
    k_grid: tuple[int, int, int]
    n_k_points: int
    start: str
    total_moment_mu_b: float
    moments_mu_b: tuple[float, ...]
    force_max_ev_per_a: float
    n_iterations: int
    seconds: float
    memory_mb: float
    note: str = ""


def calculate(
    crystal: Crystal, level: Level, *, start: str, moments_mu_b: Sequence[float], log: Path,
    on_iteration: OnIteration = lambda number, energy_ev, share: None, gentle: bool | None = None,
) -> Point:  # fmt: skip
    """Return the energy of a crystal in the cell as it is given, relaxed first where the level asks for it.

    `moments_mu_b`: to start from, a site each. `log`: GPAW's own text. What `on_iteration` raises ends it. `gentle`:
    only with GPAW's mixer (False) or only with short steps (True); both in turn by default. Raises `NotSettledError`
    where the electrons do not settle, `DftError` where GPAW is absent or knows no PAW set for an element.
    """
    needed("gpaw")
    began = time.process_time()
    tries = _TRIES if gentle is None else _TRIES[int(gentle) :][:1]
    n_iterations = 0
    for settings in tries:
        work = _Work(crystal, level, moments_mu_b, log, settings, on_iteration)
        try:
            with _told(crystal):
                point = work.point(start, level.relax)
        except _NotConverged:
            n_iterations += work.n_iterations
            continue
        note = ""
        if settings is not _TRIES[0]:
            before = f" in {n_iterations} iterations" if n_iterations else ""
            note = f"The first mixer did not settle{before}; the second, gentler one did."
        return replace(
            point,
            n_iterations=point.n_iterations + n_iterations,
            seconds=time.process_time() - began,
            note=note,
        )
    raise NotSettledError(_what_to_try(crystal, n_iterations, level))


class NotSettledError(DftError):
    """Electrons that do not settle from the moments that they were started with, with what to try."""


class _NotConverged(Exception):
    """GPAW gave up on one mixer."""


class _Work:
    """One GPAW calculator on one crystal."""

    def __init__(
        self, crystal: Crystal, level: Level, moments_mu_b: Sequence[float], log: Path, settings: dict[str, Any],
        on_iteration: OnIteration,
    ) -> None:  # fmt: skip
        _set_threads()
        from gpaw import GPAW, PW

        self.crystal, self.level, self.log = crystal, level, log
        self.grid = k_points(crystal, level.k_spacing_per_a)
        self.atoms = _atoms(crystal, moments_mu_b)
        self.calculator = GPAW(
            mode=PW(level.ecut_ev), xc=FUNCTIONAL, kpts={"size": self.grid, "gamma": True},
            setups=gpaw_setups(level.hubbard_u_ev(crystal.species)),
            occupations={"name": "fermi-dirac", "width": level.smearing_ev}, convergence=dict(CONVERGENCE),
            symmetry={"symmorphic": False}, spinpol=not at_rest(moments_mu_b), txt=str(log), **settings,
        )  # fmt: skip
        self.n_iterations, self.memory_mb = 0, 0.0
        self.calculator.hooks["scf_step"] = lambda context: self._after(context, on_iteration)
        self.atoms.calc = self.calculator

    def point(self, start: str, relax: bool) -> Point:
        """Converge, relaxing first where it is asked for, and collect what is kept."""
        from gpaw import KohnShamConvergenceError

        try:
            crystal = self._relaxed() if relax else self.crystal
            energy_ev = float(self.atoms.get_potential_energy())
            forces = self.atoms.get_forces()
        except KohnShamConvergenceError:
            raise _NotConverged from None
        return Point(
            crystal=crystal, energy_ev=energy_ev, dispersion_ev=dispersion_ev(crystal), k_grid=self.grid,
            n_k_points=len(self.calculator.get_ibz_k_points()), start=start,
            total_moment_mu_b=float(self.atoms.get_magnetic_moment()),
            moments_mu_b=tuple(round(float(it), 3) for it in self.atoms.get_magnetic_moments()),
            force_max_ev_per_a=float(np.linalg.norm(forces, axis=1).max()), n_iterations=self.n_iterations,
            seconds=0.0, memory_mb=self.memory_mb,
        )  # fmt: skip

    def _after(self, context: Any, on_iteration: OnIteration) -> None:
        self.n_iterations += 1
        self.memory_mb = max(self.memory_mb, psutil.Process().memory_info().rss / 1e6)
        share = 1.0 - math.exp(-self.n_iterations / _EXPECTED_ITERATIONS)
        on_iteration(self.n_iterations, float(context.energies.total_extrapolated) * _HARTREE_EV, share)

    def _relaxed(self) -> Crystal:
        """Relax ions and cell; each step leaves the geometry in `NAME.xyz`, from which a later sitting goes on."""
        from ase.filters import FrechetCellFilter
        from ase.io import read, write
        from ase.optimize import BFGS

        kept = self.log.with_suffix(".xyz")
        if kept.is_file():
            before: Any = read(kept)
            self.atoms.set_cell(before.cell)
            self.atoms.set_scaled_positions(before.get_scaled_positions())
        filtered: Any = FrechetCellFilter(self.atoms)
        moving = BFGS(filtered, logfile=None)
        for _ in moving.irun(fmax=self.level.force_ev_per_a, steps=_MAX_RELAX_STEPS):
            write(kept, _bare(self.atoms), format="extxyz")
        if not moving.converged(moving.optimizable.get_gradient()):
            raise DftError(
                f"{self.crystal.formula} was not at rest to {self.level.force_ev_per_a:g} eV/angstrom after "
                f"{_MAX_RELAX_STEPS} steps; run it again to go on from there, or relax it by a potential first."
            )
        return replace(
            self.crystal, lattice_a=np.array(self.atoms.cell), frac=self.atoms.get_scaled_positions()
        )


def _set_threads() -> None:
    """Give the linear algebra under GPAW the threads of a run; it reads this once, when GPAW is first imported."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(Settings.from_environment().job_threads))


def _atoms(crystal: Crystal, moments_mu_b: Sequence[float]) -> Any:
    from ase import Atoms

    return Atoms(
        crystal.species,
        cell=crystal.lattice_a,
        scaled_positions=crystal.frac,
        pbc=True,
        magmoms=list(moments_mu_b),
    )


def _bare(atoms: Any) -> Any:
    copy = atoms.copy()
    copy.calc = None
    return copy


@contextlib.contextmanager
def _told(crystal: Crystal) -> Iterator[None]:
    """Turn what GPAW says of an element that it has no PAW set for into an error with a remedy."""
    try:
        yield
    except FileNotFoundError as error:
        raise DftError(
            f"{crystal.formula}: GPAW has no PAW set for one of its elements ({error}); leave this crystal out, or use "
            "`dft prepare` for VASP."
        ) from None


def _what_to_try(crystal: Crystal, n_iterations: int, level: Level) -> str:
    other = "high" if level.spin == "low" else "low"
    return (
        f"The electrons of {crystal.formula} did not settle in {n_iterations} iterations, with GPAW's mixer or with "
        f"a gentler one. Try other moments (--spin {other}), a wider smearing (--smearing-ev {2 * level.smearing_ev:g})"
        ", or a geometry that is closer to rest."
    )
