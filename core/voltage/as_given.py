"""What speaks against a crystal as it was given: a voltage model only knows compounds that are at rest.

The labelled electrodes were relaxed by density-functional theory. A file whose cell is too small, too large or empty in
parts, or whose elements were swapped, is told by four things: forces and pressure, where the model's potential says
them, the distance of every atom to its nearest neighbour, and the volume, both in covalent radii. The limits are what
all but 0.6 % of the labelled electrodes with an anion keep, and of the candidates: `python -m benchmarks.domain`.

An alloy is refused too: among labelled alloys the 90 % intervals hold too seldom (the same command).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from numpy.typing import NDArray

from core.graphs import CUTOFF_A, build_graph
from core.oxidation import ANION_FORMERS, has_anion
from core.records import Crystal
from core.units import GPA_A3_PER_EV

MAX_FORCE_EV_PER_A: Final = 2.0
PRESSURE_GPA: Final = (-5.0, 8.0)
"""Labelled electrodes are within 3.5 GPa but for one; cells of measured volume, among the candidates, under up to 7."""

CLOSEST: Final = 0.72
CLOSEST_METALS: Final = 0.75
"""Of two atoms, and of two of which none is an anion: their distance over the sum of their covalent radii."""

FARTHEST: Final = 1.45
"""Of an atom: the distance to its nearest neighbour over the sum of their covalent radii."""

OPENNESS: Final = (0.9, 6.0)
"""Volume of the cell over that of its atoms as spheres of their covalent radii."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strain:
    """How far a crystal is from rest: its largest force, and its pressure, positive where the cell wants to grow."""

    force_ev_per_a: float
    pressure_gpa: float

    @classmethod
    def of(cls, force_ev_per_a: NDArray[np.float64], stress_ev_per_a3: NDArray[np.float64]) -> "Strain":
        """Return it from (n,) sizes of forces and the (3, 3) stress, ASE's sign."""
        pressure = -float(np.trace(stress_ev_per_a3)) / 3.0 * GPA_A3_PER_EV
        return cls(force_ev_per_a=float(force_ev_per_a.max()), pressure_gpa=pressure)

    def reasons(self) -> list[str]:
        """Return why the crystal is not at rest; none where it is."""
        found = []
        if self.force_ev_per_a > MAX_FORCE_EV_PER_A:
            found.append(f"largest force {self.force_ev_per_a:.1f} eV/angstrom as given: not relaxed")
        if not PRESSURE_GPA[0] <= self.pressure_gpa <= PRESSURE_GPA[1]:
            wants = "grow" if self.pressure_gpa > 0.0 else "shrink"
            found.append(f"cell under {self.pressure_gpa:+.0f} GPa as given: it wants to {wants}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """How the atoms of a crystal lie, in covalent radii (`CLOSEST`, `FARTHEST`, `OPENNESS`), with the atoms meant.

    `closest_metals` is infinite where no two neighbours are without an anion.
    """

    closest: float
    closest_pair: str
    closest_metals: float
    closest_metal_pair: str
    farthest: float
    farthest_atom: str
    openness: float

    @classmethod
    def of(cls, crystal: Crystal) -> "Packing":
        """Return the packing of a crystal; an atom without a neighbour within 8 angstrom is infinitely far.

        Raises `StructureError` for two atoms on one place.
        """
        graph = build_graph(crystal)
        radii_a = covalent_radii[[atomic_numbers[it] for it in crystal.species]]
        near = graph.distances_a / (radii_a[graph.atoms] + radii_a[graph.neighbours])
        nearest = np.full(graph.n_atoms, np.inf)
        np.minimum.at(nearest, graph.atoms, near)
        symbols = np.array(crystal.species)
        pairs = np.sort(np.stack([symbols[graph.atoms], symbols[graph.neighbours]], axis=1), axis=1)
        metals = ~np.isin(pairs, ANION_FORMERS).any(axis=1)
        closest, closest_pair = _least(near, pairs)
        closest_metals, closest_metal_pair = _least(near[metals], pairs[metals])
        return cls(
            closest=closest, closest_pair=closest_pair, closest_metals=closest_metals,
            closest_metal_pair=closest_metal_pair,
            farthest=float(nearest.max()), farthest_atom=crystal.species[int(nearest.argmax())],
            openness=crystal.volume_a3 / float(4.0 / 3.0 * np.pi * (radii_a**3).sum()),
        )  # fmt: skip

    def reasons(self) -> list[str]:
        """Return why this is no crystal as the model knows them; none where it is one."""
        found = []
        if self.closest < CLOSEST:
            found.append(f"{self.closest_pair} at {self.closest:.2f} of their covalent radii: too close")
        elif self.closest_metals < CLOSEST_METALS:
            found.append(
                f"{self.closest_metal_pair} at {self.closest_metals:.2f} of their covalent radii: too close"
            )
        if np.isinf(self.farthest):
            found.append(f"{self.farthest_atom} has no neighbour within {CUTOFF_A:g} angstrom")
        elif self.farthest > FARTHEST:
            found.append(
                f"nearest neighbour of {self.farthest_atom} {self.farthest:.2f} times as far as their covalent radii"
            )
        least, most = OPENNESS
        if not least <= self.openness <= most:
            found.append(
                f"cell {self.openness:.1f} times the volume of its atoms ({least:g} to {most:g} allowed)"
            )
        return found


def _least(near: NDArray[np.float64], pairs: NDArray[np.str_]) -> tuple[float, str]:
    if not len(near):
        return np.inf, ""
    edge = int(near.argmin())
    return float(near[edge]), "-".join(pairs[edge])


def objections(crystal: Crystal, strain: Strain | None) -> list[str]:
    """Return why a voltage model should not be trusted about a crystal as it was given, in words; none where it may.

    Without `strain` it is not known whether the crystal is at rest, and nothing is said of it. Raises `StructureError`
    for two atoms on one place.
    """
    alloy = [] if has_anion(crystal.species) else ["no anion: an alloy, whose intervals do not hold"]
    at_rest = [] if strain is None else strain.reasons()
    return [*alloy, *Packing.of(crystal).reasons(), *at_rest]
