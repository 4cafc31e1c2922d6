"""The screening as every face sees it: who passes, how many are left at each step, and the list in its one order."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from core.csv_text import frame_csv, zipped
from core.probability import pass_probability
from core.ranking import MELTED_FACTOR, MOST_WEIGHT, PARTS, Weights, energy_density
from core.screening import (
    DEFAULT_WEIGHTS,
    NOVELTIES,
    BoolArray,
    Funnel,
    OutcomeCounts,
    Thresholds,
    assessed,
    funnel,
    in_order,
    novelty,
    objectives_of,
    one_per_formula,
    pareto_front,
    passes,
)
from core.store import Filters, Reader, Release
from core.supply import RARE, SOLD_AS_SALTS, TOXIC, prices_usd_per_kg
from core.thresholds import ASKED, DEFINITIONS, Definition
from core.verdict import REASONS, VERDICTS, WANTED, Criterion, Judgement, is_wanted, judgement, with_reasons

__all__ = [
    "ASKED",
    "DEFAULT_WEIGHTS",
    "DEFINITIONS",
    "MELTED_FACTOR",
    "MOST_WEIGHT",
    "NOVELTIES",
    "PARTS",
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
    "Weights",
    "affordable",
    "assessed_row",
    "chances",
    "figure_span",
    "frame_csv",
    "funnel",
    "judgement",
    "of_novelty",
    "one_per_formula",
    "passes",
    "screen",
    "shortlist",
    "with_reasons",
    "zipped",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Screening:
    """What thresholds make of a frame of candidates.

    `frame`: all of them, assessed: with verdict, chances, score and its parts, energy density and price as columns.
    `passing` (thresholds met, verdict wanted) and `front` are masks over it; `front` is None while it is not asked for.
    `listed`: those that are asked for, best first.
    """

    thresholds: Thresholds
    verdicts: tuple[str, ...]
    weights: Weights
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
    weights: Weights = DEFAULT_WEIGHTS,
    with_failing: bool = False,
    front_only: bool = False,
) -> Screening:
    """Return what thresholds make of the candidates of a frame (columns of `Reader.screen`).

    `verdicts`: those that are wanted; the paper's definition asks for none. `weights`: of the score's parts.
    `with_failing` lists all candidates, not only those that pass; `front_only` lists none that another one of a wanted
    verdict beats in every figure.
    """
    told = assessed(frame, thresholds, weights)
    wanted = is_wanted(told, VERDICTS if thresholds.definition == "paper" else verdicts)
    passing = passes(frame, thresholds) & wanted
    front = _front(frame, wanted, thresholds) if front_only else None
    shown = passing | with_failing
    if front is not None:
        shown = shown & front
    return Screening(
        thresholds=thresholds,
        verdicts=verdicts,
        weights=weights,
        frame=told,
        passing=passing,
        front=front,
        funnel=funnel(frame, thresholds, verdicts),
        listed=in_order(told.loc[shown], thresholds),
    )


def _front(frame: pd.DataFrame, wanted: BoolArray, thresholds: Thresholds) -> BoolArray:
    """What is no cathode beats none."""
    front = wanted.copy()
    front[wanted] = pareto_front(frame.loc[wanted], objectives_of(thresholds))
    return front


def of_novelty(frame: pd.DataFrame, novelties: Collection[str]) -> pd.DataFrame:
    """Return the rows that are among some of `NOVELTIES`."""
    return frame.loc[np.isin(novelty(frame), list(novelties))]


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


def assessed_row(
    row: Mapping[str, Any], thresholds: Thresholds, weights: Weights = DEFAULT_WEIGHTS
) -> dict[str, Any]:
    """Return a row of the view `screening` with verdict, chances, score and the rest that is worked out of it."""
    figures: dict[str, Any] = assessed(pd.DataFrame([dict(row)]), thresholds, weights).iloc[0].to_dict()
    return dict(row) | figures


def figure_span(reader: Reader, name: str) -> tuple[float, float]:
    """Return the lowest and highest value of a figure over all candidates of a release; (0, 1) where it is a share.

    Raises `KeyError` for a name that is no figure of a candidate.
    """
    if name == "score" or name.startswith("p_"):
        return 0.0, 1.0
    if name.startswith("energy_"):
        values = energy_density(reader.screen())[name].dropna()
    elif name == "price_usd_per_kg":
        values = pd.Series(prices_usd_per_kg(reader.screen(columns=("formula",))["formula"])).dropna()
    else:
        values = reader.screen(columns=(name,))[name].dropna()
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)


def chances(row: Mapping[str, Any], thresholds: Thresholds) -> Chances:
    """Return the probabilities that one candidate passes, as `core.screening.pass_probability` defines them."""
    return Chances(**pass_probability(pd.DataFrame([dict(row)]), thresholds).iloc[0].to_dict())


_FIRST: Final = ("id", "formula", "verdict", "score", *REASONS)
"""What is read first of a shortlist."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shortlist:
    """The candidates of a release that pass, in their order, with what they were chosen by."""

    rows: pd.DataFrame
    thresholds: Thresholds
    verdicts: tuple[str, ...]
    weights: Weights
    release: Release

    def csv(self) -> str:
        """Return the rows as plain CSV."""
        return frame_csv(self.rows)

    def side_car(self) -> dict[str, Any]:
        """Return what the CSV does not say: thresholds, verdicts, number of rows, release with its hashes."""
        return {
            "thresholds": self.thresholds.as_dict(),
            "verdicts": list(self.verdicts) if self.thresholds.definition == "cathode" else None,
            "weights": self.weights.as_dict(),
            "rows": len(self.rows),
            "release": asdict(self.release),
        }


def shortlist(
    reader: Reader,
    thresholds: Thresholds,
    filters: Filters | None = None,
    *,
    verdicts: tuple[str, ...] = WANTED,
    weights: Weights = DEFAULT_WEIGHTS,
    grouped: bool = False,
) -> Shortlist:
    """Return the candidates of a release that pass, with verdict, reasons in words and `on_pareto_front`.

    `grouped`: the best of each formula, with `n_polymorphs`.
    """
    listed = screen(reader.screen(filters), thresholds, verdicts=verdicts, weights=weights).listed
    listed = listed.assign(on_pareto_front=pareto_front(listed, objectives_of(thresholds)))
    rows = with_reasons(one_per_formula(listed) if grouped else listed, thresholds)
    if thresholds.definition == "cathode":
        rows = rows[[*_FIRST, *(name for name in rows.columns if name not in _FIRST)]]
    return Shortlist(
        rows=rows, thresholds=thresholds, verdicts=verdicts, weights=weights, release=reader.release
    )
