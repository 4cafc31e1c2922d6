"""Figures of the Accuracy page: parity, errors by ion beside the paper, reliability and spread."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from app.components.accuracy_colours import ION_COLOURS
from app.components.text import pretty_formula
from app.theme import Palette, figure_layout, safe_html
from core.ions import PAPER_IONS
from core.quantities import QUANTITIES
from core.service.accuracy import Baseline, ErrorRow, Interval, SpreadBin

PARTITION_NAMES: Final = {"random": "Random split", "host": "Unseen hosts"}

PARITY_RANGE_V: Final = (-2.0, 7.5)
"""Axes of the parity plot at first: a few labels lie far outside and would press all others together."""

_EVERYWHERE_V: Final = (-20.0, 30.0)
_PARITY_HOVER: Final = (
    "<b>%{text}</b><br>DFT %{x:.2f} V, predicted %{y:.2f} ± %{customdata[2]:.2f} V<br>"
    "%{customdata[0]} · %{customdata[1]}%{customdata[3]}<extra></extra>"
)
_PEERS_SHOWN: Final = ("all", "seven-ion mean")


def parity_figure(frame: pd.DataFrame, colours: Palette) -> dict[str, Any]:
    """Return predicted against calculated voltage, a trace an ion; `frame` as of `read_out_of_fold`, one partition."""
    counts = frame["working_ion"].value_counts()
    traces: list[dict[str, Any]] = [_diagonal((_EVERYWHERE_V[0], _EVERYWHERE_V[1]), colours)]
    for ion in [ion for ion in counts.index if ion != "Mg"] + ["Mg"]:
        rows = frame[frame["working_ion"] == ion].sort_values("in_domain", ascending=False, kind="stable")
        if not rows.empty:
            traces.append(_parity_trace(ion, rows))
    axis = {"range": list(PARITY_RANGE_V), "dtick": 1, "constrain": "domain"}
    layout = figure_layout(
        colours,
        height=560,
        hovermode="closest",
        dragmode="pan",
        xaxis=axis | {"title": {"text": QUANTITIES["calculated_v"].axis}},
        yaxis=axis | {"title": {"text": QUANTITIES["predicted_v"].axis}, "scaleanchor": "x"},
        legend=_legend(y=-0.15, itemsizing="constant"),
        margin={"b": 110},
    )
    return {"data": traces, "layout": layout}


def _parity_trace(ion: str, rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": f"{ion} ({len(rows):,})",
        "x": rows["voltage_v"],
        "y": rows["predicted_v"],
        "text": [safe_html(pretty_formula(formula)) for formula in rows["formula"]],
        "customdata": [
            [safe_html(battery), safe_html(id), std, "" if inside else "<br>out of domain"]
            for battery, id, std, inside in zip(
                rows["battery_id"], rows["id_discharge"], rows["std_v"], rows["in_domain"], strict=True
            )
        ],
        "hovertemplate": _PARITY_HOVER,
        "marker": {
            "color": ION_COLOURS[ion],
            "size": 6,
            "opacity": 0.72,
            "symbol": ["circle" if inside else "circle-open" for inside in rows["in_domain"]],
            "line": {"width": 1.4, "color": ION_COLOURS[ion]},
        },
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 0.72}},
    }


def ion_figure(errors: Mapping[str, Sequence[ErrorRow]], colours: Palette) -> dict[str, Any]:
    """Return the MAE by ion of both partitions with 95 % intervals, beside the paper's and the guess of the ion's mean.

    `errors`: rows by partition. The paper's seven ions come first, in its order (Fig. 3).
    """
    known = {row.working_ion: row for row in errors["random"]}
    ions = [ion for ion in PAPER_IONS if ion in known]
    ions += [ion for ion in known if ion in ION_COLOURS and ion not in PAPER_IONS]
    names = [*ions, *(name for name in _PEERS_SHOWN if name in known)]
    labels = [_ion_label(known[name]) for name in names]
    paper = [known[name].paper_v for name in names]
    places = list(range(len(names)))
    guess = [known[name].mean_baseline_v for name in names]
    traces = [
        _dots("Guess of the ion's mean", places, guess, colours.line, "line-ew"),
        _dots("Paper, its random split", places, paper, colours.text, "diamond"),
    ]
    traces[0]["marker"]["line"] = {"width": 2.5, "color": colours.line}
    styles = {"random": ("circle", colours.accent, -0.16), "host": ("square", colours.passing, 0.16)}
    for partition, (symbol, colour, shift) in styles.items():
        rows = {row.working_ion: row for row in errors.get(partition, ())}
        errors_shown = [rows.get(name) for name in names]
        traces.append(_error_dots(PARTITION_NAMES[partition], errors_shown, (symbol, colour, shift)))
    layout = figure_layout(
        colours,
        height=560,
        hovermode="closest",
        xaxis={"tickvals": places, "ticktext": labels, "showgrid": False, "tickangle": 0,
               "range": [-0.6, len(places) - 0.4]},
        yaxis={
            "title": {"text": "Mean absolute error (V, log scale)"}, "type": "log",
            "tickvals": [0.1, 0.2, 0.3, 0.5, 1, 2, 3], "ticktext": ["0.1", "0.2", "0.3", "0.5", "1", "2", "3"],
        },
        legend=_legend(y=-0.15),
        margin={"b": 110},
    )  # fmt: skip
    return {"data": traces, "layout": layout}


def _ion_label(row: ErrorRow) -> str:
    name = "seven" if row.working_ion == "seven-ion mean" else row.working_ion
    return f"<b>{safe_html(name)}</b><br>{row.n:,}"


def _dots(name: str, x: Sequence[Any], y: Sequence[float | None], colour: str, symbol: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": list(x),
        "y": list(y),
        "marker": {"symbol": symbol, "size": 11, "color": colour},
        "hovertemplate": f"{name}: %{{y:.2f}} V<extra></extra>",
    }


def _error_dots(name: str, rows: Sequence[ErrorRow | None], style: tuple[str, str, float]) -> dict[str, Any]:
    symbol, colour, shift = style
    there = [(place + shift, row) for place, row in enumerate(rows) if row is not None]
    trace = _dots(name, [place for place, _ in there], [row.mae_v for _, row in there], colour, symbol)
    trace["marker"]["size"] = 9
    trace["error_y"] = {
        "type": "data",
        "symmetric": False,
        "array": [row.high_v - row.mae_v for _, row in there],
        "arrayminus": [row.mae_v - row.low_v for _, row in there],
        "color": colour,
        "thickness": 1.6,
        "width": 3,
    }
    trace["customdata"] = [[row.low_v, row.high_v] for _, row in there]
    trace["hovertemplate"] = (
        f"{name}: %{{y:.3f}} V (%{{customdata[0]:.3f}} to %{{customdata[1]:.3f}})<extra></extra>"
    )
    return trace


def baselines_figure(baselines: Sequence[Baseline], shipped: str, colours: Palette) -> dict[str, Any]:
    """Return the MAE over all rows of each model in both partitions, the best at the top; `shipped` in bold."""
    names = [baseline.name for baseline in baselines][::-1]
    traces = []
    for partition, symbol, colour in (
        ("random", "circle", colours.accent),
        ("host", "square", colours.passing),
    ):
        rows = [
            (baseline.name, row)
            for baseline in baselines[::-1]
            if (row := baseline.row(partition, "all")) is not None
        ]
        trace = _dots(PARTITION_NAMES[partition], [row.mae_v for _, row in rows], [], colour, symbol)
        trace["y"] = [name for name, _ in rows]
        trace["marker"]["size"] = 9
        trace["error_x"] = {
            "type": "data", "symmetric": False, "array": [row.high_v - row.mae_v for _, row in rows],
            "arrayminus": [row.mae_v - row.low_v for _, row in rows], "color": colour, "thickness": 1.6, "width": 3,
        }  # fmt: skip
        trace["hovertemplate"] = f"%{{y}}, {PARTITION_NAMES[partition].lower()}: %{{x:.3f}} V<extra></extra>"
        traces.append(trace)
    labels = [f"<b>{safe_html(name)}</b>" if name == shipped else safe_html(name) for name in names]
    layout = figure_layout(
        colours,
        height=100 + 30 * len(names),
        hovermode="closest",
        margin={"l": 150, "b": 84},
        xaxis={"title": {"text": QUANTITIES["mae_v"].axis_of(", all ions")}, "rangemode": "tozero"},
        yaxis={"tickvals": names, "ticktext": labels, "ticks": "", "range": [-0.6, len(names) - 0.4]},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemclick": False},
    )
    return {"data": traces, "layout": layout}


def reliability_figure(
    points: Mapping[str, Sequence[tuple[float, Interval]]], colours: Palette
) -> dict[str, Any]:
    """Return observed against nominal coverage of the central intervals, per cent, by partition."""
    traces: list[dict[str, Any]] = [_diagonal((0.0, 100.0), colours)]
    for (partition, rows), (symbol, colour) in zip(points.items(), _styles(colours), strict=False):
        name = PARTITION_NAMES[partition]
        trace = _dots(
            name, [100 * level for level, _ in rows], [100 * it.value for _, it in rows], colour, symbol
        )
        trace |= {"mode": "lines+markers", "line": {"width": 1.5, "color": colour}}
        trace["marker"]["size"] = 8
        trace["hovertemplate"] = f"{name}: of %{{x:.0f}} % intervals %{{y:.1f}} % hold<extra></extra>"
        traces.append(trace)
    axis = {"range": [0, 102], "dtick": 20}
    layout = figure_layout(
        colours, height=400, hovermode="closest", margin={"b": 100}, legend=_legend(y=-0.22),
        xaxis=axis | {"title": {"text": "Nominal coverage (%)"}},
        yaxis=axis | {"title": {"text": "Observed coverage (%)"}},
    )  # fmt: skip
    return {"data": traces, "layout": layout}


def spread_figure(bins: Mapping[str, Sequence[SpreadBin]], colours: Palette) -> dict[str, Any]:
    """Return what 90 % of the errors stay below against the stated half width, rows in bins of like spread."""
    largest = max(max(it.half_width_v, it.observed_v.high) for rows in bins.values() for it in rows) * 1.05
    traces: list[dict[str, Any]] = [_diagonal((0.0, largest), colours)]
    for (partition, rows), (symbol, colour) in zip(bins.items(), _styles(colours), strict=False):
        observed = [it.observed_v for it in rows]
        name = PARTITION_NAMES[partition]
        trace = _dots(name, [it.half_width_v for it in rows], [it.value for it in observed], colour, symbol)
        trace["marker"]["size"] = 8
        trace["error_y"] = {
            "type": "data", "symmetric": False, "array": [it.high - it.value for it in observed],
            "arrayminus": [it.value - it.low for it in observed], "color": colour, "thickness": 1.4, "width": 3,
        }  # fmt: skip
        trace["hovertemplate"] = (
            f"{name}: stated ± %{{x:.2f}} V, 90 %% of errors below %{{y:.2f}} V<extra></extra>"
        )
        traces.append(trace)
    axis = {"range": [0, largest]}
    layout = figure_layout(
        colours, height=400, hovermode="closest", margin={"b": 100}, legend=_legend(y=-0.22),
        xaxis=axis | {"title": {"text": "Stated half width of the 90 % interval (V)"}},
        yaxis=axis | {"title": {"text": "90 % of errors stay below (V)"}},
    )  # fmt: skip
    return {"data": traces, "layout": layout}


def _styles(colours: Palette) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("circle", colours.accent), ("square", colours.passing)


def _legend(**extra: Any) -> dict[str, Any]:
    return {"orientation": "h", "x": 0, "yanchor": "top"} | extra


def _diagonal(ends: tuple[float, float], colours: Palette) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(ends),
        "y": list(ends),
        "line": {"color": colours.line, "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
        "showlegend": False,
    }
