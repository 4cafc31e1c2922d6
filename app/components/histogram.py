"""Histograms of predicted voltage, stacked by source (paper Fig. 4a, b)."""

from typing import Any

import pandas as pd

from app.components.text import source_label
from app.theme import Palette, figure_layout, safe_html
from core.quantities import QUANTITIES


def histogram_figure(
    bins: pd.DataFrame,
    *,
    bin_width_v: float,
    threshold_v: float,
    range_v: tuple[float, float],
    colours: Palette,
) -> dict[str, Any]:
    """Return the plotly figure, as a dictionary, of bins with columns source, voltage_bin_v (left edge) and n."""
    totals = bins.groupby("source")["n"].sum().sort_values(ascending=False)
    traces = []
    for index, source in enumerate(totals.index):
        rows = bins[bins["source"] == source]
        traces.append(
            {
                "type": "bar",
                "name": f"{safe_html(source_label(source))} ({totals[source]:,})",
                "x": rows["voltage_bin_v"] + bin_width_v / 2,
                "y": rows["n"],
                "width": bin_width_v,
                "marker": {"color": colours.sources[index % len(colours.sources)], "line": {"width": 0}},
                "hovertemplate": f"%{{x:.2f}} V ± {bin_width_v / 2:g} V: %{{y:,}} compounds<extra></extra>",
            }
        )
    return {"data": traces, "layout": _layout(threshold_v, range_v, colours)}


def _layout(threshold_v: float, range_v: tuple[float, float], colours: Palette) -> dict[str, Any]:
    line = {
        "type": "line",
        "x0": threshold_v,
        "x1": threshold_v,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": colours.passing, "width": 1.5, "dash": "dash"},
    }
    label = {
        "x": threshold_v,
        "yref": "paper",
        "y": 1,
        "xanchor": "left",
        "yanchor": "top",
        "xshift": 4,
        "text": f"{threshold_v:g} V",
        "showarrow": False,
        "font": {"color": colours.passing},
    }
    return figure_layout(
        colours,
        height=450,
        margin={"b": 150},
        barmode="stack",
        bargap=0.06,
        shapes=[line],
        annotations=[label],
        xaxis={
            "title": {"text": QUANTITIES["voltage_v"].axis_of(" vs Mg")},
            "range": list(range_v),
            "showgrid": False,
        },
        yaxis={"title": {"text": "Compounds"}, "rangemode": "tozero", "tickformat": ",d"},
        legend={"orientation": "h", "x": 0, "y": -0.3, "yanchor": "top", "itemclick": False},
    )
