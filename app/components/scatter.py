"""Voltage against volumetric capacity for all candidates: passing points in red, thresholds as lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.theme import Palette, figure_layout, safe_html
from core.quantities import QUANTITIES, is_missing

MAX_POINTS: Final = 50_000
"""Above this many candidates the failing ones are drawn as a density map, the passing ones as points."""

_DENSITY_BINS: Final = (160, 110)
_MARKER_PX: Final = 7.0
_LARGEST_MARKER_PX: Final = 22.0
_HOVER: Final = "<b>%{text}</b><br>%{y:.2f} V · %{x:,.0f} Ah/L<br>%{customdata}<extra></extra>"

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What is drawn on top of the points: threshold lines, the Pareto front (a mask or None), the selected row.

    `capacity`: the column that the capacity threshold is held against, and that the points are placed by.
    """

    voltage_v: float
    capacity_vol_ah_per_l: float
    capacity: str = "capacity_vol_ah_per_l"
    front: Mask | None = None
    selected: Mapping[str, Any] | None = None


def screen_figure(frame: pd.DataFrame, passing: Mask, marks: Marks, colours: Palette) -> dict[str, Any]:
    """Return the plotly figure, as a dictionary, of the rows of `frame` (columns of the view `screening`, and `label`).

    `passing`: one boolean a row. Points carry their candidate's id as `customdata`.
    """
    x = frame[marks.capacity].to_numpy(np.float32)
    y = frame["voltage_v"].to_numpy(np.float32)
    traces: list[dict[str, Any]] = []
    if len(frame) > MAX_POINTS:
        traces.append(_density(x[~passing], y[~passing], colours))
    else:
        traces.append(_points(frame, ~passing, x, y, "others", colours.failing, _MARKER_PX - 1))
    traces.append(_points(frame, passing, x, y, "passes", colours.passing, _marker_sizes(frame, passing)))
    if marks.front is not None:
        traces.append(_front(x[marks.front], y[marks.front], colours))
    if marks.selected is not None and _has_a_place(marks.selected, marks.capacity):
        traces.append(_selected(marks.selected, marks.capacity, colours))
    return {"data": traces, "layout": _layout(x, y, marks, colours)}


def selected_id(event: object) -> str | None:
    """Return the candidate id of the first selected point of a plotly selection event, or None."""
    selection = event.get("selection") if isinstance(event, Mapping) else None
    points = selection.get("points") if isinstance(selection, Mapping) else None
    custom = points[0].get("customdata") if points else None
    first = custom[0] if isinstance(custom, list | tuple) and custom else custom
    return first if isinstance(first, str) else None


def _points(
    frame: pd.DataFrame, mask: Mask, x: Any, y: Any, name: str, colour: str, size: float | NDArray[np.float32]
) -> dict[str, Any]:
    kept = frame.loc[mask, ["id", "label"]]
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": f"{name} ({len(kept):,})",
        "x": x[mask],
        "y": y[mask],
        "customdata": kept["id"].tolist(),
        "text": [safe_html(label) for label in kept["label"]],
        "hovertemplate": _HOVER,
        "marker": {"color": colour, "size": size, "line": {"width": 0}},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }


def _marker_sizes(frame: pd.DataFrame, mask: Mask) -> float | NDArray[np.float32]:
    """Marker size grows with the logarithm of conductivity where one is known; one size for all where none is."""
    sigma = frame.loc[mask, "sigma_ms_per_cm"].to_numpy(np.float32)
    if not np.isfinite(sigma).any():
        return _MARKER_PX + 1
    decades = np.log10(np.clip(np.nan_to_num(sigma, nan=0.0), 0.1, 1e4)) + 1.0
    sizes_px: NDArray[np.float32] = _MARKER_PX + decades / 5.0 * (_LARGEST_MARKER_PX - _MARKER_PX)
    return sizes_px.astype(np.float32)


def _density(x: Any, y: Any, colours: Palette) -> dict[str, Any]:
    finite = np.isfinite(x) & np.isfinite(y)
    counts, x_edges, y_edges = np.histogram2d(x[finite], y[finite], bins=_DENSITY_BINS)
    return {
        "type": "heatmap",
        "name": "others",
        "x": (x_edges[:-1] + x_edges[1:]) / 2,
        "y": (y_edges[:-1] + y_edges[1:]) / 2,
        "z": np.where(counts.T > 0, np.log10(np.maximum(counts.T, 1.0)), np.nan).astype(np.float32),
        "colorscale": [[0.0, colours.grid], [1.0, colours.line]],
        "showscale": False,
        "hoverinfo": "skip",
    }


def _front(x: Any, y: Any, colours: Palette) -> dict[str, Any]:
    order = np.argsort(x, kind="stable")
    return {
        "type": "scattergl",
        "mode": "lines+markers",
        "name": f"Pareto front ({len(order):,})",
        "x": x[order],
        "y": y[order],
        "line": {"color": colours.accent, "width": 1.5, "shape": "vh"},
        "marker": {"symbol": "circle-open", "size": 12, "color": colours.accent, "line": {"width": 1.5}},
        "hoverinfo": "skip",
    }


def _has_a_place(row: Mapping[str, Any], capacity: str) -> bool:
    return not (is_missing(row["voltage_v"]) or is_missing(row[capacity]))


def _selected(row: Mapping[str, Any], capacity: str, colours: Palette) -> dict[str, Any]:
    voltage = float(row["voltage_v"])
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": "selected",
        "x": [float(row[capacity])],
        "y": [voltage],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [float(row["voltage_high_v"]) - voltage],
            "arrayminus": [voltage - float(row["voltage_low_v"])],
            "color": colours.text,
            "thickness": 2,
            "width": 7,
        },
        "marker": {
            "symbol": "circle",
            "size": 13,
            "color": colours.surface,
            "line": {"width": 3, "color": colours.text},
        },
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _layout(x: Any, y: Any, marks: Marks, colours: Palette) -> dict[str, Any]:
    dash = {"color": colours.line, "width": 1.2, "dash": "dash"}
    lines = [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": marks.voltage_v,
            "y1": marks.voltage_v,
            "line": dash,
        },
        {
            "type": "line",
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "x0": marks.capacity_vol_ah_per_l,
            "x1": marks.capacity_vol_ah_per_l,
            "line": dash,
        },
    ]
    return figure_layout(
        colours,
        height=460,
        uirevision="screen",
        dragmode="pan",
        clickmode="event+select",
        shapes=lines,
        xaxis={
            "title": {"text": QUANTITIES[marks.capacity].axis},
            "range": _span(x, 0.0),
            "tickformat": ",d",
        },
        yaxis={"title": {"text": QUANTITIES["voltage_v"].axis_of(" vs Mg")}, "range": _span(y, 0.0)},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemclick": False},
    )


def _span(values: Any, floor: float) -> list[float]:
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return [floor, floor + 1.0]
    low, high = min(float(finite.min()), floor), float(finite.max())
    margin = 0.03 * max(high - low, 1e-6)
    return [low - margin, high + margin]
