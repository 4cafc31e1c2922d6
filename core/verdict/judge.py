"""The verdict on each candidate of a frame, and the reasons of single ones in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from core.thresholds import Thresholds
from core.verdict.facts import AGAINST, FOR, UNKNOWN, BoolArray, Facts, States
from core.verdict.rule import Rule
from core.verdict.rules import RULES

State = Literal["for", "against", "unknown", "remark"]

VERDICTS: Final = ("make next", "open", "doubtful", "no cathode")
"""From best to worst: all is known and nothing against it; nothing against it and some not known; something against it;
nothing pays for ions that leave.
"""

WANTED: Final = ("make next", "open")
"""The verdicts that the default view shows."""

REASONS: Final = ("reasons_for", "reasons_against", "unknown")
"""The columns of words that `with_reasons` adds."""

_NAMES: Final[dict[int, State]] = {FOR: "for", AGAINST: "against", UNKNOWN: "unknown"}
_ORDER: Final[dict[State, int]] = {"against": 0, "unknown": 1, "for": 2, "remark": 3}
_NEEDED: Final = np.array([rule.needed for rule in RULES], dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One criterion of one candidate: its name, its state, and why, with the numbers.

    `needed`: whether a candidate of which it is unknown stays open; a remark never counts. `has_hint`: it is unknown,
    and something speaks of it from elsewhere, which `text` tells.
    """

    key: str
    title: str
    state: State
    text: str
    needed: bool = True
    has_hint: bool = False

    @property
    def is_told(self) -> bool:
        """Whether short lists name it: what need not be known is told as not known only where there is a hint."""
        return self.state != "unknown" or self.needed or self.has_hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on one candidate with all criteria, in the order in which they are read."""

    verdict: str
    criteria: tuple[Criterion, ...]

    def of(self, state: State) -> tuple[Criterion, ...]:
        """Return the criteria of one state."""
        return tuple(it for it in self.criteria if it.state == state)


def _states(frame: pd.DataFrame, thresholds: Thresholds) -> States:
    """(rules, n) states."""
    facts = Facts(frame)
    answer: States = np.vstack([rule.judge(facts, thresholds) for rule in RULES])
    return answer


def judge(frame: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Return the verdict on each row (columns of the view `screening`): verdict, n_for, n_against, n_unknown.

    `verdict` is an ordered category, best first. `n_unknown` counts what must be known before a candidate is made:
    first principles, barriers and dynamics, which are known for few, need not be. A column that the frame lacks is
    unknown.
    """
    return _judged(_states(frame, thresholds), frame.index)


def _judged(found: States, index: pd.Index) -> pd.DataFrame:
    against, unknown = found == AGAINST, (found == UNKNOWN) & _NEEDED[:, None]
    n_against, n_unknown = against.sum(axis=0), unknown.sum(axis=0)
    codes = np.select([against[0], n_against > 0, n_unknown > 0], [3, 2, 1], default=0)
    return pd.DataFrame(
        {
            "verdict": pd.Categorical.from_codes(codes, categories=list(VERDICTS), ordered=True),
            "n_for": (found == FOR).sum(axis=0),
            "n_against": n_against,
            "n_unknown": n_unknown,
        },
        index=index,
    )


def is_wanted(judged: pd.DataFrame, verdicts: tuple[str, ...]) -> BoolArray:
    """Return (n,) whether each verdict (of `judge`) is among some."""
    found: BoolArray = judged["verdict"].isin(verdicts).to_numpy()
    return found


def judgement(row: Mapping[str, Any], thresholds: Thresholds) -> Judgement:
    """Return the verdict on one row of the view `screening`, with every criterion in words."""
    frame = pd.DataFrame([dict(row)])
    found = _states(frame, thresholds)
    verdict = str(_judged(found, frame.index)["verdict"].iloc[0])
    return Judgement(verdict=verdict, criteria=_criteria(row, found[:, 0], thresholds))


def with_reasons(
    frame: pd.DataFrame, thresholds: Thresholds, *, all_unknown: bool = False
) -> pd.DataFrame:  # fmt: skip
    """Return the frame with the columns of `REASONS` in words; a loop over rows, for those that are shown.

    `all_unknown`: tell as unknown also what need not be known, such as whether ions get through.
    """
    found = _states(frame, thresholds)
    told = [
        _criteria(row, found[:, position], thresholds)
        for position, row in enumerate(frame.to_dict("records"))
    ]
    columns = {
        column: [_joined(criteria, state, all_told=all_unknown) for criteria in told]
        for column, state in zip(REASONS, ("for", "against", "unknown"), strict=True)
    }
    return frame.assign(**columns)


def _joined(criteria: tuple[Criterion, ...], state: str, *, all_told: bool) -> str:
    return "; ".join(it.text for it in criteria if it.state == state and (all_told or it.is_told))


def _criteria(row: Mapping[str, Any], found: States, thresholds: Thresholds) -> tuple[Criterion, ...]:
    told = [_criterion(rule, row, int(state), thresholds) for rule, state in zip(RULES, found, strict=True)]
    return tuple(sorted([*told, *_licence(row)], key=lambda it: _ORDER[it.state]))


def _criterion(rule: Rule, row: Mapping[str, Any], state: int, thresholds: Thresholds) -> Criterion:
    words = rule.words(row, state, thresholds)
    hint = rule.hint(row) if state == UNKNOWN else ""
    return Criterion(
        key=rule.key, title=rule.title, state=_NAMES[state], text=f"{words}, but {hint}" if hint else words,
        needed=rule.needed, has_hint=bool(hint),
    )  # fmt: skip


def _licence(row: Mapping[str, Any]) -> list[Criterion]:
    text = row.get("license")
    if not isinstance(text, str) or not text:
        return []
    remark = f"structure under {text}" + (": no commercial use of it" if "NC" in text else "")
    return [Criterion(key="licence", title="Licence", state="remark", text=remark, needed=False)]
