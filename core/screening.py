"""Screening a frame of candidates: who passes, the Pareto front, the funnel, the order.

Frames have the columns of the store's view `screening`. `Thresholds.definition` says which capacity counts: that of
the redox metals (`cathode`), for which a verdict is asked too, or that of all ions (`paper`). Only what passes a limit
keeps it: a barrier or conductivity that is undecided or untested (`core.verdict.outcome`) does not, and `Funnel` counts
each; ask for none with `Thresholds(sigma_ms_per_cm=None)`.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.probability import pass_probability
from core.ranking import Weights, score, with_figures
from core.records import FloatArray
from core.thresholds import (
    CAPACITY_OF,
    PAPER_CAPACITY_AH_PER_L,
    PAPER_SIGMA_MS_PER_CM,
    PAPER_VOLTAGE_V,
    Thresholds,
)
from core.verdict import WANTED, BoolArray, is_wanted, judge
from core.verdict.facts import Facts
from core.verdict.outcome import Outcomes, barrier_outcome, conductivity_outcome

__all__ = [
    "NOVELTIES",
    "OBJECTIVES",
    "PAPER_CAPACITY_AH_PER_L",
    "PAPER_SIGMA_MS_PER_CM",
    "PAPER_VOLTAGE_V",
    "BoolArray",
    "Funnel",
    "OutcomeCounts",
    "Thresholds",
    "assessed",
    "eligible",
    "funnel",
    "in_order",
    "novelty",
    "objectives_of",
    "one_per_formula",
    "pareto_front",
    "passes",
    "rank_for_dynamics",
    "ranked",
]

DEFAULT_WEIGHTS: Final = Weights()

SURE: Final = 0.99
"""Above it probabilities count alike: what is predicted is never certain, and how far above is rounding."""

OBJECTIVES: Final = ("voltage_v", "capacity_vol_ah_per_l", "sigma_ms_per_cm")
"""What the Pareto front maximises; conductivity takes part where the frame holds any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCounts:
    """What a calculation says of those before a step: how many passed, failed, are undecided, were never tested."""

    passed: int
    undecided: int
    untested: int
    failed: int

    @classmethod
    def of(cls, outcomes: Outcomes) -> Self:
        """Count outcomes."""
        return cls(
            passed=int((outcomes == "passed").sum()), undecided=int((outcomes == "undecided").sum()),
            untested=int((outcomes == "untested").sum()), failed=int((outcomes == "failed").sum()),
        )  # fmt: skip

    @property
    def tested(self) -> int:
        """How many were tested at all."""
        return self.passed + self.undecided + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """How many candidates remain after each step; `barrier` and `conductivity` are None where no limit is set.

    `barrier` counts those past voltage and capacity, `conductivity` those past the barrier too. `verdict`: those past
    all thresholds whose verdict is wanted; None by the paper's definition, which asks for none.
    """

    all: int
    voltage: int
    capacity: int
    barrier: OutcomeCounts | None = None
    conductivity: OutcomeCounts | None = None
    verdict: int | None = None


class _Steps(NamedTuple):
    """(n,) who is left after each step, and what was found of barrier and conductivity; None where no limit is set."""

    voltage: BoolArray
    capacity: BoolArray
    barrier: BoolArray
    conductivity: BoolArray
    barrier_found: Outcomes | None
    conductivity_found: Outcomes | None


def _steps(frame: pd.DataFrame, thresholds: Thresholds) -> _Steps:
    """NaN compares false, so an absent number never passes."""
    facts = Facts(frame)
    voltage_v, max_v = facts.number("voltage_v"), thresholds.voltage_max_v
    voltage = (voltage_v > thresholds.voltage_v) & (voltage_v < (np.inf if max_v is None else max_v))
    conductivity = barrier = capacity = voltage & (
        facts.number(thresholds.capacity_column) > thresholds.capacity_vol_ah_per_l
    )
    barrier_found = conductivity_found = None
    if thresholds.barrier_ev is not None:
        barrier_found = barrier_outcome(facts, thresholds)
        conductivity = barrier = capacity & (barrier_found == "passed")
    if thresholds.sigma_ms_per_cm is not None:
        conductivity_found = conductivity_outcome(facts, thresholds)
        conductivity = barrier & (conductivity_found == "passed")
    return _Steps(voltage, capacity, barrier, conductivity, barrier_found, conductivity_found)


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
    barrier, conductivity = left.barrier_found, left.conductivity_found
    return Funnel(
        all=len(frame),
        voltage=int(left.voltage.sum()),
        capacity=int(left.capacity.sum()),
        barrier=None if barrier is None else OutcomeCounts.of(barrier[left.capacity]),
        conductivity=None if conductivity is None else OutcomeCounts.of(conductivity[left.barrier]),
        verdict=wanted,
    )


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
    values = np.column_stack([Facts(frame).number(name) for name in names])
    rows = np.flatnonzero(np.isfinite(values).all(axis=1))
    front = np.zeros(len(frame), dtype=bool)
    front[rows[_non_dominated(values[rows])]] = True
    return front


def _default_objectives(frame: pd.DataFrame) -> tuple[str, ...]:
    has_sigma = bool(np.isfinite(Facts(frame).number(OBJECTIVES[2])).any())
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


def assessed(frame: pd.DataFrame, thresholds: Thresholds, weights: Weights = DEFAULT_WEIGHTS) -> pd.DataFrame:
    """Return the frame with all that is worked out of it.

    Energy density, price, novelty, whether barrier and conductivity pass, verdict, chances, score and its parts.
    """
    frame = with_figures(frame)
    facts = Facts(frame)
    worked_out = pd.DataFrame(
        {
            "novelty": novelty(frame),
            "barrier_outcome": barrier_outcome(facts, thresholds),
            "conductivity_outcome": conductivity_outcome(facts, thresholds),
        },
        index=frame.index,
    )
    columns = [
        worked_out, judge(frame, thresholds), pass_probability(frame, thresholds), score(frame, thresholds, weights),
    ]  # fmt: skip
    return pd.concat([frame, *columns], axis=1)


NOVELTIES: Final = ("labelled", "known", "new")
"""How well a compound is known: see `novelty`."""


def novelty(frame: pd.DataFrame) -> NDArray[np.str_]:
    """Return (n,) `labelled` where a calculated voltage is public, `new` for what GNoME found, `known` for the rest."""
    is_labelled = np.isfinite(Facts(frame).number("mp_average_voltage_v"))
    sources = frame["source"] if "source" in frame else pd.Series([""] * len(frame))
    is_new = sources.isin([it for it in sources.unique() if str(it).startswith("GNoME")]).to_numpy()
    answer: NDArray[np.str_] = np.select([is_labelled, is_new], ["labelled", "new"], default="known")
    return answer


def in_order(assessed: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Return assessed candidates best first, in the one order in which they are listed.

    By verdict, by score, by predicted voltage, by id. By the paper's definition the verdict has no say: by `p_all`, in
    which all above 99 % count alike since a prediction tells no more, then by score, voltage and id.
    """
    if thresholds.definition == "paper":
        sure = assessed["p_all"].clip(upper=SURE)
        keys = {"_sure": False, "score": False, "voltage_v": False, "id": True}
        ordered = assessed.assign(_sure=sure).sort_values(list(keys), ascending=list(keys.values()))
        return ordered.drop(columns="_sure").reset_index(drop=True)
    keys = {"verdict": True, "score": False, "voltage_v": False, "id": True}
    return assessed.sort_values(list(keys), ascending=list(keys.values()), ignore_index=True)


def ranked(frame: pd.DataFrame, thresholds: Thresholds, weights: Weights = DEFAULT_WEIGHTS) -> pd.DataFrame:
    """Return the candidates of a frame assessed, best first."""
    return in_order(assessed(frame, thresholds, weights), thresholds)


def one_per_formula(ordered: pd.DataFrame) -> pd.DataFrame:
    """Return the first row of each formula, the best where they are in order, with `n_polymorphs` listed of it."""
    counts = ordered.groupby("formula")["formula"].transform("size")
    return ordered.assign(n_polymorphs=counts).drop_duplicates("formula", ignore_index=True)


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
