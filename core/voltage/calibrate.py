"""From the spread of a few networks to a 90 % interval that holds, and to the question whether it can hold at
all.

    std^2 = floor^2 + (a * spread)^2 + (b * distance)^2,   interval = voltage +- 1.645 std

`spread` is the standard deviation over the members, `distance` that to the nearest labelled electrodes in the
space of learned vectors. The three weights are fitted by the likelihood of Laplace-distributed errors, then
all scaled by one factor so that 90 % of the errors lie inside (split conformal prediction,
doi:10.1561/2200000101). Only predictions for rows that the members did not train on may be used.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import cKDTree

from core.errors import TrainingError

LEVEL: Final = 0.90
HALF_WIDTH_IN_STD: Final = 1.6448536269514722
"""Half width of a 90 % normal interval in standard deviations."""

Floats = NDArray[np.float64]
_N_NEAREST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Weights of the calibrated standard deviation, V, V/V and V a unit of distance; n rows it was fitted
    on."""

    floor_v: float
    spread_weight: float
    distance_weight: float
    n: int

    def std_v(self, spread_v: Floats, distance: Floats) -> Floats:
        """Return (n,) calibrated standard deviations."""
        return np.sqrt(
            self.floor_v**2 + (self.spread_weight * spread_v) ** 2 + (self.distance_weight * distance) ** 2
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for a model card."""
        return asdict(self)


def fit_calibration(errors_v: Floats, spread_v: Floats, distance: Floats) -> Calibration:
    """Return the calibration of (n,) out-of-fold errors; fewer than 30 of them are a `TrainingError`."""
    if len(errors_v) < 30:
        raise TrainingError(
            f"{len(errors_v)} errors cannot calibrate a 90 % interval; at least 30 are needed."
        )
    absolute = np.abs(errors_v)
    units = np.array([absolute.mean(), absolute.mean() / spread_v.mean(), absolute.mean() / distance.mean()])

    def loss(logs: Floats) -> float:
        weights = np.exp(logs) * units
        std = np.sqrt(weights[0] ** 2 + (weights[1] * spread_v) ** 2 + (weights[2] * distance) ** 2)
        return float(np.mean(np.log(std) + np.sqrt(2.0) * absolute / std))

    best = minimize(loss, np.log([0.5, 0.5, 0.5]), method="Nelder-Mead", options={"maxiter": 2000})
    raw = Calibration(
        **dict(zip(("floor_v", "spread_weight", "distance_weight"), np.exp(best.x) * units, strict=True)),
        n=len(errors_v),
    )
    scale = _conformal(absolute / raw.std_v(spread_v, distance)) / HALF_WIDTH_IN_STD
    return Calibration(
        floor_v=float(raw.floor_v * scale),
        spread_weight=float(raw.spread_weight * scale),
        distance_weight=float(raw.distance_weight * scale),
        n=len(errors_v),
    )


def coverage(errors_v: Floats, std_v: Floats) -> float:
    """Return the share of errors inside the 90 % interval."""
    return float(np.mean(np.abs(errors_v) <= HALF_WIDTH_IN_STD * std_v))


def cross_checked_coverage(errors_v: Floats, spread_v: Floats, distance: Floats, *, seed: int = 0) -> float:
    """Return the coverage on halves that the calibration did not see, over ten random halvings."""
    rng = np.random.default_rng([seed, 4])
    found = []
    for _ in range(10):
        order = rng.permutation(len(errors_v))
        for fit, check in (np.array_split(order, 2), np.array_split(order, 2)[::-1]):
            fitted = fit_calibration(errors_v[fit], spread_v[fit], distance[fit])
            found.append(coverage(errors_v[check], fitted.std_v(spread_v[check], distance[check])))
    return float(np.mean(found))


def _conformal(scores: Floats) -> float:
    rank = min(int(np.ceil((len(scores) + 1) * LEVEL)), len(scores))
    return float(np.sort(scores)[rank - 1])


class Domain:
    """Where the labelled electrodes are: their learned vectors and their elements.

    A structure is inside when each of its elements occurs in at least `MIN_ROWS` labelled electrodes, none of
    its working ions is isolated, and its calibrated standard deviation is at most `limit_std_v`.
    """

    MIN_ROWS: Final = 5

    def __init__(
        self, vectors: NDArray[np.float32], element_rows: NDArray[np.int64], limit_std_v: float
    ) -> None:
        """Take (n, d) learned vectors, (n_elements + 1,) labelled rows by atomic number, and the limit, V."""
        self.vectors = vectors
        self.element_rows = element_rows
        self.limit_std_v = limit_std_v
        self._scale = vectors.std(axis=0) + 1e-6
        self._tree = cKDTree(vectors / self._scale)

    def distance(self, vectors: NDArray[np.float32], *, leave_out: bool = False) -> Floats:
        """Return (n,) mean distances to the five nearest labelled electrodes, in standard deviations of the
        vectors.

        `leave_out` passes over the nearest one, for vectors that are themselves in the domain.
        """
        n_nearest = min(_N_NEAREST + leave_out, len(self.vectors))
        distances, _ = self._tree.query(vectors / self._scale, k=n_nearest)
        nearest = np.asarray(distances, dtype=np.float64).reshape(len(vectors), n_nearest)
        return np.asarray(nearest[:, int(leave_out) :].mean(axis=1), dtype=np.float64)

    def unknown_elements(self, atomic_numbers: Sequence[int]) -> list[int]:
        """Return the atomic numbers that hardly any labelled electrode holds."""
        return [
            number
            for number in sorted(set(atomic_numbers))
            if number >= len(self.element_rows) or self.element_rows[number] < self.MIN_ROWS
        ]
