"""The table under the scatter, linked to it by the selected row, and its download."""

from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from app import state
from app.components import controls
from app.components.text import source_label
from app.screening_view import View
from app.theme import safe
from core.screening import shortlist_csv

_TABLE: Final = "screen_table"
_IDS: Final = "screen_table_ids"

number = st.column_config.NumberColumn
COLUMNS: Final[dict[str, Any]] = {
    "label": st.column_config.TextColumn("Formula", pinned=True),
    "voltage_v": number("Voltage (V)", format="%.2f", help="Predicted average voltage against Mg metal."),
    "voltage_low_v": number("V low", format="%.2f", help="Lower end of the 90 % interval, volts."),
    "voltage_high_v": number("V high", format="%.2f", help="Upper end of the 90 % interval, volts."),
    "capacity_vol_ah_per_l": number("Capacity (Ah/L)", format="%.0f", help="All Mg out of the discharged cell."),
    "capacity_redox_vol_ah_per_l": number(
        "Redox-limited (Ah/L)", format="%.0f", help="What the redox metals can pay for; empty where not countable."
    ),
    "p_percent": st.column_config.ProgressColumn(
        "Pass probability", format="%.0f %%", min_value=0.0, max_value=100.0,
        help="Chance that the true values pass every threshold, from the predicted spread.",
    ),
    "in_domain": st.column_config.CheckboxColumn("In domain", help="Resembles the labelled electrodes."),
    "e_above_hull_ev_per_atom": number("Hull (eV/atom)", format="%.3f", help="Energy above hull; empty: unknown."),
    "sigma_ms_per_cm": number("Conductivity (mS/cm)", format="%.3g", help="From molecular dynamics, mostly at 1200 K."),
    "sigma_low_ms_per_cm": number("σ low", format="%.3g", help="Lower end of the 90 % interval, mS/cm."),
    "sigma_high_ms_per_cm": number(
        "σ high", format="%.3g", help="Upper end of the 90 % interval, or the upper limit where that is all, mS/cm."
    ),
    "sigma_verdict": st.column_config.TextColumn("Dynamics", help="How the molecular dynamics ended."),
    "spacegroup": st.column_config.TextColumn("Space group"),
    "source_label": st.column_config.TextColumn("Source"),
    "id": st.column_config.TextColumn("Id"),
}  # fmt: skip


def draw(view: View) -> None:
    """Draw the switches, the table of listed candidates, and the download of exactly those rows."""
    head, download = st.columns([3, 1], vertical_alignment="center")
    with head, st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        st.markdown(f"**{len(view.listed):,} listed**")
        controls.display_switches()
    with download, st.container(horizontal_alignment="right"):
        _download(view)
    if view.listed.empty:
        _empty(view)
        return
    ids = view.listed["id"].tolist()
    st.session_state[_IDS] = ids
    _mark_selected(ids, view.query.selected)
    st.dataframe(
        _as_shown(view.listed)[_shown_columns(view)],
        column_config=COLUMNS,
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
    limits = view.thresholds
    sigma = "none" if limits.sigma_ms_per_cm is None else f"{limits.sigma_ms_per_cm:g} mS/cm"
    return {
        "what": "magnesium cathode candidates, as listed on the Screen page",
        "rows": f"{len(view.listed)}",
        "listed": "all after filters" if view.query.show_all else "passing all thresholds",
        "pareto_front_only": "yes" if view.query.pareto else "no",
        "threshold_voltage": f"above {limits.voltage_v:g} V",
        "threshold_volumetric_capacity": f"above {limits.capacity_vol_ah_per_l:g} Ah/L",
        "threshold_conductivity": sigma,
        "filters": view.filter_words,
        "release": release.version,
        "release_sha256": release.sha256,
        "model": f"{release.model_name} sha256 {release.model_sha256}",
        "data_sha256": str(release.data_sha256),
        "licenses": "Materials Project and 3DSC rows CC BY 4.0, GNoME rows CC BY-NC 4.0 (column license)",
        "url": view.query.to_url(state.page_url()),
        "downloaded": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _download(view: View) -> None:
    metadata = csv_metadata(view)
    rows = view.listed.drop(columns=["label"])
    st.download_button(
        "Download CSV",
        data=lambda: shortlist_csv(rows, metadata).encode(),
        file_name=f"mg-cathodes-{metadata['release']}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        disabled=rows.empty,
        help="The rows listed below, under a header with thresholds, release, model and link.",
    )


def _as_shown(listed: pd.DataFrame) -> pd.DataFrame:
    return listed.assign(p_percent=100.0 * listed["p_all"], source_label=listed["source"].map(source_label))


def _shown_columns(view: View) -> list[str]:
    has_dynamics = bool(view.listed["sigma_verdict"].notna().any())
    return [name for name in COLUMNS if has_dynamics or not name.startswith("sigma_")]


def _mark_selected(ids: list[str], selected: str | None) -> None:
    rows = [ids.index(selected)] if selected in ids else []
    st.session_state[_TABLE] = {"selection": {"rows": rows, "columns": [], "cells": []}}


def _row_selected() -> None:
    rows = st.session_state[_TABLE]["selection"]["rows"]
    ids = st.session_state.get(_IDS, [])
    controls.change(selected=ids[rows[0]] if rows and rows[0] < len(ids) else None)


def _empty(view: View) -> None:
    predicted = view.frame.dropna(subset=["voltage_v"])
    enough = predicted[predicted["capacity_vol_ah_per_l"] > view.thresholds.capacity_vol_ah_per_l]
    if view.frame.empty:
        hint = "The filters leave no candidate. Clear one of them."
    elif predicted.empty:
        hint = "No candidate here has a predicted voltage."
    elif enough.empty:
        limit = f"{view.thresholds.capacity_vol_ah_per_l:,.0f} Ah/L"
        hint = f"No candidate here has more than {limit}; lower that threshold."
    else:
        best = enough.loc[enough["voltage_v"].idxmax()]
        hint = (
            f"The highest voltage with enough capacity is {best['voltage_v']:.2f} V, {safe(best['label'])}. "
            "Lower the voltage threshold, or list those that fail too."
        )
    st.info(f"Nothing to list. {hint}", icon=":material/filter_alt_off:")
