"""The interatomic potentials that molecular dynamics may use, by their cards."""

from dataclasses import dataclass

from core.errors import ExplorerError
from core.potentials import POTENTIALS, PotentialCard, potential_card


@dataclass(frozen=True, kw_only=True)
class ListedPotential:
    """A potential by name with its card, or the reason why it cannot be had."""

    name: str
    card: PotentialCard | None
    error: str = ""


def listed_potentials() -> list[ListedPotential]:
    """Return all potentials, in the order in which they are offered."""
    return [_listed(name) for name in POTENTIALS]


def _listed(name: str) -> ListedPotential:
    try:
        return ListedPotential(name=name, card=potential_card(name))
    except ExplorerError as error:
        return ListedPotential(name=name, card=None, error=str(error))
