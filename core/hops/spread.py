"""How far a barrier may be off: its standard deviation, fitted on hops known from density-functional theory.

    std^2 = floor^2 + (share * barrier)^2

by the likelihood of Laplace-distributed errors, then widened until 90 % of them lie within 1.645 standard deviations.
`python -m benchmarks.barriers` prints the fit for each potential, and how many errors lie within a spread that was
fitted on other hosts.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SPREADS: Final[Mapping[str, tuple[float, float]]] = {"nequix-oam": (0.06, 0.17), "nequip-mp": (0.08, 0.26)}
"""Floor (eV) and share of each potential, as 46 known hops of magnesium in 34 hosts ask for."""

_FLOORS_EV: Final = np.linspace(0.02, 0.3, 57)
_SHARES: Final = np.linspace(0.0, 0.6, 61)
_WITHIN: Final = 0.9
_HALF_WIDTH: Final = 1.645


def barrier_std_ev(barrier_ev: float | None, potential: str) -> float | None:
    """Return the standard deviation of a barrier, None without one or for a potential not tried on known hops."""
    if barrier_ev is None or potential not in SPREADS:
        return None
    floor_ev, share = SPREADS[potential]
    return float(np.hypot(floor_ev, share * barrier_ev))


def fit_spread(barriers_ev: Floats, true_ev: Floats) -> tuple[float, float]:
    """Return floor (eV) and share for (n,) barriers and what they should have been."""
    error = np.abs(barriers_ev - true_ev)
    floors, shares = np.meshgrid(_FLOORS_EV, _SHARES, indexing="ij")
    std = np.hypot(floors[..., None], shares[..., None] * barriers_ev)
    scale = std / np.sqrt(2.0)  # of the Laplace distribution with this standard deviation
    loss = (np.log(2.0 * scale) + error / scale).mean(axis=2)
    floor, share = np.unravel_index(int(loss.argmin()), loss.shape)
    floor_ev, best_share = float(_FLOORS_EV[floor]), float(_SHARES[share])
    off = error / np.hypot(floor_ev, best_share * barriers_ev)
    widen = max(1.0, float(np.quantile(off, _WITHIN)) / _HALF_WIDTH)
    return round(widen * floor_ev, 3), round(widen * best_share, 3)
