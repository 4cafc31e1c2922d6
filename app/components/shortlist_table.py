"""The table under the scatter: one row a formula, a click for the card, a tick for the shortlist; and its downloads."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from app.components import controls, downloads
from app.components.columns import column_config
from app.components.text import source_label
from app.screening_view import View
from app.theme import safe
from core.quantities import QUANTITIES
from core.service.screen import passes

_TABLE: Final = "screen_table"
_IDS: Final = "screen_table_ids"

_COLUMNS: Final = (
    "label", "n_polymorphs", "novelty", "verdict", "score", "score_unknown", "voltage_v", "voltage_low_v",
    "voltage_high_v", "p_percent", "p_all_without", "mp_average_voltage_v", "capacity_redox_vol_ah_per_l",
    "energy_vol_wh_per_l", "energy_grav_wh_per_kg", "barrier_ev", "barrier_std_ev", "barrier_outcome",
    "sigma_ms_per_cm", "sigma_low_ms_per_cm", "sigma_high_ms_per_cm", "conductivity_outcome", "sigma_verdict",
    "n_against", "n_unknown", "relaxed_voltage_v", "dft_voltage_v", "framework", "volume_change",
    "charged_e_above_hull_ev_per_atom", "conversion_voltage_v", "e_above_hull_ev_per_atom", "in_domain",
    "capacity_vol_ah_per_l", "price_usd_per_kg", "spacegroup", "source_label", "id",
)  # fmt: skip
_IF_KNOWN: Final = frozenset(
    {
        "mp_average_voltage_v", "relaxed_voltage_v", "dft_voltage_v", "framework", "volume_change",
        "charged_e_above_hull_ev_per_atom", "conversion_voltage_v", "barrier_ev", "barrier_std_ev", "sigma_ms_per_cm",
        "sigma_low_ms_per_cm", "sigma_high_ms_per_cm", "sigma_verdict",
    }
)  # fmt: skip
"""Columns of what is calculated for few: left out of a table in which none has it."""

_WITH: Final = {
    "barrier_outcome": "barrier_ev",
    "conductivity_outcome": "sigma_verdict",
    "score_unknown": "score",
}
"""Columns that say something only beside another."""

MOST_PERCENT: Final = 99.0
"""Of a probability as a bar: nothing predicted is certain, and a bar's words cannot say "above"."""


def draw(view: View) -> None:
    """Draw the switches, the table of listed candidates, and the downloads of exactly those rows."""
    st.markdown(_count(view))
    controls.display_switches()
    if view.listed.empty:
        _empty(view)
    else:
        _table(view)
    downloads.draw(view)


def _count(view: View) -> str:
    n, n_formulas = len(view.screening.listed), view.screening.listed["formula"].nunique()
    if view.query.polymorphs or n == n_formulas:
        return f"**{n:,} listed**, {n_formulas:,} formulas" if n != n_formulas else f"**{n:,} listed**"
    return f"**{n_formulas:,} listed**, the best polymorph of each formula, of {n:,}"


def _table(view: View) -> None:
    ids = view.listed["id"].tolist()
    st.session_state[_IDS] = ids
    _mark(ids, view)
    shown = as_shown(view.listed)
    columns = [name for name in _COLUMNS if _is_shown(name, shown)]
    st.dataframe(
        shown[columns],
        column_config=column_config(columns, pinned=("label",)),
        hide_index=True,
        height="auto",
        key=_TABLE,
        on_select=_chosen,
        selection_mode=["multi-row", "single-cell"],
        placeholder="–",
    )


def as_shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with what a table says in its own way: per cent, short names, words instead of categories."""
    return rows.assign(
        p_percent=(100.0 * rows["p_all"]).clip(upper=MOST_PERCENT),
        source_label=rows["source"].map(source_label),
        verdict=rows["verdict"].astype(str),
        score_unknown=rows["score_unknown"].replace("", None),
        p_all_without=rows["p_all_without"].replace("", None),
    )


def _is_shown(name: str, rows: pd.DataFrame) -> bool:
    if name == "n_polymorphs":
        return name in rows and bool((rows[name] > 1).any())
    if name == "p_all_without":
        return bool(rows[name].notna().any())
    other = _WITH.get(name, name)
    return other not in _IF_KNOWN or bool(rows[other].notna().any())


def _mark(ids: list[str], view: View) -> None:
    """Show what is on the shortlist as ticked, and the selected candidate's cell as chosen."""
    place = {id: row for row, id in enumerate(ids)}
    ticked = sorted(place[id] for id in view.query.shortlist if id in place)
    cells = [(place[view.query.selected], "label")] if view.query.selected in place else []
    st.session_state[_TABLE] = {"selection": {"rows": ticked, "columns": [], "cells": cells}}


def _chosen() -> None:
    """A ticked row goes on the shortlist, one unticked off it; the last one touched is the one on the card."""
    ids: list[str] = st.session_state.get(_IDS, [])
    selection: Mapping[str, Any] = st.session_state[_TABLE]["selection"]
    ticked = [ids[row] for row in selection["rows"] if row < len(ids)]
    before = set(controls.current().shortlist)
    added, removed = [it for it in ticked if it not in before], (before & set(ids)) - set(ticked)
    if removed:
        controls.take_off(removed)
    if added:
        controls.put_aside(added)
        controls.change(selected=added[-1])
    elif not removed and selection["cells"]:
        row = int(selection["cells"][0][0])
        controls.change(selected=ids[row] if row < len(ids) else None)


def _empty(view: View) -> None:
    frame, limits = view.screening.frame, view.screening.thresholds
    predicted = frame.dropna(subset=["voltage_v"])
    enough = predicted[predicted[limits.capacity_column] > limits.capacity_vol_ah_per_l]
    if frame.empty:
        hint = "The filters leave no candidate. Clear one of them."
    elif predicted.empty:
        hint = "No candidate here has a predicted voltage."
    elif enough.empty:
        limit = QUANTITIES["capacity_vol_ah_per_l"].text(limits.capacity_vol_ah_per_l)
        hint = f"No candidate here has more than {limit}; lower that threshold."
    elif passes(frame, limits).any():
        hint = (
            f"None of those above the thresholds has the verdict {' or '.join(view.query.verdicts)}. Ask for others in "
            "the filters, or list those that fail too."
        )
    else:
        best = enough.loc[enough["voltage_v"].idxmax()]
        hint = (
            f"The highest voltage with enough capacity is {QUANTITIES['voltage_v'].text(best['voltage_v'])}, "
            f"{safe(best['label'])}. "
            "Lower the thresholds, or list those that fail too."
        )
    st.info(f"Nothing to list. {hint}", icon=":material/filter_alt_off:")
