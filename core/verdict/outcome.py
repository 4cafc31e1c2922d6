"""Barrier and conductivity against their limits: passed, failed, undecided or untested, defined here alone.

Both come from calculations that few candidates have had, and carry an error. They pass or fail where the whole error
lies on one side of the limit. Undecided is all else that was calculated: an interval on both sides, an upper limit
above the limit, a value without its error, a framework that melted.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.thresholds import EASY_BARRIER_EV, PAPER_SIGMA_MS_PER_CM, Thresholds
from core.verdict.facts import BoolArray, Facts

OUTCOMES: Final = ("passed", "undecided", "untested", "failed")
"""From best to worst."""

MELTED: Final = "framework melted"
"""The word of dynamics that ended in a melt: what moved in it says nothing of a solid."""

Outcomes = NDArray[np.str_]
"""(n,) of `OUTCOMES`."""


def barrier_limit_ev(thresholds: Thresholds) -> float:
    """Return what is asked for, or what a small particle allows: a host that holds its ions does so unasked."""
    return EASY_BARRIER_EV if thresholds.barrier_ev is None else thresholds.barrier_ev


def sigma_limit_ms_per_cm(thresholds: Thresholds) -> float:
    """Return what is asked for, or the paper's limit: a host that was found slow is slow whether one asks or not."""
    asked = thresholds.sigma_ms_per_cm
    return PAPER_SIGMA_MS_PER_CM if asked is None else asked


def barrier_outcome(facts: Facts, thresholds: Thresholds) -> Outcomes:
    """Return (n,) whether ions get over the barrier: E + s <= limit passes, E - s > limit fails."""
    limit_ev = barrier_limit_ev(thresholds)
    barrier_ev, std_ev = facts.number("barrier_ev"), facts.number("barrier_std_ev")
    return _outcome(
        barrier_ev + std_ev <= limit_ev, barrier_ev - std_ev > limit_ev, is_tested=np.isfinite(barrier_ev)
    )


def conductivity_outcome(facts: Facts, thresholds: Thresholds) -> Outcomes:
    """Return (n,) whether a solid host conducts: its 90 % interval wholly above the limit passes, below it fails."""
    limit = sigma_limit_ms_per_cm(thresholds)
    low, high = facts.number("sigma_low_ms_per_cm"), facts.number("sigma_high_ms_per_cm")
    is_solid = ~facts.is_text("sigma_verdict", MELTED)
    has_value = np.isfinite(facts.number("sigma_ms_per_cm"))
    return _outcome(
        is_solid & has_value & (low > limit),
        is_solid & (high <= limit),
        is_tested=has_value | np.isfinite(high) | facts.has_text("sigma_verdict"),
    )


def _outcome(is_passed: BoolArray, is_failed: BoolArray, *, is_tested: BoolArray) -> Outcomes:
    answer: Outcomes = np.select(
        [is_failed, is_passed, is_tested], ["failed", "passed", "undecided"], default="untested"
    )
    return answer
