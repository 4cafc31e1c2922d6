"""All candidates as points: two quantities as axes, what passes on top, limits as lines, a third quantity as colour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.components.axes import WIDE_SPREAD
from app.components.scatter_marks import (
    front_trace,
    limit_lines,
    selected_trace,
    size_legend,
)
from app.theme import Palette, figure_layout, safe_html
from core.quantities import QUANTITIES

MAX_POINTS: Final = 50_000
"""Above this many candidates the failing ones are drawn as a density map, the passing ones as points."""

_DENSITY_BINS: Final = (160, 110)
_MARKER_PX: Final = 7.0
_LARGEST_MARKER_PX: Final = 22.0

Mask = NDArray[np.bool_]
Span = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What is drawn how: axes, colour, and what lies on top of the points.

    `x`, `y`: columns; `colour`: a column, or empty for who passes. `spans`: of each axis over all candidates of the
    release, so that filters do not move the points. `limits`: lines, by the column they are held against. `front`: the
    Pareto front as a mask, or None. `more`: further traces, drawn last, such as known cathodes as landmarks.
    """

    x: str
    y: str
    colour: str = ""
    spans: Mapping[str, Span] = field(default_factory=dict)
    limits: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    front: Mask | None = None
    selected: Mapping[str, Any] | None = None
    more: Sequence[dict[str, Any]] = ()


def screen_figure(frame: pd.DataFrame, passing: Mask, marks: Marks, colours: Palette) -> dict[str, Any]:
    """Return the plotly figure, as a dictionary, of the rows of an assessed `frame` with a `label`.

    `passing`: one boolean a row. Points carry their candidate's id as `customdata`.
    """
    x, y = (frame[name].to_numpy(np.float32) for name in (marks.x, marks.y))
    inert = ~passing & (frame["verdict"] == "no cathode").to_numpy(dtype=np.bool_)
    others = ~passing & ~inert
    traces: list[dict[str, Any]] = []
    if len(frame) > MAX_POINTS:
        traces.append(_density(x[~passing], y[~passing], colours))
    else:
        small = _MARKER_PX - 1
        traces += _points(frame, inert, marks, "redox-inactive", colours.inert, small)
        traces += _points(frame, others, marks, "others", colours.failing, small, coloured=True)
    sizes = _marker_sizes(frame, passing)
    traces += _points(frame, passing, marks, "passes", colours.passing, sizes, coloured=True)
    if not isinstance(sizes, float):
        traces += size_legend(_size_px, colours)
    if marks.front is not None:
        traces.append(front_trace(x[marks.front], y[marks.front], colours))
    if marks.selected is not None:
        traces += selected_trace(marks.selected, marks.x, marks.y, colours)
    traces += marks.more
    return {"data": traces, "layout": _layout(x, y, marks, colours)}


def selected_ids(event: object) -> list[str]:
    """Return the candidate ids of the points of a plotly selection event, each once."""
    selection = event.get("selection") if isinstance(event, Mapping) else None
    points = selection.get("points") if isinstance(selection, Mapping) else None
    custom = [point.get("customdata") for point in points or []]
    first = [it[0] if isinstance(it, list | tuple) and it else it for it in custom]
    return list(dict.fromkeys(it for it in first if isinstance(it, str)))


def _points(
    frame: pd.DataFrame, mask: Mask, marks: Marks, name: str, colour: str, size: float | NDArray[np.float32],
    *, coloured: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """One trace of points; where a quantity colours them, those of which it is not known keep their grey."""
    if not (coloured and marks.colour):
        return [_trace(frame, mask, marks, f"{name} ({int(mask.sum()):,})", {"color": colour, "size": size})]
    value = frame[marks.colour].to_numpy(np.float32)
    known = np.isfinite(value)
    sized = np.broadcast_to(np.asarray(size, np.float32), (int(mask.sum()),))
    scaled = {
        "color": _scaled(value[mask & known], marks.colour), "size": sized[known[mask]], "coloraxis": "coloraxis",
    }  # fmt: skip
    grey = {"color": colour if name == "others" else "rgba(128,128,128,0.75)", "size": sized[~known[mask]]}
    return [
        _trace(
            frame, mask & ~known, marks, f"{name}, colour not known ({int((mask & ~known).sum()):,})", grey
        ),
        _trace(frame, mask & known, marks, f"{name} ({int((mask & known).sum()):,})", scaled),
    ]


def _trace(
    frame: pd.DataFrame, mask: Mask, marks: Marks, name: str, marker: Mapping[str, Any]
) -> dict[str, Any]:
    kept = frame.loc[mask]
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": name,
        "x": kept[marks.x].to_numpy(np.float32),
        "y": kept[marks.y].to_numpy(np.float32),
        "customdata": kept["id"].tolist(),
        "text": [safe_html(label) for label in kept["label"]],
        "hovertemplate": _hover(marks),
        "marker": {**marker, "line": {"width": 0}},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }


def _hover(marks: Marks) -> str:
    x, y = QUANTITIES[marks.x], QUANTITIES[marks.y]
    place = f"%{{y:{y.format}}} {y.unit} · %{{x:{x.format}}} {x.unit}"
    return f"<b>%{{text}}</b><br>{place}<br>%{{customdata}}<extra></extra>"


def _scaled(values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    return np.log10(np.maximum(values, 1e-6)) if name in WIDE_SPREAD else values


def _marker_sizes(frame: pd.DataFrame, mask: Mask) -> float | NDArray[np.float32]:
    """Marker size grows with the logarithm of conductivity where one is known; one size for all where none is."""
    sigma = frame.loc[mask, "sigma_ms_per_cm"].to_numpy(np.float32)
    return _size_px(sigma) if np.isfinite(sigma).any() else _MARKER_PX + 1


def _size_px(sigma_ms_per_cm: NDArray[np.float32]) -> NDArray[np.float32]:
    decades = np.log10(np.clip(np.nan_to_num(sigma_ms_per_cm, nan=0.0), 0.1, 1e4)) + 1.0
    return (_MARKER_PX + decades / 5.0 * (_LARGEST_MARKER_PX - _MARKER_PX)).astype(np.float32)


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


def _layout(x: Any, y: Any, marks: Marks, colours: Palette) -> dict[str, Any]:
    layout = figure_layout(
        colours,
        height=460,
        uirevision=f"screen-{marks.x}-{marks.y}",
        dragmode="pan",
        clickmode="event+select",
        modebar={
            "orientation": "v",
            "bgcolor": "rgba(0,0,0,0)",
            "color": colours.line,
            "activecolor": colours.accent,
        },
        shapes=limit_lines(marks.limits, marks.x, marks.y, colours),
        xaxis=_axis(marks.x, marks.spans.get(marks.x) or _span(x)),
        yaxis=_axis(marks.y, marks.spans.get(marks.y) or _span(y)),
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemclick": False},
    )
    if marks.colour:
        quantity = QUANTITIES[marks.colour]
        words = f"log₁₀ of {quantity.head}" if marks.colour in WIDE_SPREAD else quantity.head
        bar = {"title": {"text": words, "side": "right"}, "thickness": 12, "outlinewidth": 0}
        layout["coloraxis"] = {"colorscale": "Viridis", "colorbar": bar}
    return layout


def _axis(name: str, span: Span) -> dict[str, Any]:
    quantity = QUANTITIES[name]
    title = {"text": quantity.axis_of(" vs Mg") if name == "voltage_v" else quantity.axis}
    if name in WIDE_SPREAD:
        low, high = (float(np.log10(max(end, 1e-6))) for end in span)
        return {"title": title, "type": "log", "range": _wider(low, high), "dtick": 1}
    return {
        "title": title,
        "range": _wider(min(span[0], 0.0), span[1]),
        "tickformat": ",d" if quantity.format.endswith(("0f", "d")) else None,
    }


def _span(values: Any) -> Span:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)


def _wider(low: float, high: float) -> list[float]:
    margin = 0.03 * max(high - low, 1e-6)
    return [low - margin, high + margin]
