"""Whether a host keeps its framework when its ions leave: volume, moves of its atoms, bonds, pymatgen's matcher."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from pymatgen.analysis.structure_matcher import StructureMatcher

from core.errors import RelaxationError
from core.records import Crystal, FloatArray
from core.relaxation.ends import without

FRAMEWORKS: Final = ("topotactic", "distorted", "collapsed")

BOND_RATIO: Final = 1.3
"""Times the sum of covalent radii: two unlike atoms within it are bonded."""

BROKEN_RATIO: Final = 1.55
"""Times the sum of covalent radii: a bond that was there is broken only beyond it, so that a stretch is none."""

TOPOTACTIC_BONDS: Final = 0.02
COLLAPSED_BONDS: Final = 0.2
"""Shares of the host's bonds that break or form, up to which it is topotactic, and from which it is collapsed."""

COLLAPSED_VOLUME: Final = 0.3
"""Relative change of volume from which a host counts as collapsed, or come apart, whatever its bonds."""

_ANIONS: Final = frozenset({"O", "F", "S", "Se", "Te", "Cl", "Br", "I", "N"})
_FURTHER_ANIONS: Final = frozenset({"P", "As", "Sb", "C", "H"})
"""Where none of the first is there; in phosphates and the like these are cations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostChange:
    """What taking the ions out does to the host, atom by atom.

    `volume_change`: charged over discharged less 1. `largest_move_a`: of a host atom, in the mean cell, without the
    drift of all. `bonds_changed`: share of the host's bonds that broke or formed. `coordination_changed`: host cations
    whose number of anion neighbours differs. `matches`: whether pymatgen's `StructureMatcher` finds the two hosts alike
    (its default tolerances, volumes scaled).
    """

    framework: str
    volume_change: float
    largest_move_a: float
    mean_move_a: float
    bonds_changed: float
    coordination_changed: int
    n_host_cations: int
    matches: bool

    @property
    def words(self) -> str:
        """A sentence with the numbers."""
        return (
            f"Host {self.framework}: volume {self.volume_change:+.1%}, largest move of a host atom "
            f"{self.largest_move_a:.2f} angstrom, {self.bonds_changed:.0%} of its bonds broken or formed, coordination "
            f"of {self.coordination_changed} of {self.n_host_cations} host cations changed."
        )


def host_change(discharged: Crystal, charged: Crystal, working_ion: str) -> HostChange:
    """Return what became of the host between two crystals whose host atoms stand in the same order.

    Topotactic: the matcher finds it again and at most 2 % of its bonds changed. Collapsed: 20 % of the bonds or 30 % of
    the volume changed. Distorted: between the two. Raises `RelaxationError` where the host atoms differ.
    """
    hosts = [_host(crystal, working_ion) for crystal in (discharged, charged)]
    if hosts[0].species != hosts[1].species:
        raise RelaxationError(
            f"{discharged.id}: the host atoms of {discharged.formula} and {charged.formula} differ; give two states of "
            "one host, their host atoms in the same order."
        )
    moves_a = host_moves_a(*hosts)
    n_bonds, n_changed, n_recoordinated, n_cations = _bonds(*hosts)
    volume_change = charged.volume_a3 / discharged.volume_a3 - 1.0
    share = n_changed / n_bonds if n_bonds else 0.0
    # Not by primitive cells: a small loss of symmetry makes them differ in size.
    matcher = StructureMatcher(primitive_cell=False)
    matches = bool(matcher.fit(hosts[0].to_pymatgen(), hosts[1].to_pymatgen()))
    if share >= COLLAPSED_BONDS or abs(volume_change) >= COLLAPSED_VOLUME:
        framework = "collapsed"
    else:
        framework = "topotactic" if matches and share <= TOPOTACTIC_BONDS else "distorted"
    return HostChange(
        framework=framework, volume_change=volume_change, largest_move_a=float(moves_a.max()),
        mean_move_a=float(moves_a.mean()), bonds_changed=share, coordination_changed=n_recoordinated,
        n_host_cations=n_cations, matches=matches,
    )  # fmt: skip


def _host(crystal: Crystal, working_ion: str) -> Crystal:
    ions = [site for site, element in enumerate(crystal.species) if element == working_ion]
    if len(ions) == crystal.n_sites:
        raise RelaxationError(f"{crystal.id}: {crystal.formula} has no host beside its {working_ion}.")
    return without(crystal, ions)


def host_moves_a(before: Crystal, after: Crystal) -> FloatArray:
    """Return how far (n,) atoms move, angstrom: in the mean of both cells, nearest images, the mean drift taken off."""
    shift = after.frac - before.frac
    shift -= np.round(shift)
    shift -= shift.mean(axis=0)
    moves: FloatArray = np.linalg.norm(shift @ (before.lattice_a + after.lattice_a) / 2.0, axis=1)
    return moves


def _bonds(before: Crystal, after: Crystal) -> tuple[int, int, int, int]:
    """Bonds before, bonds broken or formed, cations of another coordination, cations."""
    old, new = _close_pairs(before), _close_pairs(after)
    n_bonds = sum(near for near, _ in old.values()) // 2
    change: Counter[int] = Counter()
    broken_or_formed = 0
    for pair in old.keys() | new.keys():
        (old_near, old_reach), (new_near, new_reach) = old.get(pair, (0, 0)), new.get(pair, (0, 0))
        # Counted by pair of sites, images together: a bond is lost where none is even in reach, won where none was.
        lost, won = max(0, old_near - new_reach), max(0, new_near - old_reach)
        broken_or_formed += lost + won
        change[pair[0]] += won - lost
    anions = _anions(before)
    is_cation = np.array([element not in anions for element in before.species])
    moved = sum(bool(is_cation[site]) and difference != 0 for site, difference in change.items())
    return n_bonds, broken_or_formed // 2, moved, int(is_cation.sum())


def _close_pairs(crystal: Crystal) -> dict[tuple[int, int], tuple[int, int]]:
    """For each ordered pair of sites, an anion and another element: images that are bonded, images within reach."""
    numbers: NDArray[np.int64] = np.array([atomic_numbers[element] for element in crystal.species])
    radii_a = covalent_radii[numbers]
    first, second, lengths_a = neighbor_list(
        "ijd", crystal.to_ase(), BROKEN_RATIO * radii_a, self_interaction=False
    )
    ratio = lengths_a / (radii_a[first] + radii_a[second])
    anions, species = _anions(crystal), crystal.species
    pairs: dict[tuple[int, int], tuple[int, int]] = {}
    for a, b, value in zip(first.tolist(), second.tolist(), ratio.tolist(), strict=True):
        if species[a] != species[b] and (species[a] in anions or species[b] in anions):
            near, reach = pairs.get((a, b), (0, 0))
            pairs[a, b] = (near + (value <= BOND_RATIO), reach + 1)
    return pairs


def _anions(crystal: Crystal) -> frozenset[str]:
    return _ANIONS if _ANIONS & set(crystal.species) else _FURTHER_ANIONS
