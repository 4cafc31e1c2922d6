"""The probability that a candidate keeps what is asked of it: one definition, for pages, files, commands and API."""

import numpy as np
import pandas as pd
from scipy.special import ndtr

from core.records import CONFIDENCE, FloatArray
from core.thresholds import Thresholds
from core.verdict.facts import BoolArray, Facts
from core.verdict.outcome import MELTED, Outcomes, barrier_outcome, conductivity_outcome
from core.verdict.rule import HALF_WIDTH


def pass_probability(frame: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Return the probability to pass each threshold and all: p_voltage, p_capacity, p_barrier, p_conductivity, p_all.

    Voltage: normal with the predicted mean and standard deviation, P = Phi((V_max - V) / s) - Phi((V_min - V) / s), the
    first term 1 where no upper end is asked for. Capacity (of the definition that counts) follows from the structure
    alone, so P is 0 or 1. Barrier: normal, below its limit. Conductivity: log-normal whose 90 % interval is (low,
    high), s = ln(high / low) / (2 * 1.645). A spread that is not known leaves 0 or 1. An upper limit of a conductivity
    below the threshold leaves the 0.1 with which such limits fail, one above it says nothing; a framework that melted
    leaves 0.1 too, since no solid was seen to conduct.

    The four count as independent. A factor that is not known, or not asked for, is NaN, and `p_all` leaves it out;
    `p_all_without` names those that were asked for. `p_all` is NaN where voltage or capacity is absent.
    """
    facts = Facts(frame)
    p_voltage = voltage_probability(facts, thresholds)
    capacity = facts.number(thresholds.capacity_column)
    p_capacity = np.where(np.isnan(capacity), np.nan, capacity > thresholds.capacity_vol_ah_per_l)
    p_barrier, p_conductivity = _barrier(facts, thresholds), _conductivity(facts, thresholds)
    return pd.DataFrame(
        {
            "p_voltage": p_voltage,
            "p_capacity": p_capacity,
            "p_barrier": p_barrier,
            "p_conductivity": p_conductivity,
            "p_all": p_voltage * p_capacity * _where_known(p_barrier) * _where_known(p_conductivity),
            "p_all_without": _left_out(facts, thresholds, p_barrier, p_conductivity),
        },
        index=frame.index,
    )


def _where_known(probability: FloatArray) -> FloatArray:
    return np.where(np.isnan(probability), 1.0, probability)


def _left_out(
    facts: Facts, thresholds: Thresholds, p_barrier: FloatArray, p_conductivity: FloatArray
) -> list[str]:
    """What was asked for and is not in `p_all`, with how far it is known: `barrier untested`."""
    barrier, conductivity = [""] * facts.n, [""] * facts.n
    if thresholds.barrier_ev is not None:
        barrier = _named("barrier", barrier_outcome(facts, thresholds), np.isnan(p_barrier))
    if thresholds.sigma_ms_per_cm is not None:
        outcome = conductivity_outcome(facts, thresholds)
        conductivity = _named("conductivity", outcome, np.isnan(p_conductivity))
    return [", ".join(it for it in pair if it) for pair in zip(barrier, conductivity, strict=True)]


def _named(name: str, outcomes: Outcomes, left_out: BoolArray) -> list[str]:
    return [f"{name} {outcome}" if out else "" for outcome, out in zip(outcomes, left_out, strict=True)]


def voltage_probability(facts: Facts, thresholds: Thresholds) -> FloatArray:
    """Return (n,) the probability that the voltage lies between its limits; NaN where none was predicted."""
    voltage_v, spread_v = facts.number("voltage_v"), facts.number("voltage_std_v")
    above = _exceedance(voltage_v, thresholds.voltage_v, spread_v)
    if thresholds.voltage_max_v is None:
        return above
    return np.maximum(above - _exceedance(voltage_v, thresholds.voltage_max_v, spread_v), 0.0)


def _barrier(facts: Facts, thresholds: Thresholds) -> FloatArray:
    if thresholds.barrier_ev is None:
        return np.full(facts.n, np.nan)
    return _exceedance(-facts.number("barrier_ev"), -thresholds.barrier_ev, facts.number("barrier_std_ev"))


def _conductivity(facts: Facts, thresholds: Thresholds) -> FloatArray:
    limit, sigma = thresholds.sigma_ms_per_cm, facts.number("sigma_ms_per_cm")
    if limit is None:
        return np.full(facts.n, np.nan)
    low, high = facts.number("sigma_low_ms_per_cm"), facts.number("sigma_high_ms_per_cm")
    if limit <= 0.0:
        found = np.where(np.isnan(sigma), np.nan, 1.0)
    else:
        found = _exceedance(_log(sigma), float(np.log(limit)), _log_spread(sigma, low, high))
    fails = (np.isnan(sigma) & (high <= limit)) | facts.is_text("sigma_verdict", MELTED)
    return np.where(fails, 1.0 - CONFIDENCE, found)


def _log(sigma: FloatArray) -> FloatArray:
    answer: FloatArray = np.log(np.maximum(sigma, np.finfo(float).tiny))
    return answer


def _log_spread(sigma: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    usable = (low > 0.0) & (high > low) & (sigma > 0.0)
    answer: FloatArray = np.log(np.where(usable, high, 1.0) / np.where(usable, low, 1.0)) / (2.0 * HALF_WIDTH)
    return answer


def _exceedance(mean: FloatArray, limit: float, spread: FloatArray) -> FloatArray:
    """P(x > limit) of a normal x; a spread of zero, or none, leaves the step function of the mean."""
    certain = np.where(np.isnan(mean), np.nan, (mean > limit).astype(float))
    known = spread > 0.0
    score = (mean - limit) / np.where(known, spread, 1.0)
    return np.where(known, ndtr(score), certain)
