"""The screening as every face sees it: who passes, how many are left at each step, and the list in its one order."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from core.csv_text import frame_csv
from core.screening import (
    BoolArray,
    Funnel,
    Thresholds,
    funnel,
    objectives_of,
    pareto_front,
    pass_probability,
    passes,
    ranked,
)
from core.store import Filters, Reader, Release

__all__ = [
    "BoolArray",
    "Chances",
    "Filters",
    "Funnel",
    "Screening",
    "Shortlist",
    "Thresholds",
    "chances",
    "frame_csv",
    "funnel",
    "screen",
    "shortlist",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Screening:
    """What thresholds make of a frame of candidates.

    `passing` and `front` are masks over `frame`; `front` is None while it is not asked for. `listed`: those that are
    asked for, likeliest to pass first, with their pass probabilities as columns.
    """

    thresholds: Thresholds
    frame: pd.DataFrame
    passing: BoolArray
    front: BoolArray | None
    funnel: Funnel
    listed: pd.DataFrame


def screen(
    frame: pd.DataFrame, thresholds: Thresholds, *, with_failing: bool = False, front_only: bool = False
) -> Screening:
    """Return what thresholds make of the candidates of a frame (columns of `Reader.screen`).

    `with_failing` lists all candidates, not only those that pass; `front_only` lists none that another one beats in
    every figure.
    """
    passing = passes(frame, thresholds)
    front = pareto_front(frame, objectives_of(thresholds)) if front_only else None
    shown = passing | with_failing
    if front is not None:
        shown = shown & front
    return Screening(
        thresholds=thresholds,
        frame=frame,
        passing=passing,
        front=front,
        funnel=funnel(frame, thresholds),
        listed=ranked(frame.loc[shown], thresholds),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """The probabilities of one candidate to pass each threshold, and all of them; NaN where nothing is known."""

    p_voltage: float
    p_capacity: float
    p_conductivity: float
    p_all: float


def chances(row: Mapping[str, Any], thresholds: Thresholds) -> Chances:
    """Return the probabilities that one candidate passes, as `core.screening.pass_probability` defines them."""
    return Chances(**pass_probability(pd.DataFrame([dict(row)]), thresholds).iloc[0].to_dict())


@dataclass(frozen=True, kw_only=True, eq=False)
class Shortlist:
    """The candidates of a release that pass, in their order, with what they were chosen by."""

    rows: pd.DataFrame
    thresholds: Thresholds
    release: Release

    def csv(self) -> str:
        """Return the rows as plain CSV."""
        return frame_csv(self.rows)

    def side_car(self) -> dict[str, Any]:
        """Return what the CSV does not say: thresholds, number of rows, release with its hashes."""
        return {
            "thresholds": self.thresholds.as_dict(),
            "rows": len(self.rows),
            "release": asdict(self.release),
        }


def shortlist(reader: Reader, thresholds: Thresholds, filters: Filters | None = None) -> Shortlist:
    """Return the candidates of a release that pass, with the further column `on_pareto_front`."""
    listed = screen(reader.screen(filters), thresholds).listed
    front = pareto_front(listed, objectives_of(thresholds))
    return Shortlist(rows=listed.assign(on_pareto_front=front), thresholds=thresholds, release=reader.release)
