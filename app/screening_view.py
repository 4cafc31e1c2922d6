"""What the Screen page shows for one state: the screening of the filtered candidates, and who is selected."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from app import state
from app.query import BARRIER_RANGE_EV, ScreenQuery
from core.errors import UnknownCandidateError
from core.service.release import Facets, Filters
from core.service.screen import (
    TOXIC,
    WANTED,
    Definition,
    Funnel,
    Screening,
    Thresholds,
    affordable,
    assessed_row,
    funnel,
    of_novelty,
    one_per_formula,
    screen,
)


@dataclass(frozen=True, kw_only=True)
class View:
    """One picture of the screening: `screening` of all candidates after the filters, `selected` the candidate's row.

    `other` counts the same candidates by the other definition. `listed`: the rows of the table, one a formula unless
    all polymorphs are asked for. The selected candidate need not be among those after the filters; it is assessed too.
    """

    query: ScreenQuery
    screening: Screening
    other: Funnel
    listed: pd.DataFrame
    selected: Mapping[str, Any] | None

    @property
    def x(self) -> str:
        """The column that the plot is wide by."""
        return self.query.x or self.screening.thresholds.capacity_column

    @property
    def y(self) -> str:
        """The column that the plot is high by."""
        return self.query.y or "voltage_v"

    @property
    def n_hull_unknown(self) -> int:
        """How many rows a limit on the hull energy lets through without knowing it."""
        asked = self.query.max_hull_ev_per_atom is not None and not self.query.known_hull_only
        return int(self.screening.frame["e_above_hull_ev_per_atom"].isna().sum()) if asked else 0

    @property
    def filter_words(self) -> str:
        """The filters in words, for a caption and the download's header."""
        return filter_words(self.query)


def screening_view(query: ScreenQuery, facets: Facets) -> View:
    """Return what the Screen page shows for `query`."""
    thresholds = thresholds_of(query, facets)
    frame = state.candidates(filters_of(query))
    if query.novelties:
        frame = of_novelty(frame, query.novelties)
    if query.max_price_usd_per_kg is not None:
        frame = affordable(frame, query.max_price_usd_per_kg)
    screening = screen(
        frame, thresholds, verdicts=query.verdicts, weights=query.weights, with_failing=query.show_all,
        front_only=query.pareto,
    )  # fmt: skip
    swapped: Definition = "paper" if thresholds.definition == "cathode" else "cathode"
    return View(
        query=query,
        screening=screening,
        other=funnel(frame, replace(thresholds, definition=swapped), query.verdicts),
        listed=screening.listed if query.polymorphs else one_per_formula(screening.listed),
        selected=_selected(query, thresholds),
    )


def thresholds_of(query: ScreenQuery, facets: Facets) -> Thresholds:
    """Return the thresholds; conductivity and barrier count only where asked for and the release holds any.

    An upper end of the voltage that is not above the lower one is left out: the page says so.
    """
    window = query.voltage_max_v is not None and query.voltage_max_v > query.voltage_v
    asked = query.sigma_ms_per_cm > 0.0 and facets.n_conductivities > 0
    return Thresholds(
        voltage_v=query.voltage_v,
        capacity_vol_ah_per_l=query.capacity_vol_ah_per_l,
        sigma_ms_per_cm=query.sigma_ms_per_cm if asked else None,
        barrier_ev=query.barrier_ev if query.barrier_ev < BARRIER_RANGE_EV[1] and facets.n_barriers else None,
        definition=query.definition,
        voltage_max_v=query.voltage_max_v if window else None,
    )


def filters_of(query: ScreenQuery) -> Filters:
    """Return the store's filters for the page's state."""
    return Filters(
        required_elements=query.required,
        forbidden_elements=tuple(sorted({*query.forbidden, *(TOXIC if query.non_toxic_only else ())})),
        redox_metals=query.redox_metals,
        sources=query.sources or None,
        max_e_above_hull_ev_per_atom=query.max_hull_ev_per_atom,
        keep_unknown_hull=not query.known_hull_only,
        in_domain_only=query.in_domain_only,
        with_anion_only=query.with_anion_only,
        text=query.text,
    )


def filter_words(query: ScreenQuery) -> str:
    """Return the filters of the state in words; `none` where every candidate is let through."""
    hull = query.max_hull_ev_per_atom
    verdicts = query.verdicts if query.definition == "cathode" else WANTED
    price = query.max_price_usd_per_kg
    parts = [
        f"verdict {' or '.join(verdicts)}" if verdicts != WANTED else "",
        f"must contain {', '.join(query.required)}" if query.required else "",
        f"must not contain {', '.join(query.forbidden)}" if query.forbidden else "",
        f"source {' or '.join(query.sources)}" if query.sources else "",
        " or ".join(query.novelties),
        f"redox metal {' or '.join(query.redox_metals)}" if query.redox_metals else "",
        f"at most {hull:g} eV/atom above hull" if hull is not None else "",
        "hull energy known" if query.known_hull_only else "",
        f"price known, at most {price:g} USD/kg" if price is not None else "",
        f"none of {', '.join(sorted(TOXIC))}" if query.non_toxic_only else "",
        "in domain" if query.in_domain_only else "",
        "with an anion" if query.with_anion_only else "",
        f"formula or id contains '{query.text}'" if query.text else "",
    ]
    return "; ".join(part for part in parts if part) or "none"


def _selected(query: ScreenQuery, thresholds: Thresholds) -> dict[str, Any] | None:
    """An id that the release does not hold, as from an old link, selects nothing."""
    if query.selected is None:
        return None
    try:
        row = state.reader().candidate(query.selected)
    except UnknownCandidateError:
        return None
    return assessed_row(row, thresholds, query.weights)
