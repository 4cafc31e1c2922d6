"""Stability of one crystal on demand: energies of both ends in, distance from the hull and insertion window out."""

from collections import Counter

from core.potentials import DEFAULT_POTENTIAL, potential_card
from core.records import Crystal
from core.stability import Stability, assess


def stability_of_ends(
    discharged: Crystal, discharged_ev: float, charged: Crystal, charged_ev: float, working_ion: str, *,
    potential: str = DEFAULT_POTENTIAL,
) -> Stability:  # fmt: skip
    """Return the stability of both ends from the energies (eV) of their relaxed cells under a potential, some 20 ms.

    Where the discharged crystal states its energy above the hull, that is told for it. Raises `HullError` for ends that
    are not of one host, a potential on another energy scale, or elements of which nothing is known; `PotentialError`
    and `UnknownIonError` for an unknown potential or ion.
    """
    return assess(
        Counter(discharged.species), discharged_ev, Counter(charged.species), charged_ev, working_ion,
        energy_scale=potential_card(potential).energy_scale,
        stated_e_above_hull_ev_per_atom=discharged.e_above_hull_ev_per_atom,
    )  # fmt: skip
