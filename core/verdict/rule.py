"""What a criterion is, and how it reads a row: values that may be missing, and their words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scipy.special import ndtri

from core.quantities import QUANTITIES, is_missing
from core.records import CONFIDENCE
from core.thresholds import Thresholds
from core.verdict.facts import Facts, States

Row = Mapping[str, Any]

NOT_SETTLED: Final = "not converged"
"""The word of a host whose relaxation was stopped before forces were small."""

HALF_WIDTH: Final = float(ndtri(0.5 + CONFIDENCE / 2.0))
"""Standard deviations to either side that hold 90 % of a normal distribution."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One criterion: `judge` gives the states of a frame, `words` says why one row has its state.

    `needed`: a candidate of which it is not known stays open. First principles, barriers and dynamics are not needed:
    they cost too much to be asked of all.
    """

    key: str
    title: str
    judge: Callable[[Facts, Thresholds], States]
    words: Callable[[Row, int, Thresholds], str]
    needed: bool = True
    hint: Callable[[Row], str] = lambda row: ""
    """What speaks of it from elsewhere while it is not known, told beside `words`."""


def elements_of(row: Row) -> list[str]:
    """Return the elements of a row, none where they are not known."""
    system = word_of(row, "chemsys")
    return system.split("-") if system else []


def text_of(name: str, value: Any) -> str:
    """Return a value as its quantity is written, with its unit."""
    return QUANTITIES[name].text(value)


def number_of(row: Row, name: str) -> float | None:
    """Return a number of a row, None where it is not known."""
    value = row.get(name)
    return None if is_missing(value) else float(value)  # type: ignore[arg-type]


def word_of(row: Row, name: str) -> str:
    """Return a text of a row, empty where it is not known."""
    value = row.get(name)
    return "" if is_missing(value) else str(value)
