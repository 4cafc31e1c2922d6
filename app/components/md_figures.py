"""Figures of molecular dynamics: a run as it grows, mean-square displacements with their fit, Arrhenius' law."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.components.accuracy_colours import ION_COLOURS
from app.theme import Palette, figure_layout, safe_html
from core.quantities import scientific

Floats = NDArray[np.float64]

_CURVES: Final = ("#e0524d", "#4f86c6", "#4da35a", "#c9a800", "#8b7ad1", "#2fa7a0", "#d66fb0", "#9c755f")
_DASHES: Final = ("solid", "dot", "dashdot", "longdash")
_LIVE_HEIGHT: Final = 230


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """One mean-square displacement: `lag_ps` and `msd_a2` of equal length; `fit_a2`, `low_a2`, `high_a2` at `fit_ps`.

    A thin curve stands back: the framework beside the mobile ion.
    """

    name: str
    lag_ps: Sequence[float]
    msd_a2: Sequence[float]
    fit_ps: Sequence[float] = ()
    fit_a2: Sequence[float] = ()
    low_a2: Sequence[float] = ()
    high_a2: Sequence[float] = ()
    thin: bool = False


def live_figure(
    time_ps: Sequence[float], lines: Mapping[str, Sequence[float]], *, unit: str, colours: Palette,
    level: float | None = None, from_zero: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Return one small plot of a running simulation against time; `level` is a dashed line, such as the target."""
    traces = [
        _line(name, time_ps, values, colour)
        for (name, values), colour in zip(lines.items(), (colours.accent, colours.line), strict=False)
    ]
    shapes = [] if level is None else [_level(level, colours)]
    layout = figure_layout(
        colours, height=_LIVE_HEIGHT, margin={"l": 62, "r": 8, "t": 6, "b": 42}, shapes=shapes, uirevision="live",
        showlegend=len(traces) > 1, legend={"x": 0.02, "y": 0.98, "bgcolor": "rgba(0,0,0,0)"},
        xaxis={"title": {"text": "Time (ps)"}},
        yaxis={"title": {"text": unit}, "rangemode": "tozero" if from_zero else "normal", "tickformat": "~g"},
    )  # fmt: skip
    return {"data": traces, "layout": layout}


def msd_figure(curves: Sequence[Curve], colours: Palette, *, height: int = 400) -> dict[str, Any]:
    """Return mean-square displacements against lag time, each with its fit line and the band of its interval."""
    traces: list[dict[str, Any]] = []
    thick = [curve for curve in curves if not curve.thin]
    thin = [curve for curve in curves if curve.thin]
    for curve in curves:
        if curve.thin:
            traces += _curve(curve, colours.line, dash=_DASHES[thin.index(curve) % len(_DASHES)])
        else:
            traces += _curve(curve, _CURVES[thick.index(curve) % len(_CURVES)], names_fit=len(thick) == 1)
    layout = figure_layout(
        colours, height=height, hovermode="closest", margin={"b": 100},
        xaxis={"title": {"text": "Lag time (ps)"}, "rangemode": "tozero"},
        yaxis={"title": {"text": "Mean-square displacement (Å²)"}, "rangemode": "tozero"},
        legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
    )  # fmt: skip
    return {"data": traces, "layout": layout}


def _curve(curve: Curve, colour: str, *, dash: str = "solid", names_fit: bool = True) -> list[dict[str, Any]]:
    name = safe_html(curve.name)
    traces = []
    if len(curve.low_a2):
        edge = {"type": "scatter", "mode": "lines", "x": list(curve.fit_ps), "line": {"width": 0}, "hoverinfo": "skip",
                "showlegend": False, "legendgroup": name}  # fmt: skip
        traces.append(edge | {"y": list(curve.low_a2)})
        traces.append(
            edge
            | {
                "y": list(curve.high_a2),
                "fill": "tonexty",
                "fillcolor": _faint(colour),
                "name": f"{name}, 90 %",
            }
        )
    line = _line(name, curve.lag_ps, curve.msd_a2, colour)
    line["line"] |= {"width": 1.2 if curve.thin else 2.2, "dash": dash}
    line["hovertemplate"] = f"{name}<br>%{{x:.2f}} ps: %{{y:.2f}} Å²<extra></extra>"
    traces.append(line | {"legendgroup": name})
    if len(curve.fit_a2):
        fit = _line(f"{name}, fit", curve.fit_ps, curve.fit_a2, colour)
        fit["line"] |= {"dash": "dash", "width": 1.6}
        traces.append(fit | {"legendgroup": name, "hoverinfo": "skip", "showlegend": names_fit})
    return traces


@dataclass(frozen=True, kw_only=True)
class ArrheniusPoint:
    """A diffusivity at a temperature; without `d_cm2_per_s` an upper limit at `high`."""

    temperature_k: float
    d_cm2_per_s: float | None
    low: float | None
    high: float


def arrhenius_figure(
    points: Sequence[ArrheniusPoint], line: Sequence[tuple[float, float, float, float]], colours: Palette
) -> dict[str, Any]:
    """Return D against 1000 / T on a log axis; `line`: (temperature_k, D, low, high) of the fit, possibly empty."""
    traces = []
    if line:
        x = [1000.0 / row[0] for row in line]
        edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}, "hoverinfo": "skip",
                "showlegend": False}  # fmt: skip
        traces += [
            edge | {"y": [row[2] for row in line]},
            edge | {"y": [row[3] for row in line], "fill": "tonexty", "fillcolor": _faint(ION_COLOURS["Mg"])},
            _line("Arrhenius fit", x, [row[1] for row in line], ION_COLOURS["Mg"]),
        ]
    values = [point for point in points if point.d_cm2_per_s is not None]
    limits = [point for point in points if point.d_cm2_per_s is None]
    traces += [_values(values, colours), _limits(limits, colours)]
    temperatures = sorted({round(point.temperature_k) for point in points})
    ticks = {"tickvals": [1000.0 / it for it in temperatures], "ticktext": [f"{it:,}" for it in temperatures]}
    layout = figure_layout(
        colours, height=380, hovermode="closest", margin={"b": 96, "l": 76},
        legend={"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top"},
        xaxis=ticks | {"title": {"text": "Temperature (K), spaced as 1/T"}},
        yaxis=_log_ticks(points) | {"title": {"text": "D (cm²/s, log scale)"}, "type": "log"},
    )  # fmt: skip
    return {"data": [trace for trace in traces if trace["x"]], "layout": layout}


def _log_ticks(points: Sequence[ArrheniusPoint]) -> dict[str, Any]:
    """Ticks at 1, 2 and 5 of each decade that the points reach, one a decade where they reach many."""
    reached = [it for point in points for it in (point.d_cm2_per_s, point.low, point.high) if it]
    first, last = math.floor(math.log10(min(reached))), math.ceil(math.log10(max(reached)))
    steps = (1, 2, 5) if last - first <= 3 else (1,)
    ticks = [step * 10.0**decade for decade in range(first, last + 1) for step in steps]
    return {"tickvals": ticks, "ticktext": [scientific(it, 1) for it in ticks]}


def _values(points: Sequence[ArrheniusPoint], colours: Palette) -> dict[str, Any]:
    d = [float(point.d_cm2_per_s or 0.0) for point in points]
    return {
        "type": "scatter", "mode": "markers", "name": "Runs, 90 %", "x": [1000.0 / it.temperature_k for it in points],
        "y": d, "marker": {"size": 9, "color": colours.accent},
        "error_y": {
            "type": "data", "symmetric": False, "color": colours.accent,
            "array": [it.high - own for it, own in zip(points, d, strict=True)],
            "arrayminus": [own - (it.low or 0.0) for it, own in zip(points, d, strict=True)],
        },
        "customdata": [it.temperature_k for it in points],
        "hovertemplate": "%{customdata:.0f} K: %{y:.2e} cm²/s<extra></extra>",
    }  # fmt: skip


def _limits(points: Sequence[ArrheniusPoint], colours: Palette) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "name": "Upper limits", "x": [1000.0 / it.temperature_k for it in points],
        "y": [it.high for it in points], "marker": {"size": 11, "symbol": "triangle-down", "color": colours.line},
        "customdata": [it.temperature_k for it in points],
        "hovertemplate": "%{customdata:.0f} K: below %{y:.2e} cm²/s<extra></extra>",
    }  # fmt: skip


def _line(name: str, x: Sequence[float], y: Sequence[float], colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": colour, "width": 1.8},
    }


def _level(value: float, colours: Palette) -> dict[str, Any]:
    dash = {"color": colours.line, "width": 1, "dash": "dash"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value, "line": dash}


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.15)"
