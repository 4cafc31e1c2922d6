"""The screening as every face sees it: who passes, how many are left at each step, and the list in its one order."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import pandas as pd

from core.csv_text import frame_csv
from core.probability import pass_probability
from core.screening import (
    BoolArray,
    Funnel,
    OutcomeCounts,
    Thresholds,
    eligible,
    funnel,
    objectives_of,
    pareto_front,
    passes,
    ranked,
)
from core.store import Filters, Reader, Release
from core.supply import RARE, SOLD_AS_SALTS, TOXIC, prices_usd_per_kg
from core.thresholds import ASKED, DEFINITIONS, Definition
from core.verdict import REASONS, VERDICTS, WANTED, Criterion, Judgement, judgement, with_reasons

__all__ = [
    "ASKED",
    "DEFINITIONS",
    "RARE",
    "REASONS",
    "SOLD_AS_SALTS",
    "TOXIC",
    "VERDICTS",
    "WANTED",
    "BoolArray",
    "Chances",
    "Criterion",
    "Definition",
    "Filters",
    "Funnel",
    "Judgement",
    "OutcomeCounts",
    "Screening",
    "Shortlist",
    "Thresholds",
    "affordable",
    "chances",
    "frame_csv",
    "funnel",
    "judgement",
    "passes",
    "screen",
    "shortlist",
    "with_reasons",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Screening:
    """What thresholds make of a frame of candidates.

    `passing` (thresholds met, verdict wanted) and `front` are masks over `frame`; `front` is None while it is not asked
    for. `listed`: those that are asked for, best first, with verdict, pass probabilities and price as columns.
    """

    thresholds: Thresholds
    verdicts: tuple[str, ...]
    frame: pd.DataFrame
    passing: BoolArray
    front: BoolArray | None
    funnel: Funnel
    listed: pd.DataFrame


def screen(
    frame: pd.DataFrame,
    thresholds: Thresholds,
    *,
    verdicts: tuple[str, ...] = WANTED,
    with_failing: bool = False,
    front_only: bool = False,
) -> Screening:
    """Return what thresholds make of the candidates of a frame (columns of `Reader.screen`).

    `verdicts`: those that are wanted; the paper's definition asks for none. `with_failing` lists all candidates, not
    only those that pass; `front_only` lists none that another one of a wanted verdict beats in every figure.
    """
    wanted = eligible(frame, thresholds, verdicts)
    passing = passes(frame, thresholds) & wanted
    front = _front(frame, wanted, thresholds) if front_only else None
    shown = passing | with_failing
    if front is not None:
        shown = shown & front
    listed = ranked(frame.loc[shown], thresholds)
    return Screening(
        thresholds=thresholds,
        verdicts=verdicts,
        frame=frame,
        passing=passing,
        front=front,
        funnel=funnel(frame, thresholds, verdicts),
        listed=listed.assign(price_usd_per_kg=prices_usd_per_kg(listed["formula"])),
    )


def _front(frame: pd.DataFrame, wanted: BoolArray, thresholds: Thresholds) -> BoolArray:
    """What is no cathode beats none."""
    front = wanted.copy()
    front[wanted] = pareto_front(frame.loc[wanted], objectives_of(thresholds))
    return front


def affordable(frame: pd.DataFrame, max_price_usd_per_kg: float) -> pd.DataFrame:
    """Return the rows of which a price is known and not above a limit."""
    return frame.loc[prices_usd_per_kg(frame["formula"]) <= max_price_usd_per_kg]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """The probabilities of one candidate to keep each threshold, and all of them; NaN where nothing is known.

    `p_all_without` names what was asked for and is left out of `p_all`, since it is not known.
    """

    p_voltage: float
    p_capacity: float
    p_barrier: float
    p_conductivity: float
    p_all: float
    p_all_without: str = ""


def chances(row: Mapping[str, Any], thresholds: Thresholds) -> Chances:
    """Return the probabilities that one candidate passes, as `core.screening.pass_probability` defines them."""
    return Chances(**pass_probability(pd.DataFrame([dict(row)]), thresholds).iloc[0].to_dict())


_FIRST: Final = ("id", "formula", "verdict", *REASONS)
"""What is read first of a shortlist."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shortlist:
    """The candidates of a release that pass, in their order, with what they were chosen by."""

    rows: pd.DataFrame
    thresholds: Thresholds
    verdicts: tuple[str, ...]
    release: Release

    def csv(self) -> str:
        """Return the rows as plain CSV."""
        return frame_csv(self.rows)

    def side_car(self) -> dict[str, Any]:
        """Return what the CSV does not say: thresholds, verdicts, number of rows, release with its hashes."""
        return {
            "thresholds": self.thresholds.as_dict(),
            "verdicts": list(self.verdicts) if self.thresholds.definition == "cathode" else None,
            "rows": len(self.rows),
            "release": asdict(self.release),
        }


def shortlist(
    reader: Reader,
    thresholds: Thresholds,
    filters: Filters | None = None,
    *,
    verdicts: tuple[str, ...] = WANTED,
) -> Shortlist:
    """Return the candidates of a release that pass, with verdict, reasons in words and `on_pareto_front`."""
    listed = screen(reader.screen(filters), thresholds, verdicts=verdicts).listed
    front = pareto_front(listed, objectives_of(thresholds))
    rows = with_reasons(listed, thresholds).assign(on_pareto_front=front)
    if thresholds.definition == "cathode":
        rows = rows[[*_FIRST, *(name for name in rows.columns if name not in _FIRST)]]
    return Shortlist(rows=rows, thresholds=thresholds, verdicts=verdicts, release=reader.release)
