"""Screening a frame of candidates: thresholds, the chance to pass them, the Pareto front, the funnel, the order.

Frames have the columns of the store's view `screening`. `Thresholds.definition` says which capacity counts: that of
the redox metals (`cathode`), for which a verdict is asked too, or that of all ions (`paper`). A candidate whose barrier
or conductivity was not computed does not pass a limit on it, and `Funnel` says how many were computed at all; ask for
none with `Thresholds(sigma_ms_per_cm=None)`.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from core.records import CONFIDENCE, FloatArray
from core.thresholds import (
    CAPACITY_OF,
    PAPER_CAPACITY_AH_PER_L,
    PAPER_SIGMA_MS_PER_CM,
    PAPER_VOLTAGE_V,
    Thresholds,
)
from core.verdict import WANTED, BoolArray, is_wanted, judge

__all__ = [
    "OBJECTIVES",
    "PAPER_CAPACITY_AH_PER_L",
    "PAPER_SIGMA_MS_PER_CM",
    "PAPER_VOLTAGE_V",
    "BoolArray",
    "Funnel",
    "Thresholds",
    "eligible",
    "funnel",
    "objectives_of",
    "pareto_front",
    "pass_probability",
    "passes",
    "rank_for_dynamics",
    "ranked",
]

OBJECTIVES: Final = ("voltage_v", "capacity_vol_ah_per_l", "sigma_ms_per_cm")
"""What the Pareto front maximises; conductivity takes part where the frame holds any."""

_HALF_WIDTH: Final = float(ndtri(0.5 + CONFIDENCE / 2.0))
"""Of the interval of a conductivity, in standard deviations of its logarithm: 1.645."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """How many candidates remain after each step; `barrier` and `conductivity` are None where no limit is set.

    `barrier_known` counts those past voltage and capacity whose barrier was computed at all, `conductivity_known` those
    past the barrier too whose conductivity was. `verdict`: those past all thresholds whose verdict is wanted; None by
    the paper's definition, which asks for none.
    """

    all: int
    voltage: int
    capacity: int
    conductivity_known: int
    conductivity: int | None
    verdict: int | None = None
    barrier_known: int = 0
    barrier: int | None = None


class _Steps(NamedTuple):
    """(n,) who is left after each step."""

    voltage: BoolArray
    capacity: BoolArray
    barrier: BoolArray
    conductivity: BoolArray


def _column(frame: pd.DataFrame, name: str) -> FloatArray:
    if name not in frame:
        return np.full(len(frame), np.nan)
    values: FloatArray = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return values


def _steps(frame: pd.DataFrame, thresholds: Thresholds) -> _Steps:
    """NaN compares false, so an absent number never passes."""
    voltage = _column(frame, "voltage_v") > thresholds.voltage_v
    barrier = capacity = voltage & (
        _column(frame, thresholds.capacity_column) > thresholds.capacity_vol_ah_per_l
    )
    if thresholds.barrier_ev is not None:
        barrier = capacity & (_column(frame, "barrier_ev") < thresholds.barrier_ev)
    conductivity = barrier
    if thresholds.sigma_ms_per_cm is not None:
        conductivity = barrier & (_column(frame, "sigma_ms_per_cm") > thresholds.sigma_ms_per_cm)
    return _Steps(voltage, capacity, barrier, conductivity)


def passes(frame: pd.DataFrame, thresholds: Thresholds) -> BoolArray:
    """Return (n,) whether each candidate's values all keep the thresholds; an absent value never does."""
    return _steps(frame, thresholds).conductivity


def eligible(frame: pd.DataFrame, thresholds: Thresholds, verdicts: tuple[str, ...] = WANTED) -> BoolArray:
    """Return (n,) whether each candidate's verdict is a wanted one; by the paper's definition each is."""
    if thresholds.definition == "paper":
        return np.ones(len(frame), dtype=np.bool_)
    return is_wanted(judge(frame, thresholds), verdicts)


def funnel(frame: pd.DataFrame, thresholds: Thresholds, verdicts: tuple[str, ...] = WANTED) -> Funnel:
    """Return how many pass voltage, then also capacity, then barrier, then conductivity, then have a wanted verdict."""
    left = _steps(frame, thresholds)
    wanted = None
    if thresholds.definition == "cathode":
        wanted = int(eligible(frame[left.conductivity], thresholds, verdicts).sum())
    return Funnel(
        all=len(frame),
        voltage=int(left.voltage.sum()),
        capacity=int(left.capacity.sum()),
        barrier_known=int((left.capacity & np.isfinite(_column(frame, "barrier_ev"))).sum()),
        barrier=None if thresholds.barrier_ev is None else int(left.barrier.sum()),
        conductivity_known=int((left.barrier & np.isfinite(_column(frame, "sigma_ms_per_cm"))).sum()),
        conductivity=None if thresholds.sigma_ms_per_cm is None else int(left.conductivity.sum()),
        verdict=wanted,
    )


def pass_probability(frame: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Return the probability to pass each threshold and all: p_voltage, p_capacity, p_barrier, p_conductivity, p_all.

    Voltage: normal with the predicted mean and standard deviation, P = Phi((V - V_min) / s). Capacity (of the
    definition that counts) follows from the structure alone, so P is 0 or 1. Barrier: normal, below its limit; without
    its error 0 or 1. Conductivity: log-normal whose 90 %
    interval is (low, high), s = ln(high / low) / (2 * 1.645); without an interval 0 or 1; an upper limit below the
    threshold leaves the 0.1 with which such limits fail, one above it says nothing. The four count as independent. A
    factor that is not known is NaN; `p_all` leaves an unknown or unasked barrier or conductivity out, and is NaN where
    voltage or capacity is absent.
    """
    voltage_v, spread_v = _column(frame, "voltage_v"), _column(frame, "voltage_std_v")
    p_voltage = _normal_exceedance(voltage_v, thresholds.voltage_v, spread_v)
    capacity = _column(frame, thresholds.capacity_column)
    p_capacity = np.where(np.isnan(capacity), np.nan, capacity > thresholds.capacity_vol_ah_per_l)
    p_barrier = _barrier_probability(frame, thresholds.barrier_ev)
    p_conductivity = _conductivity_probability(frame, thresholds.sigma_ms_per_cm)
    p_all = p_voltage * p_capacity * _where_known(p_barrier) * _where_known(p_conductivity)
    return pd.DataFrame(
        {
            "p_voltage": p_voltage, "p_capacity": p_capacity, "p_barrier": p_barrier, "p_conductivity": p_conductivity,
            "p_all": p_all,
        },
        index=frame.index,
    )  # fmt: skip


def _where_known(probability: FloatArray) -> FloatArray:
    return np.where(np.isnan(probability), 1.0, probability)


def _barrier_probability(frame: pd.DataFrame, limit: float | None) -> FloatArray:
    if limit is None:
        return np.full(len(frame), np.nan)
    return _normal_exceedance(-_column(frame, "barrier_ev"), -limit, _column(frame, "barrier_std_ev"))


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
    names = ("voltage_v", CAPACITY_OF[thresholds.definition], "sigma_ms_per_cm")
    return names[:2] if thresholds.sigma_ms_per_cm is None else names


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
    """Return the frame best first, with verdict and pass probabilities as further columns.

    The one order in which candidates are listed: by verdict, by `p_all`, by predicted voltage, by id. By the paper's
    definition the verdict has no say in it.
    """
    told = pd.concat([frame, judge(frame, thresholds), pass_probability(frame, thresholds)], axis=1)
    keys = {"verdict": True, "p_all": False, "voltage_v": False, "id": True}
    if thresholds.definition == "paper":
        del keys["verdict"]
    return told.sort_values(list(keys), ascending=list(keys.values()), ignore_index=True)


def rank_for_dynamics(frame: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Return the frame in the order in which molecular dynamics is spent on it.

    First those whose redox metals alone give the capacity asked for, since the others could never be cycled that far;
    then by the chance to pass voltage and the capacity of all ions, the predicted voltage and the id.
    """
    redox = frame["capacity_redox_vol_ah_per_l"].fillna(0.0) >= thresholds.capacity_vol_ah_per_l
    asked = replace(thresholds, sigma_ms_per_cm=None, definition="paper")
    chance = pass_probability(frame, asked)["p_all"]
    keyed = frame.assign(_redox=redox, _chance=chance)
    ordered = keyed.sort_values(
        ["_redox", "_chance", "voltage_v", "id"], ascending=[False, False, False, True]
    )
    return ordered.drop(columns=["_redox", "_chance"]).reset_index(drop=True)
