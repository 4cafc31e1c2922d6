"""Measured cathodes: marks on the Screen plot, and predicted against measured on the Accuracy page."""

from typing import Any, Final

import pandas as pd
import streamlit as st

from app import state
from app.components.accuracy_tables import structure_link
from app.components.tables import Cell, Detailed, Link, draw_table
from app.components.text import pretty_formula
from app.theme import Palette, figure_layout, palette, safe_html
from core.quantities import QUANTITIES, is_missing
from core.service.landmarks import agreement, measured_cathodes
from core.service.release import Reader

_CONFIG: Final = {"displaylogo": False, "displayModeBar": False}


def landmark_trace(colours: Palette) -> dict[str, Any]:
    """Return the measured cathodes of known voltage and volumetric capacity as a trace for the Screen plot."""
    return trace_of(_marks(state.reader().release.sha256, state.reader()), colours)


@st.cache_data(show_spinner=False, max_entries=2)
def _marks(sha256: str, _reader: Reader) -> pd.DataFrame:
    return measured_cathodes(_reader)


def trace_of(rows: pd.DataFrame, colours: Palette) -> dict[str, Any]:
    """Return the rows of known voltage and volumetric capacity as diamonds with their names; a click selects none."""
    placed = rows.dropna(subset=["measured_v", "measured_capacity_vol_ah_per_l"])
    placed = placed.sort_values("measured_capacity_vol_ah_per_l")
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": f"measured cathodes ({len(placed)} of {len(rows)} placed)",
        "x": placed["measured_capacity_vol_ah_per_l"].tolist(),
        "y": placed["measured_v"].tolist(),
        "text": _names(placed),
        "textposition": [("bottom center", "top center")[at % 2] for at in range(len(placed))],
        "textfont": {"color": colours.text, "size": 13, "weight": 600},
        "hovertext": [f"{safe_html(it.structure)}, {safe_html(_conditions(it))}" for it in placed.itertuples()],
        "hovertemplate": "<b>%{text}</b>, measured<br>%{y:.1f} V · %{x:,.0f} Ah/L<br>%{hovertext}<extra></extra>",
        "marker": {
            "symbol": "diamond", "size": 12, "color": colours.sources[1],
            "line": {"width": 1.5, "color": colours.text},
        },
    }  # fmt: skip


def measured_section(reader: Reader, out_of_fold: pd.DataFrame | None) -> None:
    """Draw predicted against measured voltages, what they may bear, and the table of all measured cathodes."""
    rows = measured_cathodes(reader, out_of_fold)
    st.subheader("Against measured cathodes", anchor=False)
    left, right = st.container(key="stacking-measured").columns([1, 1.25], gap="large")
    left.plotly_chart(
        measured_figure(rows, palette()), config=_CONFIG, key="measured_plot",
        alt="Predicted voltage against the measured voltage of known magnesium cathodes",
    )  # fmt: skip
    right.markdown(_words(rows))
    _table(rows)


def _words(rows: pd.DataFrame) -> str:
    told = agreement(rows)
    counts = (
        f"{len(rows)} measured cathodes: {int(rows['measured_v'].notna().sum())} with a stated voltage, "
        f"{int(rows['id'].notna().sum())} whose discharged structure this release holds."
    )
    if told is None:
        return f"{counts} Too few have both to say how far predictions lie from measurements."
    return (
        f"**{told.mae.value:.2f} V** lie between prediction and measurement on average, over **n = {told.mae.n}** "
        f"cathodes (95 %: {told.mae.low:.2f} to {told.mae.high:.2f} V); the mean of the differences is "
        f"{told.bias_v:+.2f} V.\n\n{counts}\n\n"
        "This is no test of the model alone. It learned calculated voltages at rest, with all magnesium in and out. "
        "Measured ones hold polarisation, which lowers a discharge, and cells turn round only part of the magnesium, "
        "some at 60 or 150 °C. Predictions for labelled electrodes are by members that saw no electrode of the host; "
        "for the others the shipped model speaks, which may know the host with another filling."
    )


def measured_figure(rows: pd.DataFrame, colours: Palette) -> dict[str, Any]:
    """Return predicted against measured voltage with the cathodes' names, of those that have both."""
    both = rows.dropna(subset=["measured_v", "predicted_v"])
    span = [0.0, 4.2]
    line = {
        "type": "scatter", "mode": "lines", "x": span, "y": span, "hoverinfo": "skip", "showlegend": False,
        "line": {"color": colours.line, "dash": "dash"},
    }  # fmt: skip
    points = {
        "type": "scatter", "mode": "markers+text", "x": both["measured_v"].tolist(),
        "y": both["predicted_v"].tolist(), "text": _names(both), "textposition": "middle right", "showlegend": False,
        "hovertemplate": "<b>%{text}</b><br>measured %{x:.1f} V, predicted %{y:.2f} V<extra></extra>",
        "marker": {"symbol": "diamond", "size": 11, "color": colours.accent},
    }  # fmt: skip
    layout = figure_layout(
        colours, height=420, hovermode="closest",
        xaxis={"title": {"text": QUANTITIES["measured_v"].axis}, "range": span, "dtick": 1, "constrain": "domain"},
        yaxis={"title": {"text": QUANTITIES["predicted_v"].axis}, "range": span, "dtick": 1, "scaleanchor": "x"},
    )  # fmt: skip
    return {"data": [line, points], "layout": layout}


def _table(rows: pd.DataFrame) -> None:
    draw_table(
        ["Cathode", QUANTITIES["measured_v"].axis, "Capacity (mAh/g)", "Conditions",
         QUANTITIES["predicted_v"].head, "Remark", "Source"],
        [_cells(it) for it in rows.itertuples()],
    )  # fmt: skip
    st.caption(
        "An empty field is not stated in the text that was read. Capacities are by the mass of what went into the "
        "cell; Ah/L are of the discharged crystal, without pores, carbon or binder, where the release holds it."
    )


def _cells(it: Any) -> list[Cell]:
    per_litre = it.measured_capacity_vol_ah_per_l
    return [
        Detailed(text=pretty_formula(it.name), detail=it.structure),
        _number("measured_v", it.measured_v),
        Detailed(
            text=_number("measured_capacity_grav_mah_per_g", it.measured_capacity_grav_mah_per_g),
            detail=""
            if is_missing(per_litre)
            else QUANTITIES["measured_capacity_vol_ah_per_l"].text(per_litre),
        ),
        Detailed(text=_conditions(it), detail=pretty_formula(it.reaction)),
        _predicted(it),
        it.remark,
        Link(text=it.doi, url=f"https://doi.org/{it.doi}"),
    ]


def _predicted(it: Any) -> Cell:
    """The prediction, with a link to the discharged structure."""
    if is_missing(it.id):
        return "no structure at hand"
    return Link(text=_number("predicted_v", it.predicted_v), url=structure_link(it.id, {it.id}).url)


def _number(name: str, value: float) -> str:
    return "" if is_missing(value) else QUANTITIES[name].number(value)


def _names(rows: pd.DataFrame) -> list[str]:
    return [safe_html(pretty_formula(name)) for name in rows["name"]]


def _conditions(it: Any) -> str:
    at = "" if is_missing(it.temperature_k) else f"{it.temperature_k - 273:.0f} °C"
    return ", ".join(part for part in (pretty_formula(it.electrolyte), at) if part) or "not stated"
