"""Which potential gives a barrier, and which one finds the path for it."""

from collections.abc import Mapping
from typing import Final

from core.errors import PotentialError
from core.potentials import DEFAULT_POTENTIAL, Potential, load_potential, potential_card

GUIDES: Final[Mapping[str, str]] = {"nequix-oam": "nequip-mp"}
"""A potential that is slower than another, and who goes before it."""

MOST_ACCURATE: Final = "nequix-oam"
"""On known hops (`python -m benchmarks.barriers`); its weights do not ship."""


def barrier_potential() -> str:
    """Return the most accurate potential that is at hand: `nequip-mp` ships, `nequix-oam` is better."""
    try:
        return potential_card(MOST_ACCURATE).name
    except PotentialError:
        return DEFAULT_POTENTIAL


def load_with_guide(name: str, device: str = "auto") -> tuple[Potential, Potential | None]:
    """Return a potential in single precision, and the one that finds the path for it, if any."""
    potential = load_potential(name, device=device, dtype="float32")
    guide = GUIDES.get(name)
    return potential, None if guide is None else load_potential(guide, device=device, dtype="float32")
