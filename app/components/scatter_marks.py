"""What lies on the points of the Screen page's plot: limits, Pareto front, the selected candidate, sizes explained."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.theme import Palette
from core.quantities import is_missing, significant

_SIZES_MS_PER_CM: Final = (10.0, 100.0, 1000.0)


def limit_lines(
    limits: Mapping[str, tuple[float, ...]], x: str, y: str, colours: Palette
) -> list[dict[str, Any]]:
    """Return dashed lines at the limits on what the axes show."""
    dash = {"color": colours.line, "width": 1.2, "dash": "dash"}
    across = [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": at, "y1": at, "line": dash}
        for at in limits.get(y, ())
    ]
    up = [
        {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": at, "x1": at, "line": dash}
        for at in limits.get(x, ())
    ]
    return across + up


def size_legend(
    size_px: Callable[[NDArray[np.float32]], NDArray[np.float32]], colours: Palette
) -> list[dict[str, Any]]:
    """Return traces without points that say in the legend which conductivity a size stands for."""
    sizes = size_px(np.array(_SIZES_MS_PER_CM, dtype=np.float32)).tolist()
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": f"{significant(sigma)} mS/cm",
            "x": [None],
            "y": [None],
            "hoverinfo": "skip",
            "marker": {
                "size": size,
                "color": "rgba(0,0,0,0)",
                "line": {"width": 1.2, "color": colours.line},
            },
        }
        for sigma, size in zip(_SIZES_MS_PER_CM, sizes, strict=True)
    ]


def front_trace(x: Any, y: Any, colours: Palette) -> dict[str, Any]:
    """Return the Pareto front as a stepped line with rings."""
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


def selected_trace(row: Mapping[str, Any], x: str, y: str, colours: Palette) -> list[dict[str, Any]]:
    """Return a ring around the selected candidate, with the interval of its voltage; nothing where it has no place."""
    if is_missing(row.get(x)) or is_missing(row.get(y)):
        return []
    trace = {
        "type": "scattergl",
        "mode": "markers",
        "name": "selected",
        "x": [float(row[x])],
        "y": [float(row[y])],
        "marker": {
            "symbol": "circle",
            "size": 13,
            "color": colours.surface,
            "line": {"width": 3, "color": colours.text},
        },
        "hoverinfo": "skip",
        "showlegend": False,
    }
    interval = {
        f"error_{axis}": _interval(row, colours) for axis, name in (("x", x), ("y", y)) if name == "voltage_v"
    }
    return [trace | interval]


def _interval(row: Mapping[str, Any], colours: Palette) -> dict[str, Any]:
    voltage_v = float(row["voltage_v"])
    return {
        "type": "data",
        "symmetric": False,
        "array": [float(row["voltage_high_v"]) - voltage_v],
        "arrayminus": [voltage_v - float(row["voltage_low_v"])],
        "color": colours.text,
        "thickness": 2,
        "width": 7,
    }
