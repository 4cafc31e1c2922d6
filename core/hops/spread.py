"""How far a barrier may be off: its standard deviation, fitted on hops known from density-functional theory.

    std^2 = floor^2 + (share * barrier)^2

by the likelihood of Laplace-distributed errors on 37 hops of magnesium in cells of up to 55 atoms. `python -m
benchmarks.barriers` counts how many errors lie within it, those of larger cells and of other ions apart.
"""

from collections.abc import Mapping
from typing import Final

SPREADS: Final[Mapping[str, tuple[float, float]]] = {"nequip-mp": (0.05, 0.25)}
"""Floor (eV) and share of each potential that was tried on known hops."""


def barrier_std_ev(barrier_ev: float | None, potential: str) -> float | None:
    """Return the standard deviation of a barrier, None without one or for a potential not tried on known hops."""
    if barrier_ev is None or potential not in SPREADS:
        return None
    floor_ev, share = SPREADS[potential]
    return float((floor_ev**2 + (share * barrier_ev) ** 2) ** 0.5)
