"""The energy of one hop: the ion held in planes along its way, everything else relaxed, one potential.

The ion goes from a site to a neighbouring one, in a cell whose host has one vacancy or one ion. Both ends are relaxed
at fixed cell. Between them the ion is held in planes across the straight way from one relaxed end to the other, first
where image-dependent pair potentials put it (doi:10.1063/1.4878664), clear of other atoms,

    d . (r_ion - R_host) = s,        d: unit vector of the way, R_host: mean position of the host's atoms,

and all else relaxes: ion in its plane, host without drifting along the way. The force that holds the ion is the slope
of the profile, -dE/ds, so that cubic Hermite pieces through energies and slopes give the highest point between planes
too. This finds the minimum-energy path as long as that passes each plane once; a nudged elastic band costs several
times as many forces for the same points. Another potential may find the path first, a `guide`: then a few steps from
its points give the energies.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.mep.neb import NEB, idpp_interpolate
from ase.neighborlist import neighbor_list
from ase.optimize import LBFGS
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline

from core.errors import BarrierError
from core.hops.mirror import Mirror, mirror
from core.potentials import Potential

Floats = NDArray[np.float64]

FORCE_EV_PER_A: Final = 0.05
END_STEPS: Final = 100
PLANE_STEPS: Final = 35
PRICE_END_STEPS: Final = 20
PRICE_STEPS: Final = 8
"""Of points that a guide has relaxed before."""

UNSETTLED_EV_PER_A: Final = 0.3
"""A host whose forces are larger after `END_STEPS` is on its way elsewhere: no hop in it has a height."""

N_PLANES: Final = 5
WILD_EV: Final = 6.0
"""Beyond it no ion hops: an image is broken, or the potential fails there."""

IDPP_FORCE: Final = 0.1
IDPP_STEPS: Final = 60

SURE_EV: Final = 0.1
"""A point relaxed so far comes down by less: higher than a limit by more, a hop is higher for certain."""

APART_EV: Final = 3.0
"""Ends further apart than this: the host has changed between them."""

PAIR_LIMIT: Final = 0.5
"""Times the sum of covalent radii: closer atoms are in each other."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hop:
    """A cell with the ion at the start of its hop, and how it goes.

    `atoms`: all atoms, the moving ion last. `step_a`: (3,) vector from its site to the other, not wrapped.
    """

    id: str
    atoms: Atoms
    step_a: Floats

    def __post_init__(self) -> None:
        length_a = float(np.linalg.norm(self.step_a))
        if not 0.5 < length_a < 15.0:
            raise BarrierError(f"{self.id}: a hop of {length_a:.2f} angstrom; 0.5 to 15 can be worked out.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """A point of the profile: the way gone (0 to 1), energy over the start, its slope (eV per whole way), the atoms.

    `force_ev_per_a` is the largest force left that is not the holding one.
    """

    way: float
    energy_ev: float
    slope_ev: float
    force_ev_per_a: float
    atoms: Atoms


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """Energies along a hop.

    `barrier_ev`: the largest climb on the way, max over s < t of E(t) - E(s), which is the highest point over the start
    where no point between lies lower; `back_ev`: the same going back; `n_forces`: calls. A profile that was left once
    it rose above the limit asked about is not `whole`: its barriers are at least so high.
    """

    images: tuple[Image, ...]
    barrier_ev: float
    back_ev: float
    converged: bool
    n_forces: int
    whole: bool = True

    @property
    def energies_ev(self) -> Floats:
        """(n,) energies over the start."""
        return np.array([image.energy_ev for image in self.images])


class _HeldInPlane:
    """ASE constraint: the last atom keeps its place along a direction, the others their mean place along it."""

    def __init__(self, direction: Floats) -> None:
        self.direction = direction

    def adjust_positions(self, atoms: Atoms, new: Floats) -> None:
        moved = (new - atoms.positions) @ self.direction
        new[-1] -= moved[-1] * self.direction
        new[:-1] -= moved[:-1].mean() * self.direction

    def adjust_forces(self, atoms: Atoms, forces: Floats) -> None:
        along = forces @ self.direction
        forces[-1] -= along[-1] * self.direction
        forces[:-1] -= along[:-1].mean() * self.direction

    def get_removed_dof(self, atoms: Atoms) -> int:
        return 2

    def index_shuffle(self, atoms: Atoms, ind: Any) -> None:
        raise NotImplementedError("the ion's place is the last")

    def todict(self) -> dict[str, Any]:
        return {"name": "held in plane", "kwargs": {"direction": self.direction.tolist()}}


class _Counter:
    """Force calls, and who wants to hear of them (it may raise to stop)."""

    def __init__(self, on_step: Callable[[int], None]) -> None:
        self.on_step, self.n = on_step, 0

    def tick(self) -> None:
        self.n += 1
        self.on_step(self.n)


def scan(
    hop: Hop, potential: Potential, *, guide: Potential | None = None, n_planes: int = N_PLANES,
    limit_ev: float = np.inf, on_step: Callable[[int], None] = lambda n: None,
) -> Profile:  # fmt: skip
    """Return the profile of a hop; where symmetry turns it around, half of it is worked out.

    The middle comes first. A hop that rises above `limit_ev` for certain, there or back, is left there. `guide`: the
    potential that finds the path, which `potential` then prices; it must know where the ion rests. Its forces count in
    `on_step`, not in `n_forces`.

    Raises `BarrierError` where an ion does not stay on its site, the host does not settle, atoms come into each other
    or an image is wild, and what the potential raises.
    """
    if guide is None:
        return _Scan(hop, potential, None, on_step).profile(n_planes, limit_ev)
    n_before = 0

    def hear(n: int) -> None:
        nonlocal n_before
        n_before = n
        on_step(n)

    path = _Scan(hop, guide, None, hear).profile(n_planes, np.inf)
    return _Scan(hop, potential, path, lambda n: on_step(n + n_before)).profile(n_planes, limit_ev)


class _Scan:
    """One potential on one hop, from the points of a path that another one found, or from none."""

    def __init__(
        self, hop: Hop, potential: Potential, path: Profile | None, on_step: Callable[[int], None]
    ) -> None:
        self.hop, self.path = hop, path
        self.calculator, self.counter = potential.calculator(), _Counter(on_step)
        self.turning = mirror(hop.atoms, hop.step_a)
        self.end_steps, self.plane_steps = (
            (END_STEPS, PLANE_STEPS) if path is None else (PRICE_END_STEPS, PRICE_STEPS)
        )

    def profile(self, n_planes: int, limit_ev: float) -> Profile:
        """Relax both ends and the points between them, the middle first."""
        start, end = self._ends()
        way_a = end.positions[-1] - start.positions[-1] - (end.positions - start.positions)[:-1].mean(axis=0)
        length_a, asked_a = float(np.linalg.norm(way_a)), float(np.linalg.norm(self.hop.step_a))
        if length_a < 0.5 * asked_a:
            raise BarrierError(
                f"{self.hop.id}: relaxed, both ends lie {length_a:.2f} angstrom apart, of {asked_a:.2f}: the ion does "
                "not stay on one of its sites.",
                verdict="no site",
            )
        zero_ev = float(start.get_potential_energy())
        apart_ev = abs(float(end.get_potential_energy()) - zero_ev) if self.turning is None else 0.0
        if not apart_ev < APART_EV:
            raise BarrierError(
                f"{self.hop.id}: both ends lie {apart_ev:.1f} eV apart: the host changes with the ion.",
                verdict="wild",
            )
        images = [_image(0.0, start, zero_ev, 0.0)]
        images.append(
            _image(1.0, end, zero_ev, 0.0) if self.turning is None else _turned(images[0], self.turning)
        )
        guesses = self._guesses(start, end, n_planes)
        for way in sorted(guesses, key=lambda way: (round(abs(way - 0.5), 6), way)):
            if self.turning is not None and way > 0.5 + 1e-9:
                continue
            seen_ev = np.array([image.energy_ev for image in images])
            if limit_ev + SURE_EV < _highest_ev(seen_ev) <= WILD_EV:
                return self._told(images, seen_ev, whole=False)
            atoms = start.copy()
            atoms.positions += way * (end.positions - start.positions)
            slope_ev = self._relax_between(atoms, guesses[way], way_a, way)
            images.append(_image(way, atoms, zero_ev, slope_ev))
            if self.turning is not None and way < 0.5 - 1e-9:
                images.append(_turned(images[-1], self.turning))
            images.sort(key=lambda image: image.way)
        curve_ev = _curve_ev(images)
        if not _highest_ev(curve_ev) <= WILD_EV:
            raise BarrierError(
                f"{self.hop.id}: the profile rises by {_highest_ev(curve_ev):.1f} eV: an image is broken.",
                verdict="wild",
            )
        return self._told(images, curve_ev, whole=True)

    def _ends(self) -> tuple[Atoms, Atoms]:
        if self.path is None:
            start, end = self.hop.atoms.copy(), self.hop.atoms.copy()
            end.positions[-1] += self.hop.step_a
        else:
            start, end = (self.path.images[i].atoms.copy() for i in (0, -1))
        self._relax_end(start, "start")
        if self.turning is not None:
            return start, self.turning.turned(start)
        self._relax_end(end, "end")
        return start, end

    def _guesses(self, start: Atoms, end: Atoms, n_planes: int) -> dict[float, Atoms]:
        if self.path is None:
            return _between(start, end, n_planes)
        return {image.way: image.atoms for image in self.path.images[1:-1]}

    def _relax_end(self, atoms: Atoms, name: str) -> None:
        _relax(self.hop, atoms, self.calculator, self.counter, self.end_steps, name)
        left = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
        if self.path is None and not left < UNSETTLED_EV_PER_A:
            raise BarrierError(
                f"{self.hop.id}: the host does not settle with the ion at the {name}: after {self.end_steps} steps "
                f"forces of {left:.1f} eV/angstrom are left.",
                verdict="no site",
            )

    def _relax_between(self, atoms: Atoms, guess: Atoms, way_a: Floats, way: float) -> float:
        """Relax the ion in the plane that it lies in, from where a guess has it; return the slope (eV per way)."""
        length_a = float(np.linalg.norm(way_a))
        held, places = _HeldInPlane(way_a / length_a), guess.positions.copy()
        held.adjust_positions(atoms, places)
        atoms.positions = places
        atoms.set_constraint(held)
        _relax(self.hop, atoms, self.calculator, self.counter, self.plane_steps, f"{way:.2f} of the way")
        return -float(atoms.get_forces(apply_constraint=False)[-1] @ way_a)

    def _told(self, images: list[Image], energies_ev: Floats, *, whole: bool) -> Profile:
        return Profile(
            images=tuple(images), barrier_ev=_climb_ev(energies_ev), back_ev=_climb_ev(energies_ev[::-1]),
            converged=all(image.force_ev_per_a < 2.0 * FORCE_EV_PER_A for image in images),
            n_forces=self.counter.n, whole=whole,
        )  # fmt: skip


def _between(start: Atoms, end: Atoms, n_planes: int) -> dict[float, Atoms]:
    """Return first guesses by how much of the way lies behind them."""
    band = [start.copy() for _ in range(n_planes + 1)] + [end.copy()]
    neb = NEB(band, method="improvedtangent")
    neb.interpolate(mic=False)  # both ends are unwrapped: the ion goes straight from one to the other
    with warnings.catch_warnings():  # of the method of a band that it builds for itself
        warnings.simplefilter("ignore", UserWarning)
        idpp_interpolate(band, traj=None, log=None, fmax=IDPP_FORCE, mic=True, steps=IDPP_STEPS)
    ways = np.linspace(0.0, 1.0, n_planes + 2)
    return {float(way): atoms for way, atoms in zip(ways[1:-1], band[1:-1], strict=True)}


def _turned(image: Image, turning: Mirror) -> Image:
    return replace(image, way=1.0 - image.way, slope_ev=-image.slope_ev, atoms=turning.turned(image.atoms))


def _curve_ev(images: list[Image]) -> Floats:
    ways = [image.way for image in images]
    energies_ev, slopes_ev = [image.energy_ev for image in images], [image.slope_ev for image in images]
    values: Floats = CubicHermiteSpline(ways, energies_ev, slopes_ev)(np.linspace(0.0, 1.0, 601))
    return values


def _climb_ev(energies_ev: Floats) -> float:
    """The largest rise over any point passed before."""
    return float((energies_ev - np.minimum.accumulate(energies_ev)).max())


def _highest_ev(energies_ev: Floats) -> float:
    """The largest rise, there or back."""
    return max(_climb_ev(energies_ev), _climb_ev(energies_ev[::-1]))


def _image(way: float, atoms: Atoms, zero_ev: float, slope_ev: float) -> Image:
    left = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
    kept = atoms.copy()
    kept.set_constraint()
    return Image(
        way=way, energy_ev=float(atoms.get_potential_energy()) - zero_ev, slope_ev=slope_ev,
        force_ev_per_a=left, atoms=kept,
    )  # fmt: skip


def _relax(hop: Hop, atoms: Atoms, calculator: Any, counter: _Counter, steps: int, name: str) -> None:
    atoms.calc = calculator
    _check(hop, atoms, name)
    optimizer = LBFGS(atoms, logfile=None, maxstep=0.1)  # type: ignore[arg-type]
    for _ in optimizer.irun(fmax=FORCE_EV_PER_A, steps=steps):
        counter.tick()
        _check(hop, atoms, name)


def _check(hop: Hop, atoms: Atoms, name: str) -> None:
    first, second, lengths_a = neighbor_list(
        "ijd", atoms, PAIR_LIMIT * covalent_radii[atoms.numbers], self_interaction=False
    )
    if len(lengths_a):
        worst = int(lengths_a.argmin())
        names = "-".join(atoms.symbols[int(it)] for it in (first[worst], second[worst]))
        raise BarrierError(
            f"{hop.id}: at the {name} a {names} pair is {lengths_a[worst]:.2f} angstrom apart.",
            verdict="wild",
        )
