"""Predicted and relaxed voltages against first principles on the Accuracy page: Fig. 4c of the paper, made here."""

from typing import Any, Final

import pandas as pd
import streamlit as st

from app.components.tables import draw_table
from app.components.text import pretty_formula
from app.theme import Palette, figure_layout, palette, safe_html
from core.service.first_principles import PAPER_MAE_V, Comparison, comparisons, first_principles_rows
from core.service.release import Reader

_CONFIG: Final = {"displaylogo": False, "displayModeBar": False}


def first_principles_section(reader: Reader, out_of_fold: pd.DataFrame | None) -> None:
    """Draw the plot with its errors beside the paper's, where the release holds first-principles voltages."""
    rows = first_principles_rows(reader, out_of_fold)
    st.subheader("Against first principles (paper Fig. 4c)", anchor=False)
    if len(rows) < 2:
        st.info(
            "This release holds no first-principles voltages yet: `python -m core dft campaign` computes them.",
            icon=":material/science:",
        )
        return
    left, right = st.container(key="stacking-first-principles").columns(2, gap="large")
    left.plotly_chart(
        parity_figure(rows, palette()), config=_CONFIG, key="first_principles_plot",
        alt="Predicted and relaxed voltage against the first-principles voltage",
    )  # fmt: skip
    with right:
        draw_table(
            ["", "MAE (V)", "95 %", "Mean error (V)", "n"],
            [
                *(_told(it) for it in comparisons(rows)),
                ["The paper's model against its DFT", f"{PAPER_MAE_V:.2f}", "", "", ""],
            ],
        )
        st.caption(
            f"{len(rows)} compounds, {int(rows['is_labelled'].sum())} of them labelled electrodes. PBE+U by GPAW, "
            "single points on geometries of the potential, ferromagnetic starts, without dispersion, as the labels. "
            "Predictions for labelled ones are by members that saw no electrode of the host."
        )


def _told(it: Comparison) -> list[str]:
    between = f"{it.mae.low:.2f} to {it.mae.high:.2f}"
    return [it.name, f"{it.mae.value:.2f}", between, f"{it.bias_v:+.2f}", str(it.n)]


def parity_figure(rows: pd.DataFrame, colours: Palette) -> dict[str, Any]:
    """Return predicted and relaxed voltage against the first-principles one, labelled electrodes filled."""
    values = rows[["voltage_v", "relaxed_voltage_v", "dft_voltage_v"]].to_numpy(dtype=float).ravel()
    known = values[values == values]
    span = [min(known.min(), 0.0) - 0.2, known.max() + 0.3]
    line = {
        "type": "scatter", "mode": "lines", "x": span, "y": span, "hoverinfo": "skip", "showlegend": False,
        "line": {"color": colours.line, "dash": "dash"},
    }  # fmt: skip
    traces = [
        _points(rows, "voltage_v", "Predicted", colours.accent, "circle"),
        _points(rows, "relaxed_voltage_v", "Relaxed by the potential", colours.passing, "diamond"),
    ]
    layout = figure_layout(
        colours, height=460, hovermode="closest",
        xaxis={"title": {"text": "Voltage by first principles (V)"}, "range": span, "dtick": 1},
        yaxis={"title": {"text": "Voltage (V)"}, "range": span, "dtick": 1, "scaleanchor": "x"},
        legend={"orientation": "h", "y": 1.08},
    )  # fmt: skip
    return {"data": [line, *traces], "layout": layout}


def _points(rows: pd.DataFrame, column: str, name: str, colour: str, symbol: str) -> dict[str, Any]:
    shown = rows[rows[column].notna()]
    labelled = shown["is_labelled"]
    return {
        "type": "scatter", "mode": "markers", "name": name, "x": shown["dft_voltage_v"], "y": shown[column],
        "text": [
            f"{safe_html(pretty_formula(formula))}{'' if has_label else ', no label'}"
            for formula, has_label in zip(shown["formula"], labelled, strict=True)
        ],
        "customdata": [[safe_html(id)] for id in shown["id"]],
        "hovertemplate": f"<b>%{{text}}</b><br>DFT %{{x:.2f}} V, {name.lower()} %{{y:.2f}} V<br>%{{customdata[0]}}"
        "<extra></extra>",
        "marker": {
            "symbol": [symbol if has_label else f"{symbol}-open" for has_label in labelled], "color": colour,
            "size": 10, "line": {"width": 1.6, "color": colour},
        },
    }  # fmt: skip
