"""Every way to put ions and gaps on the ions' sites, once: by bsym, from the space group of the full host."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from bsym import ConfigurationSpace, SpaceGroup
from bsym.interface.pymatgen import space_group_from_structure

from core.errors import OrderingError
from core.records import Crystal

MAX_PERMUTATIONS = 20_000
"""So many ways are gone through one by one, in a few seconds; where there are more, unlike ones are drawn at random."""

SITE_TOLERANCE = 0.02
"""Fractional, between a site and its image under a symmetry that spglib found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """Which sites of the cell hold an ion, and how many orderings are the same by symmetry (itself among them)."""

    occupied: tuple[int, ...]
    multiplicity: int

    def gaps(self, ion_sites: Sequence[int]) -> tuple[int, ...]:
        """Return the ions' sites that are empty."""
        return tuple(site for site in ion_sites if site not in self.occupied)


@dataclass(frozen=True, slots=True, kw_only=True)
class Orderings:
    """The orderings of one content that differ by symmetry; `complete` where these are all there are."""

    n_ions: int
    n_permutations: int
    found: tuple[Ordering, ...]
    complete: bool


class _Sites:
    """The ions' sites of a cell under its space group."""

    def __init__(self, crystal: Crystal, ion_sites: Sequence[int]) -> None:
        self.sites = list(ion_sites)
        self.space = ConfigurationSpace(objects=self.sites, symmetry_group=self._group(crystal))

    def _group(self, crystal: Crystal) -> SpaceGroup:
        try:
            return space_group_from_structure(crystal.to_pymatgen(), subset=self.sites, atol=SITE_TOLERANCE)
        except (ValueError, TypeError) as error:
            raise OrderingError(
                f"{crystal.id}: the symmetry of its {len(self.sites)} ion sites cannot be told ({error}); give a "
                "structure whose sites stand on their symmetry to 0.01 angstrom."
            ) from None


def permutations(crystal: Crystal, ion_sites: Sequence[int]) -> np.ndarray:
    """Return how the space group permutes the ion sites: (n_operations, n_sites) places, each permutation once."""
    group = _Sites(crystal, ion_sites).space.symmetry_group
    return np.array([operation.as_vector(count_from_zero=True) for operation in group.symmetry_operations])


def orderings(
    crystal: Crystal, ion_sites: Sequence[int], n_ions: int, *, most: int = 500, seed: int = 0
) -> Orderings:  # fmt: skip
    """Return the orderings of `n_ions` ions over `ion_sites` of a full host that differ by its symmetry.

    Where there are more than `MAX_PERMUTATIONS` ways, at most `most` unlike ones are drawn at random by `seed`, each as
    likely as it is frequent. Raises `OrderingError` for a content that is none, or where symmetry cannot be told.
    """
    n_sites = len(ion_sites)
    if not 0 <= n_ions <= n_sites:
        raise OrderingError(f"{n_ions} ions on {n_sites} sites; 0 to {n_sites} are possible.")
    space = _Sites(crystal, ion_sites).space
    distribution = {1: n_ions, 0: n_sites - n_ions}
    total = comb(n_sites, n_ions)
    complete = total <= MAX_PERMUTATIONS
    if complete:
        found = space.unique_configurations({key: count for key, count in distribution.items() if count})
    else:
        found = space.random_unique_configurations(distribution, most, seed=seed)
    return Orderings(
        n_ions=n_ions, n_permutations=total, complete=complete,
        found=tuple(
            Ordering(
                occupied=tuple(site for site, is_ion in zip(ion_sites, it.tolist(), strict=True) if is_ion),
                multiplicity=it.count,
            )
            for it in found
        ),
    )  # fmt: skip
