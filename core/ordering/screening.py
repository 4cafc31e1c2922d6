"""The orderings of one content by their energy on the unrelaxed host: which ions leave, before anything moves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.ordering.cells import OrderingCell
from core.ordering.distinct import Ordering, orderings
from core.ordering.electrostatics import ewald_energies_ev
from core.relaxation import without

if TYPE_CHECKING:
    from core.potentials import Potential


@dataclass(frozen=True, kw_only=True, eq=False)
class Screened:
    """Orderings of one content, lowest energy first.

    `numbers`: their places in the enumeration. `energies_ev`: of the cell with the host where it stands in the full
    crystal; None for the only ordering of a content, which needs none. `n_orderings`: that differ by symmetry and were
    found, `complete` where these are all. `n_left_out`: that electrostatics ranked beyond the limit.
    """

    n_ions: int
    ranked: tuple[Ordering, ...]
    numbers: tuple[int, ...]
    energies_ev: tuple[float | None, ...]
    n_orderings: int
    n_left_out: int
    complete: bool


def screened(
    cell: OrderingCell, working_ion: str, n_ions: int, potential: "Potential", *, most: int, seed: int = 0,
    on_energy: Callable[[], None] = lambda: None,
) -> Screened:  # fmt: skip
    """Return the orderings of `n_ions` ions ranked by the potential, at most the `most` that electrostatics prefers.

    `on_energy` is called before each energy and may raise to stop. Raises `OrderingError` as `orderings` does, and what
    the potential raises.
    """
    found = orderings(cell.crystal, cell.ion_sites, n_ions, seed=seed)
    numbers = list(range(len(found.found)))
    if len(numbers) > most:
        coulomb_ev = ewald_energies_ev(cell.crystal, working_ion, cell.ion_sites, found.found)
        numbers = np.argsort(coulomb_ev, kind="stable")[:most].tolist()
    energies_ev: list[float | None] = [None] * len(numbers)
    if len(numbers) > 1:
        for place, number in enumerate(numbers):
            on_energy()
            gaps = found.found[number].gaps(cell.ion_sites)
            energies_ev[place] = potential.evaluate(without(cell.crystal, gaps).to_ase()).energy_ev
    order = sorted(range(len(numbers)), key=lambda place: energies_ev[place] or 0.0)
    return Screened(
        n_ions=n_ions, ranked=tuple(found.found[numbers[place]] for place in order),
        numbers=tuple(numbers[place] for place in order), energies_ev=tuple(energies_ev[place] for place in order),
        n_orderings=len(found.found), n_left_out=len(found.found) - len(numbers), complete=found.complete,
    )  # fmt: skip
