"""From the spread of a few networks to a 90 % interval that holds, and to the question whether it can hold at
all.

    std^2 = floor^2 + (a * spread)^2 + (b * distance)^2 + (c * doubt)^2,   interval = voltage +- 1.645 std

`spread` is the standard deviation over the members, `distance` that to the nearest labelled electrodes in the
space of learned vectors, `doubt` what the kind itself has to doubt, such as potentials that disagree. The weights are
fitted by the likelihood of Laplace-distributed errors, then all scaled by one factor so that 90 % of the errors lie
inside (split conformal prediction, doi:10.1561/2200000101), at last by one for each group of electrodes
(`core.voltage.groups`). Only predictions for rows that the members did not train on may be used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import cKDTree

from core.errors import TrainingError
from core.voltage.groups import Factors, factors_of, fit_factors

LEVEL: Final = 0.90
HALF_WIDTH_IN_STD: Final = 1.6448536269514722
"""Half width of a 90 % normal interval in standard deviations."""

Floats = NDArray[np.float64]
_N_NEAREST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is known of n rows without their labels: (n,) spread and doubt, V, distance, ion, framework, whether known.

    Without `doubt_v` nothing is doubted.
    """

    spread_v: Floats
    distance: Floats
    working_ions: Sequence[str]
    frameworks: Sequence[str]
    framework_known: NDArray[np.bool_]
    doubt_v: Floats | None = None

    def __len__(self) -> int:
        return len(self.spread_v)

    @property
    def doubts_v(self) -> Floats:
        """(n,) doubt, zeros where there is none."""
        return np.zeros(len(self)) if self.doubt_v is None else self.doubt_v

    def of(self, rows: NDArray[Any]) -> "Held":
        """Return some of the rows, by index or mask."""
        return Held(
            spread_v=self.spread_v[rows], distance=self.distance[rows],
            working_ions=np.asarray(self.working_ions)[rows].tolist(),
            frameworks=np.asarray(self.frameworks)[rows].tolist(), framework_known=self.framework_known[rows],
            doubt_v=None if self.doubt_v is None else self.doubt_v[rows],
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: Sequence["Held"]) -> "Held":
        """Return the rows of several, one after another."""
        return cls(
            spread_v=np.concatenate([it.spread_v for it in parts]),
            distance=np.concatenate([it.distance for it in parts]),
            working_ions=[ion for it in parts for ion in it.working_ions],
            frameworks=[name for it in parts for name in it.frameworks],
            framework_known=np.concatenate([it.framework_known for it in parts]),
            doubt_v=np.concatenate([it.doubts_v for it in parts]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Weights of the calibrated standard deviation, V, V/V, V a unit of distance and V/V; n rows it was fitted on.

    `factors`: by group, see `core.voltage.groups`; none in a model that was calibrated without. `known_frameworks`:
    those of the labelled electrodes.
    """

    floor_v: float
    spread_weight: float
    distance_weight: float
    n: int
    doubt_weight: float = 0.0
    factors: Factors = field(default_factory=dict)
    known_frameworks: tuple[str, ...] = ()

    def std_v(self, held: Held) -> Floats:
        """Return (n,) calibrated standard deviations."""
        return self.plain_std_v(held) * factors_of(
            self.factors, held.working_ions, held.framework_known.tolist()
        )

    def plain_std_v(self, held: Held) -> Floats:
        """Return them without the factors of the groups."""
        return np.sqrt(
            self.floor_v**2 + (self.spread_weight * held.spread_v) ** 2
            + (self.distance_weight * held.distance) ** 2 + (self.doubt_weight * held.doubts_v) ** 2
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for a model card."""
        return asdict(self)


def fit_calibration(errors_v: Floats, held: Held) -> Calibration:
    """Return the calibration of (n,) out-of-fold errors; fewer than 30 of them are a `TrainingError`."""
    if len(errors_v) < 30:
        raise TrainingError(
            f"{len(errors_v)} errors cannot calibrate a 90 % interval; at least 30 are needed."
        )
    absolute = np.abs(errors_v)
    inputs = [held.spread_v, held.distance]
    if held.doubts_v.any():
        inputs.append(held.doubts_v)
    units = absolute.mean() / np.array([1.0, *(values.mean() for values in inputs)])
    terms = np.stack([np.ones(len(errors_v)), *inputs]) ** 2

    def loss(logs: Floats) -> float:
        std = np.sqrt((np.exp(logs) * units) ** 2 @ terms)
        return float(np.mean(np.log(std) + np.sqrt(2.0) * absolute / std))

    best = minimize(loss, np.log(np.full(len(units), 0.5)), method="Nelder-Mead", options={"maxiter": 2000})
    weights = np.exp(best.x) * units
    scores = absolute / np.sqrt(weights**2 @ terms)
    weights *= _conformal(scores) / HALF_WIDTH_IN_STD
    plain = Calibration(
        floor_v=float(weights[0]), spread_weight=float(weights[1]), distance_weight=float(weights[2]),
        doubt_weight=float(weights[3]) if len(weights) > 3 else 0.0, n=len(errors_v),
    )  # fmt: skip
    return with_factors(plain, errors_v, held, plain.plain_std_v(held))


def with_factors(calibration: Calibration, errors_v: Floats, held: Held, plain_std_v: Floats) -> Calibration:
    """Return a calibration with the factors of the groups fitted, given (n,) standard deviations without them."""
    scores = np.abs(errors_v) / (HALF_WIDTH_IN_STD * plain_std_v)
    factors = fit_factors(scores, held.working_ions, held.framework_known, held.frameworks, level=LEVEL)
    return replace(calibration, factors=factors, known_frameworks=tuple(sorted(set(held.frameworks))))


def coverage(errors_v: Floats, std_v: Floats) -> float:
    """Return the share of errors inside the 90 % interval."""
    return float(np.mean(np.abs(errors_v) <= HALF_WIDTH_IN_STD * std_v))


def cross_checked_coverage(errors_v: Floats, held: Held, *, seed: int = 0) -> float:
    """Return the coverage on halves that the calibration did not see, over ten random halvings."""
    found = []
    for fit, check in _halves(len(errors_v), seed):
        fitted = fit_calibration(errors_v[fit], held.of(fit))
        found.append(coverage(errors_v[check], fitted.std_v(held.of(check))))
    return float(np.mean(found))


def cross_checked_factors(errors_v: Floats, held: Held, plain_std_v: Floats, *, seed: int = 0) -> float:
    """Return `cross_checked_coverage` where only the factors of the groups are fitted."""
    scores = np.abs(errors_v) / (HALF_WIDTH_IN_STD * plain_std_v)
    found = [
        float((scores[check] <= _factors_from(scores, held, fit, check)).mean())
        for fit, check in _halves(len(errors_v), seed)
    ]
    return float(np.mean(found))


def _halves(n: int, seed: int) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield the rows of ten random halvings, each half once to fit on and once to check."""
    rng = np.random.default_rng([seed, 4])
    for _ in range(10):
        one, other = np.array_split(rng.permutation(n), 2)
        yield one, other
        yield other, one


def _factors_from(scores: Floats, held: Held, fit: NDArray[Any], check: NDArray[Any]) -> Floats:
    """Factors for the rows `check` of those fitted on the rows `fit`."""
    known, asked = held.of(fit), held.of(check)
    factors = fit_factors(
        scores[fit], known.working_ions, known.framework_known, known.frameworks, level=LEVEL
    )
    return factors_of(factors, asked.working_ions, asked.framework_known.tolist())


def cross_fitted_inside(
    errors_v: Floats, held: Held, plain_std_v: Floats, *, electrodes: NDArray[np.int64], folds: NDArray[np.int64]
) -> NDArray[np.bool_]:  # fmt: skip
    """Return (n,) whether each error lies inside its 90 % interval, the groups' factors fitted without its fold.

    Rows of several partitions stand together: `folds` (n,) has another number for each fold of each, and rows of a
    fold's electrodes in the other partitions are left out of its fit too. The plain standard deviations, whose few
    weights all rows share, are taken as they are.
    """
    inside = np.zeros(len(errors_v), dtype=np.bool_)
    scores = np.abs(errors_v) / (HALF_WIDTH_IN_STD * plain_std_v)
    for number in np.unique(folds):
        test = np.flatnonzero(folds == number)
        rest = np.flatnonzero(~np.isin(electrodes, electrodes[test]))
        inside[test] = scores[test] <= _factors_from(scores, held, rest, test)
    return inside


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
