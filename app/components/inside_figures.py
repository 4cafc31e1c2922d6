"""Figures of the page "Inside the model": elements, atoms and electrodes as points in the plane."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.components.accuracy_colours import CLASS_COLOURS, ION_COLOURS
from app.components.text import pretty_formula
from app.theme import Palette, figure_layout, safe_html
from core.ions import WORKING_IONS
from core.quantities import QUANTITIES
from core.service.embeddings import ELEMENT_CLASSES, AtomMap, ElectrodeMap

_HEIGHT: Final = 560
_VOLTAGE_QUANTILES: Final = (0.02, 0.98)


def element_figure(points: AtomMap, colours: Palette) -> dict[str, Any]:
    """Return the elements by their symbols, coloured by class, the ten working ions circled."""
    traces = []
    for name in _classes(points):
        rows = points.classes == name
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "name": name,
                "x": points.xy[rows, 0],
                "y": points.xy[rows, 1],
                "text": points.symbols[rows].tolist(),
                "textfont": {"size": 10, "color": colours.text},
                "textposition": "middle center",
                "marker": {"size": 17, "color": CLASS_COLOURS[name], "opacity": 0.5, "line": {"width": 0}},
                "hovertemplate": f"<b>%{{text}}</b>, {name}<extra></extra>",
            }
        )
    circled = points.xy[points.is_working_ion]
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "a working ion",
            "x": circled[:, 0],
            "y": circled[:, 1],
            "hoverinfo": "skip",
            "marker": {"symbol": "circle-open", "size": 22, "color": colours.text, "line": {"width": 1.8}},
        }
    )
    first, second = (f"{100 * share:.0f} % of the variance" for share in points.explained)
    layout = _layout(colours, f"First component ({first})", f"Second component ({second})")
    return {"data": traces, "layout": layout}


def atom_figure(points: AtomMap, colours: Palette) -> dict[str, Any]:
    """Return the atoms coloured by the class of their element; working ions outlined and their clusters named."""
    traces = [_atoms(points, name, is_ion, colours) for is_ion in (False, True) for name in _classes(points)]
    ring = {
        "symbol": "circle",
        "size": 8,
        "color": colours.surface,
        "line": {"width": 1.4, "color": colours.text},
    }
    key = {
        "type": "scattergl",
        "mode": "markers",
        "name": "a working ion",
        "x": [None],
        "y": [None],
        "marker": ring,
    }
    layout = _layout(colours, "", "") | {"annotations": _ion_names(points, colours)}
    _without_axes(layout)
    return {"data": [trace for trace in traces if len(trace["x"])] + [key], "layout": layout}


def _atoms(points: AtomMap, name: str, is_ion: bool, colours: Palette) -> dict[str, Any]:
    rows = (points.classes == name) & (points.is_working_ion == is_ion)
    formulas = [pretty_formula(safe_html(formula)) for formula in points.formulas[rows]]
    outline = {"width": 1, "color": colours.text} if is_ion else {"width": 0}
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": name,
        "legendgroup": name,
        "showlegend": not is_ion,
        "x": points.xy[rows, 0],
        "y": points.xy[rows, 1],
        "text": points.symbols[rows].tolist(),
        "customdata": [list(pair) for pair in zip(formulas, points.battery_ids[rows].tolist(), strict=True)],
        "hovertemplate": f"<b>%{{text}}</b>, {'working ion' if is_ion else name}<br>in %{{customdata[0]}}, "
        "%{customdata[1]}<extra></extra>",
        "marker": {
            "size": 6 if is_ion else 5,
            "color": CLASS_COLOURS[name],
            "opacity": 0.85,
            "line": outline,
        },
    }


def electrode_figure(points: ElectrodeMap, projection: str, by: str, colours: Palette) -> dict[str, Any]:
    """Return the electrodes; `projection` is `pca` or `tsne`, `by` is `ion` or `voltage`."""
    xy = points.pca_xy if projection == "pca" else points.tsne_xy
    hover = np.column_stack(
        [
            [pretty_formula(safe_html(formula)) for formula in points.formulas],
            points.working_ions, np.round(points.voltages_v, 2).astype(str), points.battery_ids,
        ]
    )  # fmt: skip
    if by == "voltage":
        traces = [
            _electrodes(xy, hover, "electrodes", _voltage_marker(points.voltages_v, colours))
            | {"showlegend": False}
        ]
    else:
        order = sorted(WORKING_IONS, key=lambda ion: -int((points.working_ions == ion).sum()))
        traces = [
            _electrodes(xy[rows], hover[rows], f"{ion} ({rows.sum():,})", {"color": ION_COLOURS[ion]})
            for ion in order
            if (rows := points.working_ions == ion).any()
        ]
    titles = ("", "")
    if projection == "pca":
        first, second = (f"{100 * share:.0f} % of the variance" for share in points.explained)
        titles = (f"First component ({first})", f"Second component ({second})")
    layout = _layout(colours, *titles)
    if projection == "tsne":
        _without_axes(layout)
    return {"data": traces, "layout": layout}


def _electrodes(xy: NDArray[Any], hover: NDArray[Any], name: str, marker: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": name,
        "x": xy[:, 0],
        "y": xy[:, 1],
        "customdata": hover.tolist(),
        "hovertemplate": "<b>%{customdata[0]}</b><br>%{customdata[2]} V against %{customdata[1]}<br>%{customdata[3]}"
        "<extra></extra>",
        "marker": {"size": 5, "opacity": 0.85, "line": {"width": 0}} | marker,
    }


def _voltage_marker(voltages_v: NDArray[Any], colours: Palette) -> dict[str, Any]:
    low, high = np.quantile(voltages_v, _VOLTAGE_QUANTILES)
    return {
        "color": voltages_v,
        "colorscale": "Viridis",
        "cmin": float(low),
        "cmax": float(high),
        "colorbar": {
            "title": {"text": QUANTITIES["average_voltage_v"].axis, "side": "top"}, "orientation": "h", "y": -0.06,
            "yanchor": "top", "thickness": 12, "len": 0.75, "tickfont": {"color": colours.text}, "outlinewidth": 0,
        },
    }  # fmt: skip


def _ion_names(points: AtomMap, colours: Palette) -> list[dict[str, Any]]:
    """Each working ion's symbol beside the middle one of its atoms."""
    names = []
    for ion in WORKING_IONS:
        xy = points.xy[points.is_working_ion & (points.symbols == ion)]
        if not len(xy):
            continue
        middle = xy[np.linalg.norm(xy - np.median(xy, axis=0), axis=1).argmin()]
        names.append(
            {
                "x": float(middle[0]), "y": float(middle[1]), "text": f"<b>{ion}</b>", "showarrow": False,
                "yshift": 13, "font": {"color": colours.text, "size": 13}, "bgcolor": colours.surface,
                "opacity": 0.85, "borderpad": 1,
            }
        )  # fmt: skip
    return names


def _classes(points: AtomMap) -> list[str]:
    present = set(points.classes.tolist())
    return [name for name in ELEMENT_CLASSES if name in present]


def _layout(colours: Palette, x_title: str, y_title: str) -> dict[str, Any]:
    return figure_layout(
        colours,
        height=_HEIGHT,
        hovermode="closest",
        dragmode="pan",
        margin={"l": 48 if y_title else 12, "r": 8, "b": 130},
        xaxis={"title": {"text": x_title}},
        yaxis={"title": {"text": y_title}},
        legend={
            "orientation": "h",
            "x": 0,
            "y": -0.13 if x_title else -0.04,
            "yanchor": "top",
            "itemsizing": "constant",
        },
    )


def _without_axes(layout: dict[str, Any]) -> None:
    """Take off what would give the coordinates of a t-SNE map a meaning."""
    for axis in ("xaxis", "yaxis"):
        layout[axis] |= {"showticklabels": False, "ticks": "", "showgrid": False, "showline": False}
