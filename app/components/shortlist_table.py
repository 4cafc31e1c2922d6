"""The table under the scatter, linked to it by the selected row, and its download."""

from datetime import UTC, datetime
from typing import Final

import pandas as pd
import streamlit as st

from app import state
from app.components import controls
from app.components.columns import column_config
from app.components.text import source_label
from app.screening_view import View
from app.theme import safe
from core.quantities import QUANTITIES
from core.service.screen import frame_csv, passes, with_reasons

_TABLE: Final = "screen_table"
_IDS: Final = "screen_table_ids"

_COLUMNS: Final = (
    "label", "verdict", "voltage_v", "voltage_low_v", "voltage_high_v", "capacity_redox_vol_ah_per_l",
    "capacity_vol_ah_per_l", "p_percent", "barrier_ev", "n_against", "n_unknown", "relaxed_voltage_v", "dft_voltage_v",
    "framework", "volume_change", "charged_e_above_hull_ev_per_atom", "conversion_voltage_v", "barrier_std_ev",
    "in_domain", "e_above_hull_ev_per_atom", "sigma_ms_per_cm", "sigma_low_ms_per_cm", "sigma_high_ms_per_cm",
    "sigma_verdict", "price_usd_per_kg", "spacegroup", "source_label", "id",
)  # fmt: skip
_IF_KNOWN: Final = frozenset(
    {
        "relaxed_voltage_v", "dft_voltage_v", "framework", "volume_change", "charged_e_above_hull_ev_per_atom",
        "conversion_voltage_v", "barrier_ev", "barrier_std_ev", "sigma_ms_per_cm", "sigma_low_ms_per_cm",
        "sigma_high_ms_per_cm", "sigma_verdict",
    }
)  # fmt: skip
"""Columns of what is calculated for few: left out of a table in which none has it."""

_MOST_PERCENT: Final = 99.0
"""Of a probability as a bar: nothing predicted is certain, and a bar's words cannot say "above"."""


def draw(view: View) -> None:
    """Draw the switches, the table of listed candidates, and the download of exactly those rows."""
    head, download = st.columns([3, 1], vertical_alignment="center")
    with head, st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        st.markdown(f"**{len(view.screening.listed):,} listed**")
        controls.display_switches()
    with download, st.container(horizontal_alignment="right"):
        _download(view)
    if view.screening.listed.empty:
        _empty(view)
        return
    ids = view.screening.listed["id"].tolist()
    st.session_state[_IDS] = ids
    _mark_selected(ids, view.query.selected)
    columns = _shown_columns(view.screening.listed)
    st.dataframe(
        _as_shown(view.screening.listed)[columns],
        column_config=column_config(columns, pinned=("label",)),
        hide_index=True,
        height="auto",
        key=_TABLE,
        on_select=_row_selected,
        selection_mode="single-row",
        placeholder="–",
    )


def csv_metadata(view: View) -> dict[str, str]:
    """Return what the download says above its rows: thresholds, filters, release, model and the link back."""
    release = state.reader().release
    limits = view.screening.thresholds
    return {
        "what": "magnesium cathode candidates, as listed on the Screen page",
        "definition": _DEFINED[limits.definition],
        "verdicts": "any" if limits.definition == "paper" else " or ".join(view.screening.verdicts),
        "rows": f"{len(view.screening.listed)}",
        "listed": "all after filters" if view.query.show_all else "passing all thresholds",
        "pareto_front_only": "yes" if view.query.pareto else "no",
        "threshold_voltage": _limit_words("voltage_v", limits.voltage_v),
        "threshold_volumetric_capacity": _limit_words("capacity_vol_ah_per_l", limits.capacity_vol_ah_per_l),
        "capacity_that_counts": limits.capacity_column,
        "threshold_barrier": _limit_words("barrier_ev", limits.barrier_ev, side="below"),
        "threshold_conductivity": _limit_words("sigma_ms_per_cm", limits.sigma_ms_per_cm),
        "filters": view.filter_words,
        "release": release.version,
        "release_sha256": release.sha256,
        "model": f"{release.model_name} sha256 {release.model_sha256}",
        "accurate_model": f"{release.accurate_model_name or 'none'} sha256 {release.accurate_model_sha256 or 'none'}",
        "data_sha256": str(release.data_sha256),
        "licenses": "Materials Project and 3DSC rows CC BY 4.0, GNoME rows CC BY-NC 4.0 (column license)",
        "url": view.query.to_url(state.page_url()),
        "downloaded": datetime.now(UTC).isoformat(timespec="seconds"),
    }


_DEFINED: Final = {
    "cathode": "cathodes: redox-limited capacity counts, and a verdict is asked for",
    "paper": "the paper's: the capacity of all magnesium counts",
}


def _limit_words(name: str, limit: float | None, *, side: str = "above") -> str:
    return "none" if limit is None else f"{side} {limit:g} {QUANTITIES[name].unit}"


def _download(view: View) -> None:
    metadata = csv_metadata(view)
    rows = view.screening.listed.drop(columns=["label"])
    st.download_button(
        "Download CSV",
        data=lambda: frame_csv(with_reasons(rows, view.screening.thresholds), metadata).encode(),
        file_name=f"mg-cathodes-{metadata['release']}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        disabled=rows.empty,
        help="The rows listed below with the reasons of their verdicts, under a header with thresholds, release, model "
        "and link.",
    )


def _as_shown(listed: pd.DataFrame) -> pd.DataFrame:
    return listed.assign(
        p_percent=(100.0 * listed["p_all"]).clip(upper=_MOST_PERCENT),
        source_label=listed["source"].map(source_label),
        verdict=listed["verdict"].astype(str),
    )


def _shown_columns(listed: pd.DataFrame) -> list[str]:
    return [name for name in _COLUMNS if name not in _IF_KNOWN or bool(listed[name].notna().any())]


def _mark_selected(ids: list[str], selected: str | None) -> None:
    rows = [ids.index(selected)] if selected in ids else []
    st.session_state[_TABLE] = {"selection": {"rows": rows, "columns": [], "cells": []}}


def _row_selected() -> None:
    rows = st.session_state[_TABLE]["selection"]["rows"]
    ids = st.session_state.get(_IDS, [])
    controls.change(selected=ids[rows[0]] if rows and rows[0] < len(ids) else None)


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
            "Lower the voltage threshold, or list those that fail too."
        )
    st.info(f"Nothing to list. {hint}", icon=":material/filter_alt_off:")
