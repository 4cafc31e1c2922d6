"""How the points of one mean-square-displacement curve vary together: closed forms for a walk of independent steps.

One ion, one axis, frames k = 0 .. n - 1: x_k = (sum of k independent steps of variance s2) + (vibration, white, of
variance v2). The mean over all origins of (x_(m+i) - x_m)^2 at lag i has mean 2 v2 + s2 i; two lags i <= j covary as

    s2^2 A_ij + s2 v2 B_ij + v2^2 C_ij + k4 E_ij

where k4 is the fourth cumulant of a step: zero for Brownian motion, positive for rare jumps. A, B, C are the result of
Bullerjahn, von Bülow and Hummer (doi:10.1063/5.0008312); the sum over overlapping windows that gives them gives E too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.records import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LagCovariance:
    """The four geometric parts of the covariance of MSD points, each (n_lags, n_lags), for one ion and one axis."""

    steps: FloatArray
    mixed: FloatArray
    vibration: FloatArray
    jumps: FloatArray

    def gaussian(self, step_a2: float, vibration_a2: float) -> FloatArray:
        """Return s2^2 A + s2 v2 B + v2^2 C in angstrom^4 for step variance s2 and vibration variance v2."""
        return (
            step_a2**2 * self.steps + step_a2 * vibration_a2 * self.mixed + vibration_a2**2 * self.vibration
        )


def lag_covariance(lag_frames: NDArray[np.int64], n_frames: int) -> LagCovariance:
    """Return A, B, C and E for lags (in frames, none above half of `n_frames`) of a run of `n_frames` frames."""
    lag = lag_frames.astype(float)
    i, j = np.minimum.outer(lag, lag), np.maximum.outer(lag, lag)
    origins_i, origins_j = n_frames - i, n_frames - j
    pairs = origins_i * origins_j
    # Window pairs by their shift: those at i - j .. 0 overlap by all of i; on each side follow i - 1, i - 2, ... 1.
    inside = j - i + 1.0
    sum1, sum2 = i * (i - 1) / 2, (i - 1) * i * (2 * i - 1) / 6
    sum3 = sum1**2
    overlap = inside * origins_j * i + 2 * ((origins_j - i) * sum1 + sum2)
    overlap_squared = inside * origins_j * i**2 + 2 * ((origins_j - i) * sum2 + sum3)
    shared_ends = 4 * origins_j - 2 * i + np.where(i == j, 2 * origins_j, 0.0)
    return LagCovariance(
        steps=2 * overlap_squared / pairs,
        mixed=8 * i / origins_i,
        vibration=2 * shared_ends / pairs,
        jumps=overlap / pairs,
    )
