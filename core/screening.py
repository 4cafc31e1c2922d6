"""Screening a frame of candidates: thresholds, the chance to pass them, the Pareto front, the funnel, the order.

Frames have the columns of the store's view `screening`. A candidate whose conductivity was not computed does not pass
a conductivity threshold, and `Funnel.conductivity_known` says how many were computed at all; ask for none with
`Thresholds(sigma_ms_per_cm=None)`.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from core.errors import RecordError
from core.records import CONFIDENCE, FloatArray

BoolArray = NDArray[np.bool_]

PAPER_VOLTAGE_V: Final = 3.0
PAPER_CAPACITY_AH_PER_L: Final = 800.0
PAPER_SIGMA_MS_PER_CM: Final = 100.0
OBJECTIVES: Final = ("voltage_v", "capacity_vol_ah_per_l", "sigma_ms_per_cm")
"""What the Pareto front maximises; conductivity takes part where the frame holds any."""

_HALF_WIDTH: Final = float(ndtri(0.5 + CONFIDENCE / 2.0))
"""Of the interval of a conductivity, in standard deviations of its logarithm: 1.645."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Lower limits, the paper's by default; `sigma_ms_per_cm=None` asks nothing of conductivity."""

    voltage_v: float = PAPER_VOLTAGE_V
    capacity_vol_ah_per_l: float = PAPER_CAPACITY_AH_PER_L
    sigma_ms_per_cm: float | None = PAPER_SIGMA_MS_PER_CM

    def __post_init__(self) -> None:
        for name in ("voltage_v", "capacity_vol_ah_per_l", "sigma_ms_per_cm"):
            value = getattr(self, name)
            if value is not None and not np.isfinite(value):
                raise RecordError(f"threshold {name} is {value}; a finite number is needed.")

    def as_dict(self) -> dict[str, float | None]:
        """Return the thresholds by name, for metadata."""
        return {
            "voltage_v": self.voltage_v,
            "capacity_vol_ah_per_l": self.capacity_vol_ah_per_l,
            "sigma_ms_per_cm": self.sigma_ms_per_cm,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """How many candidates remain after each step; `conductivity` is None where no threshold is set.

    `conductivity_known` counts those past voltage and capacity whose conductivity was computed at all.
    """

    all: int
    voltage: int
    capacity: int
    conductivity_known: int
    conductivity: int | None


def _column(frame: pd.DataFrame, name: str) -> FloatArray:
    if name not in frame:
        return np.full(len(frame), np.nan)
    values: FloatArray = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return values


def _step_masks(frame: pd.DataFrame, thresholds: Thresholds) -> tuple[BoolArray, BoolArray, BoolArray]:
    """NaN compares false, so an absent number never passes."""
    voltage = _column(frame, "voltage_v") > thresholds.voltage_v
    capacity = voltage & (_column(frame, "capacity_vol_ah_per_l") > thresholds.capacity_vol_ah_per_l)
    if thresholds.sigma_ms_per_cm is None:
        return voltage, capacity, capacity
    return voltage, capacity, capacity & (_column(frame, "sigma_ms_per_cm") > thresholds.sigma_ms_per_cm)


def passes(frame: pd.DataFrame, thresholds: Thresholds) -> BoolArray:
    """Return (n,) whether each candidate's values all lie above the thresholds; an absent value never does."""
    return _step_masks(frame, thresholds)[2]


def funnel(frame: pd.DataFrame, thresholds: Thresholds) -> Funnel:
    """Return how many candidates pass voltage, then also capacity, then also conductivity."""
    voltage, capacity, conductivity = _step_masks(frame, thresholds)
    return Funnel(
        all=len(frame),
        voltage=int(voltage.sum()),
        capacity=int(capacity.sum()),
        conductivity_known=int((capacity & np.isfinite(_column(frame, "sigma_ms_per_cm"))).sum()),
        conductivity=None if thresholds.sigma_ms_per_cm is None else int(conductivity.sum()),
    )


def pass_probability(frame: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Return the probability to pass each threshold and all of them: p_voltage, p_capacity, p_conductivity, p_all.

    Voltage: normal with the predicted mean and standard deviation, P = Phi((V - V_min) / s). Capacity follows from
    the structure alone, so P is 0 or 1. Conductivity: log-normal whose 90 % interval is (low, high),
    s = ln(high / low) / (2 * 1.645); without an interval 0 or 1; an upper limit below the threshold leaves the 0.1 with
    which such limits fail, one above it says nothing. The three count as independent. A factor that is not known
    is NaN; `p_all` leaves an unknown or unasked conductivity out, and is NaN where voltage or capacity is absent.
    """
    voltage_v, spread_v = _column(frame, "voltage_v"), _column(frame, "voltage_std_v")
    p_voltage = _normal_exceedance(voltage_v, thresholds.voltage_v, spread_v)
    capacity = _column(frame, "capacity_vol_ah_per_l")
    p_capacity = np.where(np.isnan(capacity), np.nan, capacity > thresholds.capacity_vol_ah_per_l)
    p_conductivity = _conductivity_probability(frame, thresholds.sigma_ms_per_cm)
    p_all = p_voltage * p_capacity * np.where(np.isnan(p_conductivity), 1.0, p_conductivity)
    return pd.DataFrame(
        {"p_voltage": p_voltage, "p_capacity": p_capacity, "p_conductivity": p_conductivity, "p_all": p_all},
        index=frame.index,
    )


def _normal_exceedance(mean: FloatArray, limit: float, spread: FloatArray) -> FloatArray:
    """P(x > limit); a spread of zero, or none, leaves the step function of the mean."""
    certain = np.where(np.isnan(mean), np.nan, (mean > limit).astype(float))
    known = spread > 0.0
    score = (mean - limit) / np.where(known, spread, 1.0)
    return np.where(known, ndtr(score), certain)


def _conductivity_probability(frame: pd.DataFrame, limit: float | None) -> FloatArray:
    sigma = _column(frame, "sigma_ms_per_cm")
    if limit is None:
        return np.full(len(frame), np.nan)
    if limit <= 0.0:
        return np.where(np.isnan(sigma), np.nan, 1.0)
    low, high = _column(frame, "sigma_low_ms_per_cm"), _column(frame, "sigma_high_ms_per_cm")
    usable = (low > 0.0) & (high > low) & (sigma > 0.0)
    one = np.ones_like(sigma)
    spread = np.log(np.where(usable, high, one) / np.where(usable, low, one)) / (2.0 * _HALF_WIDTH)
    log_sigma = np.log(np.maximum(sigma, np.finfo(float).tiny))
    p_conductivity = _normal_exceedance(log_sigma, float(np.log(limit)), spread)
    return np.where(np.isnan(sigma) & (high <= limit), 1.0 - CONFIDENCE, p_conductivity)


def objectives_of(thresholds: Thresholds) -> tuple[str, ...]:
    """Return what a Pareto front under these thresholds maximises: conductivity takes part where it is asked for.

    It is known for few candidates, and a front over it holds no others.
    """
    return OBJECTIVES[:2] if thresholds.sigma_ms_per_cm is None else OBJECTIVES


def pareto_front(frame: pd.DataFrame, objectives: tuple[str, ...] | None = None) -> BoolArray:
    """Return (n,) whether no other candidate is at least as good in every objective and better in one.

    All objectives are maximised; the default is voltage and volumetric capacity, and conductivity where the frame
    holds any. Rows that lack an objective are left out (False). Equal rows are on the front together.
    """
    names = objectives or _default_objectives(frame)
    values = np.column_stack([_column(frame, name) for name in names])
    rows = np.flatnonzero(np.isfinite(values).all(axis=1))
    front = np.zeros(len(frame), dtype=bool)
    front[rows[_non_dominated(values[rows])]] = True
    return front


def _default_objectives(frame: pd.DataFrame) -> tuple[str, ...]:
    has_sigma = bool(np.isfinite(_column(frame, OBJECTIVES[2])).any())
    return OBJECTIVES if has_sigma else OBJECTIVES[:2]


def _non_dominated(values: FloatArray) -> BoolArray:
    """Best first, so that a row can be dominated only by rows before it; each front row strikes out the rest."""
    order = np.lexsort(tuple(-values[:, column] for column in reversed(range(values.shape[1]))))
    remaining = order
    kept: list[NDArray[np.intp]] = []
    while remaining.size:
        best = values[remaining[0]]
        others = values[remaining]
        equal = (others == best).all(axis=1)
        kept.append(remaining[equal])
        remaining = remaining[(others > best).any(axis=1)]
    front = np.zeros(len(values), dtype=bool)
    if kept:
        front[np.concatenate(kept)] = True
    return front


def ranked(frame: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Return the frame likeliest to pass first, with its pass probabilities as further columns.

    The one order in which candidates are listed: by `p_all`, then by predicted voltage, then by id.
    """
    chances = pd.concat([frame, pass_probability(frame, thresholds)], axis=1)
    return chances.sort_values(
        ["p_all", "voltage_v", "id"], ascending=[False, False, True], ignore_index=True
    )


def rank_for_dynamics(frame: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Return the frame in the order in which molecular dynamics is spent on it.

    First those whose redox metals alone give the capacity asked for, since the others could never be cycled that far;
    then by the chance to pass voltage and capacity, the predicted voltage and the id.
    """
    redox = frame["capacity_redox_vol_ah_per_l"].fillna(0.0) >= thresholds.capacity_vol_ah_per_l
    chance = pass_probability(frame, replace(thresholds, sigma_ms_per_cm=None))["p_all"]
    keyed = frame.assign(_redox=redox, _chance=chance)
    ordered = keyed.sort_values(
        ["_redox", "_chance", "voltage_v", "id"], ascending=[False, False, False, True]
    )
    return ordered.drop(columns=["_redox", "_chance"]).reset_index(drop=True)
