"""The powder pattern on the Candidate page: peaks of both ends of charge, drawn, listed and as CSV."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from app.components.tables import draw_table
from app.theme import Palette, figure_layout, palette
from core.quantities import QUANTITIES
from core.records import Crystal
from core.service.charged_state import ChargedState
from core.service.diffraction import (
    COLUMNS,
    RANGE_DEG,
    WAVELENGTH_A,
    Peak,
    ends_of,
    pattern_csv,
    powder_pattern,
)

_CONFIG: Final = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}
_LISTED_PERCENT: Final = 5.0

Patterns = Mapping[str, Sequence[Peak]]


def xrd_section(patterns: Patterns, id: str) -> None:
    """Draw the patterns of the states of charge, as `patterns_of` returns them."""
    st.subheader("Powder pattern", anchor="xrd")
    st.plotly_chart(
        xrd_figure(patterns, palette()), config=_CONFIG, key=f"xrd_{id}",
        alt="Intensity against the angle 2θ: discharged upwards, charged downwards",
    )  # fmt: skip
    st.caption(
        f"Copper Kα, {WAVELENGTH_A} Å, of ideal crystals at rest without texture; planes of the conventional cell. "
        "The cells are computed, and computed lattices are often off by a per cent: look for the pattern, with all "
        "its angles shifted somewhat."
    )
    with st.container(horizontal=True):
        st.download_button(
            "Peaks (CSV)", lambda: pattern_csv(patterns).encode(), f"{id}-xrd.csv", "text/csv",
            icon=":material/download:", on_click="ignore", key=f"xrd_csv_{id}",
        )  # fmt: skip
    with st.expander("The stronger peaks", icon=":material/table_rows:"):
        columns = st.container(key=f"stacking-xrd-{id}").columns(len(patterns), gap="large")
        for column, (end, peaks) in zip(columns, patterns.items(), strict=True):
            with column:
                st.markdown(f"**{end}**, at least {_LISTED_PERCENT:g} % of the strongest")
                draw_table([QUANTITIES[name].head for name in COLUMNS], [_row(it) for it in strong(peaks)])


@st.cache_data(show_spinner=False, max_entries=256)
def patterns_of(
    key: tuple[str, ...], _crystal: Crystal, _charged: ChargedState | None
) -> dict[str, list[Peak]]:
    """Return the peaks of the states of charge; `key` names the crystal and the relaxation that they are of."""
    return {end: list(powder_pattern(it)) for end, it in ends_of(_crystal, _charged).items()}


def strong(peaks: Sequence[Peak]) -> list[Peak]:
    """Return the peaks that are worth a line in a list."""
    return [it for it in peaks if it.intensity_percent >= _LISTED_PERCENT]


def _row(it: Peak) -> list[str]:
    shown = ((QUANTITIES[name], getattr(it, name)) for name in COLUMNS)
    return [quantity.number(value) if quantity.kind == "number" else value for quantity, value in shown]


def xrd_figure(patterns: Patterns, colours: Palette) -> dict[str, Any]:
    """Return the patterns as sticks: the first upwards, the second downwards."""
    looks = zip(patterns.items(), (1.0, -1.0), (colours.accent, colours.passing), strict=False)
    traces = [trace for (end, peaks), sign, colour in looks for trace in _sticks(end, peaks, sign, colour)]
    is_both = len(patterns) > 1
    ticks = [-100, -50, 0, 50, 100] if is_both else [0, 50, 100]
    layout = figure_layout(
        colours, height=320, showlegend=is_both, legend={"orientation": "h", "x": 0, "y": 1.12},
        xaxis={"title": {"text": QUANTITIES["two_theta_deg"].axis}, "range": list(RANGE_DEG)},
        yaxis={
            "title": {"text": QUANTITIES["intensity_percent"].axis}, "tickvals": ticks,
            "ticktext": [str(abs(tick)) for tick in ticks], "range": [-112 if is_both else 0, 112],
        },
    )  # fmt: skip
    return {"data": traces, "layout": layout}


def _sticks(end: str, peaks: Sequence[Peak], sign: float, colour: str) -> list[dict[str, Any]]:
    """One line broken between sticks, and a mark at each tip to hover over."""
    x = [value for it in peaks for value in (it.two_theta_deg, it.two_theta_deg, None)]
    y = [value for it in peaks for value in (0.0, sign * it.intensity_percent, None)]
    tips = {
        "type": "scatter", "mode": "markers", "x": [it.two_theta_deg for it in peaks],
        "y": [sign * it.intensity_percent for it in peaks], "marker": {"size": 5, "color": colour}, "showlegend": False,
        "customdata": [[it.hkl, f"{it.d_spacing_a:.3f}", f"{it.intensity_percent:.0f}"] for it in peaks],
        "hovertemplate": "%{x:.2f}°, %{customdata[0]}<br>d %{customdata[1]} Å, %{customdata[2]} %<extra></extra>",
    }  # fmt: skip
    line = {
        "type": "scatter", "mode": "lines", "x": x, "y": y, "name": end, "line": {"color": colour, "width": 1.6},
        "hoverinfo": "skip",
    }  # fmt: skip
    return [line, tips]
