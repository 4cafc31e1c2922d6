"""Empty sites of a host by geometry: corners of the Voronoi cells of its atoms that leave an ion enough room."""

from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial import Voronoi, cKDTree

from core.oxidation import has_anion
from core.records import Crystal

ANION_A: Final = 1.7
CATION_A: Final = 2.2
"""The least distances to anions and to other atoms; relaxation widens a void by some tenths of an angstrom."""

_MERGE_A: Final = 0.8
"""Corners so close are one void, and a corner so close to an ion's own site is that site."""

Floats = NDArray[np.float64]


def voids(crystal: Crystal, ion: str) -> Floats:
    """Return (n, 3) fractional coordinates of the voids of the crystal's host, its ions' own sites left out."""
    lattice_a = np.asarray(crystal.lattice_a)
    is_ion = np.array([it == ion for it in crystal.species])
    frac = np.asarray(crystal.frac) % 1.0
    cells = np.array(list(product((-1, 0, 1), repeat=3)))
    atoms_a = (frac[~is_ion][:, None] + cells[None]).reshape(-1, 3) @ lattice_a
    is_anion = np.repeat([has_anion([it]) for it in np.asarray(crystal.species)[~is_ion]], len(cells))
    corners = Voronoi(atoms_a).vertices @ np.linalg.inv(lattice_a)
    corners = corners[((corners > -1e-6) & (corners < 1.0 - 1e-6)).all(axis=1)]
    roomy = np.ones(len(corners), dtype=bool)
    for of, least_a in ((is_anion, ANION_A), (~is_anion, CATION_A)):
        if of.any():
            roomy &= cKDTree(atoms_a[of]).query(corners @ lattice_a)[0] >= least_a
    found = _merged(corners[roomy], lattice_a)
    own = frac[is_ion]
    free = [place for place in found if not len(own) or _apart_a(own, place, lattice_a).min() > _MERGE_A]
    return np.array(free).reshape(-1, 3)


def _apart_a(places: Floats, place: Floats, lattice_a: Any) -> Floats:
    apart = places - place
    lengths: Floats = np.linalg.norm((apart - np.rint(apart)) @ lattice_a, axis=1)
    return lengths


def _merged(places: Floats, lattice_a: Any) -> Floats:
    """Return one place of each heap, the mean of what lies together."""
    if len(places) < 2:
        return places
    near = np.concatenate([_apart_a(places[i + 1 :], place, lattice_a) for i, place in enumerate(places)])
    heaps = fcluster(linkage(near, "single"), _MERGE_A, "distance")
    means = []
    for heap in range(1, heaps.max() + 1):
        members = places[heaps == heap]
        means.append((members[0] + (lambda d: d - np.rint(d))(members - members[0]).mean(axis=0)) % 1.0)
    return np.array(means)
