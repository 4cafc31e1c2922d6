"""Do ions get through? What a migration barrier and molecular dynamics say together, and the list of those that do.

Each speaks where it passes or fails (`core.verdict.outcome`). Frames have the columns of the store's view `screening`.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from core.screening import passes, ranked
from core.thresholds import EASY_BARRIER_EV, Thresholds
from core.verdict import WANTED
from core.verdict.facts import Facts
from core.verdict.outcome import barrier_outcome, conductivity_outcome

MOBILITIES: Final = ("fast", "undecided", "untested", "slow")
"""One of the two says fast and none slow; they contradict each other, or neither is clear; neither is known; slow."""

LIMITS: Final = Thresholds(barrier_ev=EASY_BARRIER_EV)
"""The paper's limits, and the barrier that a small particle allows."""


def mobility(frame: pd.DataFrame, thresholds: Thresholds = LIMITS) -> pd.Series:
    """Return one of `MOBILITIES` for each row, as an ordered category; limits not asked for are those of `LIMITS`."""
    facts = Facts(frame)
    both = np.stack([barrier_outcome(facts, thresholds), conductivity_outcome(facts, thresholds)])
    says_fast, says_slow, tested = (
        (both == "passed").any(axis=0), (both == "failed").any(axis=0), (both != "untested").any(axis=0)
    )  # fmt: skip
    codes = np.select([says_fast & ~says_slow, says_slow & ~says_fast, tested], [0, 3, 1], default=2)
    return pd.Series(
        pd.Categorical.from_codes(codes, categories=list(MOBILITIES), ordered=True), index=frame.index, name="mobility"
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class FinalList:
    """Who passes voltage and redox-limited capacity, with `mobility`; those of the final list come first.

    `rows`: best first, with verdict and probabilities; `is_final`: ions get through, and the verdict is a wanted one.
    The counts go down the funnel: `n_candidates`, `n_passing`, `n_tested` (barrier or dynamics known), `n_fast`.
    """

    rows: pd.DataFrame
    n_candidates: int
    n_passing: int
    n_tested: int
    n_fast: int

    @property
    def final(self) -> pd.DataFrame:
        """The rows of the final list."""
        return self.rows[self.rows["is_final"]]


def final_list(frame: pd.DataFrame, thresholds: Thresholds = LIMITS) -> FinalList:
    """Return the last step of the screening, over the cathodes that pass voltage and capacity."""
    without = replace(thresholds, sigma_ms_per_cm=None, barrier_ev=None)
    passing = ranked(frame[passes(frame, without)], thresholds)
    found = mobility(passing, thresholds)
    rows = passing.assign(
        mobility=found, is_final=(found == "fast") & passing["verdict"].isin(WANTED)
    ).sort_values(["is_final", "mobility"], ascending=[False, True], kind="stable", ignore_index=True)
    return FinalList(
        rows=rows, n_candidates=len(frame), n_passing=len(rows), n_tested=int((found != "untested").sum()),
        n_fast=int((found == "fast").sum()),
    )  # fmt: skip
