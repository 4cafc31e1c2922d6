"""The cell in which ions and gaps are ordered: the crystal's own, or the roundest supercell that one can afford."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from ase.build import make_supercell

from core.errors import NoWorkingIonError, OrderingError
from core.records import Crystal

MIN_IONS = 4
"""Ion sites that a cell should have: quarters, and with them halves, can be made."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderingCell:
    """A crystal in the cell that its ions are ordered in: `copies` along each vector of the one given."""

    crystal: Crystal
    copies: tuple[int, int, int]
    ion_sites: tuple[int, ...]

    @property
    def n_copies(self) -> int:
        """How many of the given cell it holds."""
        return int(np.prod(self.copies))


def ordering_cell(
    crystal: Crystal, working_ion: str, *, max_sites: int, min_ions: int = MIN_IONS
) -> OrderingCell:  # fmt: skip
    """Return the smallest cell with `min_ions` ion sites and at most `max_sites` sites, or the largest that fits.

    Of several with as many sites it is the one whose vectors are most alike in length. The crystal's own cell is taken
    where it has enough ions. Raises `NoWorkingIonError` for a crystal without ions, `OrderingError` where its own cell
    is too large already.
    """
    n_ions = crystal.count(working_ion)
    if n_ions == 0:
        raise NoWorkingIonError(crystal.formula, working_ion)
    most = max_sites // crystal.n_sites
    if most == 0:
        raise OrderingError(
            f"{crystal.id}: {crystal.n_sites} sites, and {max_sites} are allowed: raise `max_sites`, or give the "
            "primitive cell."
        )
    wanted = min(-(-min_ions // n_ions), most)
    copies = min(_factors(wanted), key=lambda it: _spread(crystal, it))
    cell = repeated(crystal, copies)
    sites = tuple(index for index, element in enumerate(cell.species) if element == working_ion)
    return OrderingCell(crystal=cell, copies=copies, ion_sites=sites)


def contents(n_sites: int, most: int) -> tuple[int, ...]:
    """Return the numbers of ions between none and all that are looked at: all, or `most` evenly spread ones."""
    inner = range(1, n_sites)
    if len(inner) <= most:
        return tuple(inner)
    return tuple(sorted({round(n_sites * step / (most + 1)) for step in range(1, most + 1)}))


def _factors(product: int) -> Iterator[tuple[int, int, int]]:
    for a in range(1, product + 1):
        for b in range(1, product // a + 1):
            if product % (a * b) == 0:
                yield a, b, product // (a * b)


def _spread(crystal: Crystal, copies: tuple[int, int, int]) -> tuple[float, tuple[int, int, int]]:
    lengths_a = np.linalg.norm(crystal.lattice_a, axis=1) * copies
    return round(float(lengths_a.max() / lengths_a.min()), 6), copies


def repeated(crystal: Crystal, copies: tuple[int, int, int]) -> Crystal:
    """Return a supercell, the copies of each site side by side: two states of one host keep their sites alike."""
    atoms = make_supercell(crystal.to_ase(), np.diag(copies), order="atom-major")
    return replace(
        crystal, lattice_a=np.array(atoms.cell.array), species=tuple(atoms.get_chemical_symbols()),
        frac=atoms.get_scaled_positions(),
    )  # fmt: skip
