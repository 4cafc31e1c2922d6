"""Figures of a voltage curve: steps over the content of ions, the energies behind them, the volume along it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.theme import Palette, figure_layout
from core.service.curves import CurvePoint, CurveStep, GroundState

_HEIGHT: Final = 340
_SMALL_HEIGHT: Final = 240


def step_figure(
    steps: Sequence[CurveStep], levels: Mapping[str, float], ion: str, colours: Palette, *, chosen_x: float | None
) -> dict[str, Any]:  # fmt: skip
    """Return the voltage against the share of ions in the host; `levels` are dashed lines, `chosen_x` a marked content.

    The axis runs from the charged host to the discharged one, as a battery is discharged.
    """
    x = [edge for step in steps for edge in (step.x_low, step.x_high)]
    y = [step.voltage_v for step in steps for _ in range(2)]
    line = {
        "type": "scatter", "mode": "lines", "name": "Steps", "x": x, "y": y,
        "line": {"color": colours.accent, "width": 2.6},
        "hovertemplate": "%{y:.2f} V<extra></extra>",
    }  # fmt: skip
    marks = [
        _level(name, value, dash, colours)
        for (name, value), dash in zip(levels.items(), ("dash", "dot"), strict=False)
    ]
    shapes = [] if chosen_x is None else [_here(chosen_x, colours)]
    layout = figure_layout(
        colours, height=_HEIGHT, hovermode="closest", margin={"b": 92}, shapes=shapes,
        xaxis=_content_axis(ion), yaxis={"title": {"text": "Voltage (V)"}},
        legend={"orientation": "h", "x": 0, "y": -0.24, "yanchor": "top"},
    )  # fmt: skip
    return {"data": [line, *marks], "layout": layout}


def energy_figure(
    points: Sequence[CurvePoint], ground_states: Sequence[GroundState], ion: str, colours: Palette
) -> dict[str, Any]:
    """Return the formation energy of every relaxed ordering over the line between the ends, and the hull below."""
    stable = {(it.n_ions, it.ordering) for it in ground_states}
    others = [it for it in points if (it.n_ions, it.ordering) not in stable]
    lowest = [it for it in points if (it.n_ions, it.ordering) in stable]
    data = [
        _energies("On the hull", lowest, {"mode": "lines+markers", "marker": {"size": 9, "color": colours.accent}}),
        _energies("Above it", others, {"mode": "markers", "marker": {"size": 7, "color": colours.line}}),
    ]  # fmt: skip
    layout = figure_layout(
        colours, height=_SMALL_HEIGHT, hovermode="closest", margin={"b": 84}, xaxis=_content_axis(ion),
        yaxis={"title": {"text": "Energy (eV / ion site)"}},
        legend={"orientation": "h", "x": 0, "y": -0.36, "yanchor": "top"},
    )  # fmt: skip
    return {"data": [trace for trace in data if trace["x"]], "layout": layout}


def volume_figure(ground_states: Sequence[GroundState], ion: str, colours: Palette) -> dict[str, Any]:
    """Return the volume of the ground states in per cent of the full host's."""
    full_a3 = ground_states[-1].volume_a3
    line = {
        "type": "scatter", "mode": "lines+markers", "name": "Volume", "x": [it.x for it in ground_states],
        "y": [100.0 * (it.volume_a3 / full_a3 - 1.0) for it in ground_states],
        "line": {"color": colours.accent, "width": 1.8}, "marker": {"size": 8},
        "hovertemplate": "%{x:.2f}: %{y:+.1f} %<extra></extra>",
    }  # fmt: skip
    layout = figure_layout(
        colours, height=_SMALL_HEIGHT, hovermode="closest", showlegend=False, margin={"b": 56},
        xaxis=_content_axis(ion), yaxis={"title": {"text": "Volume against full (%)"}},
    )  # fmt: skip
    return {"data": [line], "layout": layout}


def _energies(name: str, points: Sequence[CurvePoint], look: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter", "name": name, "x": [it.x for it in points], "y": [it.formation_ev for it in points],
        "customdata": [it.ordering for it in points],
        "hovertemplate": "ordering %{customdata}: %{y:.3f} eV<extra></extra>", **look,
    }  # fmt: skip


def _level(name: str, value: float, dash: str, colours: Palette) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": f"{name}, {value:.2f} V", "x": [0, 1], "y": [value, value],
        "line": {"color": colours.line, "width": 1.4, "dash": dash}, "hoverinfo": "skip",
    }  # fmt: skip


def _here(x: float, colours: Palette) -> dict[str, Any]:
    line = {"color": colours.line, "width": 1, "dash": "dot"}
    return {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": x, "x1": x, "line": line}


def _content_axis(ion: str) -> dict[str, Any]:
    return {"title": {"text": f"{ion} in the host (share of its sites)"}, "range": [-0.03, 1.03]}
