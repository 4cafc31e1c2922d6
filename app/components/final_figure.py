"""Voltage against capacity of what passes, coloured by whether its ions get through (after the paper's Fig. 6a)."""

from typing import Any, Final

import pandas as pd

from app.theme import Palette, figure_layout, safe_html
from core.quantities import QUANTITIES
from core.service.final_list import LIMITS

_SYMBOLS: Final = {"fast": "circle", "undecided": "diamond", "untested": "circle-open", "slow": "x"}
_HOVER: Final = "<b>%{text}</b><br>%{y:.2f} V · %{x:,.0f} Ah/L<br>%{customdata}<extra></extra>"
_N_NAMED: Final = 12
_SIDES: Final = ("top center", "bottom center")
"""Of a formula, in turn, since the best lie close together."""


def final_figure(rows: pd.DataFrame, colours: Palette) -> dict[str, Any]:
    """Return the plotly figure, as a dictionary, of the rows of a final list; its first ones carry their formula."""
    shades = {
        "untested": colours.line, "slow": colours.failing, "undecided": colours.accent, "fast": colours.passing,
    }  # fmt: skip
    traces = [_points(rows[rows["mobility"] == name], name, shade) for name, shade in shades.items()]
    limit = {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": LIMITS.voltage_v, "y1": LIMITS.voltage_v,
        "line": {"color": colours.line, "width": 1.2, "dash": "dash"},
    }  # fmt: skip
    layout = figure_layout(
        colours,
        height=440,
        xaxis={"title": {"text": QUANTITIES["capacity_redox_vol_ah_per_l"].axis}, "tickformat": ",d"},
        yaxis={"title": {"text": QUANTITIES["voltage_v"].axis_of(" vs Mg")}},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "reversed"},
        shapes=[limit],
    )
    return {"data": [*traces, _names(rows)], "layout": layout}


def _names(rows: pd.DataFrame) -> dict[str, Any]:
    """The formulas of the first of the final list, one polymorph each."""
    named = rows[rows["is_final"]].drop_duplicates("formula").head(_N_NAMED)
    return {
        "type": "scatter", "mode": "text", "x": named["capacity_redox_vol_ah_per_l"].tolist(),
        "y": named["voltage_v"].tolist(), "text": [safe_html(it) for it in named["label"]],
        "textposition": [_SIDES[i % 2] for i in range(len(named))],
        "textfont": {"size": 11}, "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip


def _points(part: pd.DataFrame, name: str, colour: str) -> dict[str, Any]:
    barrier, sigma = QUANTITIES["barrier_ev"], QUANTITIES["sigma_ms_per_cm"]
    told = [
        f"barrier {barrier.text(row['barrier_ev'])}, conductivity {sigma.text(row['sigma_ms_per_cm'])}"
        for row in part.to_dict("records")
    ]
    return {
        "type": "scatter", "mode": "markers", "name": f"{name} ({len(part):,})",
        "x": part["capacity_redox_vol_ah_per_l"].tolist(), "y": part["voltage_v"].tolist(), "customdata": told,
        "text": [safe_html(it) for it in part["label"]], "hovertemplate": _HOVER,
        "marker": {"color": colour, "symbol": _SYMBOLS[name], "size": 10 if name == "fast" else 8},
    }  # fmt: skip
