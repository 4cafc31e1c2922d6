"""Every way to put ions and gaps on the ions' sites, once: by bsym, from the space group of the full host."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from bsym import ConfigurationSpace, SpaceGroup, SymmetryOperation
from numpy.typing import NDArray
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer, SymmetryUndeterminedError

from core.errors import OrderingError
from core.records import Crystal

MAX_PERMUTATIONS = 200_000
"""So many ways are gone through one by one, in a few seconds; where there are more, unlike ones are drawn at random."""

SYMMETRY_TOLERANCE_A = 0.1
"""As the Materials Project takes it: what a relaxation leaves of a symmetry is the symmetry."""


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


def permutations(crystal: Crystal, ion_sites: Sequence[int]) -> NDArray[np.int64]:
    """Return how the space group permutes the ion sites: (n_operations, n_sites), each permutation once.

    Row k holds, for each site in order, the place of the one that operation k takes it to. Raises `OrderingError` where
    no symmetry can be told.
    """
    structure = crystal.to_pymatgen()
    try:
        operations = SpacegroupAnalyzer(structure, symprec=SYMMETRY_TOLERANCE_A).get_symmetry_operations()
    except SymmetryUndeterminedError as error:
        raise OrderingError(
            f"{crystal.id}: spglib tells no symmetry of {crystal.formula} ({error}); its sites may lie on one another."
        ) from None
    frac = crystal.frac[list(ion_sites)]
    found: dict[tuple[int, ...], None] = {}
    for operation in operations:
        distances_a = structure.lattice.get_all_distances(operation.operate_multi(frac), frac)
        target = distances_a.argmin(axis=1)
        # Within the tolerance spglib may find operations that take a site a little beyond it: these are passed over.
        if len(set(target.tolist())) == len(frac):
            found[tuple(target.tolist())] = None
    return np.array(list(found), dtype=np.int64)


def orderings(
    crystal: Crystal, ion_sites: Sequence[int], n_ions: int, *, most: int = 500, seed: int = 0
) -> Orderings:  # fmt: skip
    """Return the orderings of `n_ions` ions over `ion_sites` of a full host that differ by its symmetry.

    Where there are more than `MAX_PERMUTATIONS` ways, at most `most` unlike ones are drawn at random by `seed`, each as
    likely as it is frequent, and fewer where so many might not be found. Raises `OrderingError` for a content that is
    none, or where symmetry cannot be told.
    """
    n_sites = len(ion_sites)
    if not 0 <= n_ions <= n_sites:
        raise OrderingError(f"{n_ions} ions on {n_sites} sites; 0 to {n_sites} are possible.")
    group = [SymmetryOperation.from_vector((row + 1).tolist()) for row in permutations(crystal, ion_sites)]
    space = ConfigurationSpace(objects=list(ion_sites), symmetry_group=SpaceGroup(symmetry_operations=group))
    distribution = {1: n_ions, 0: n_sites - n_ions}
    total = comb(n_sites, n_ions)
    complete = total <= MAX_PERMUTATIONS
    if complete:
        found = space.unique_configurations({key: count for key, count in distribution.items() if count})
    else:
        # There are at least as many as ways over operations; asked for half of these, the draw soon has them.
        n_drawn = min(most, max(1, total // (2 * len(group))))
        found = space.random_unique_configurations(distribution, n_drawn, seed=seed)
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
