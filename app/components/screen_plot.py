"""The plot of the Screen page: its axes and colour to choose, clicks that select, a lasso that puts aside."""

from typing import Final

import streamlit as st

from app import state, theme
from app.components import controls
from app.components.axes import PLOTTED
from app.components.landmarks import landmark_trace
from app.components.scatter import Marks, screen_figure, selected_ids
from app.screening_view import View
from core.quantities import QUANTITIES

_PLOT: Final = "screen_plot"
_CONFIG: Final = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "autoScale2d"]}

_CAPACITIES: Final = ("capacity_redox_vol_ah_per_l", "capacity_vol_ah_per_l")
"""Axes on which measured cathodes have a place, against voltage."""


def draw(view: View) -> None:
    """Draw the scatter; a click on a point selects its candidate, a lasso puts all inside on the shortlist."""
    _axes(view)
    figure = screen_figure(view.screening.frame, view.screening.passing, _marks(view), theme.palette())
    if view.y == "voltage_v" and view.x in _CAPACITIES:
        figure["data"].append(landmark_trace(theme.palette()))
    st.plotly_chart(
        figure,
        key=_PLOT,
        on_select=_points_selected,
        selection_mode=("points", "lasso"),
        config=_CONFIG,
        alt=f"{QUANTITIES[view.y].label} against {QUANTITIES[view.x].label.lower()} of the filtered candidates",
    )


def _marks(view: View) -> Marks:
    asked = view.screening.thresholds
    limits = {
        "voltage_v": (asked.voltage_v, asked.voltage_max_v),
        asked.capacity_column: (asked.capacity_vol_ah_per_l,),
        "barrier_ev": (asked.barrier_ev,),
        "sigma_ms_per_cm": (asked.sigma_ms_per_cm,),
    }
    return Marks(
        x=view.x,
        y=view.y,
        colour=view.query.colour,
        spans={name: state.span(name) for name in (view.x, view.y)},
        limits={name: tuple(it for it in ends if it is not None) for name, ends in limits.items()},
        front=view.screening.front,
        selected=view.selected,
    )


def _axes(view: View) -> None:
    standard = {
        "x": QUANTITIES[view.screening.thresholds.capacity_column].label,
        "y": QUANTITIES["voltage_v"].label,
        "colour": "Who passes",
    }
    with st.container(horizontal=True, gap="small", key="plot_axes"):
        for field, label in (("y", "Up"), ("x", "Across"), ("colour", "Colour")):
            key, words = (
                f"{field}_axis",
                {"": standard[field]} | {name: QUANTITIES[name].axis for name in PLOTTED},
            )
            controls.put(key, getattr(view.query, field))
            st.selectbox(
                label, list(words), key=key, format_func=words.__getitem__, on_change=controls.copy_field,
                args=(key, field),
            )  # fmt: skip


def _points_selected() -> None:
    ids = selected_ids(st.session_state.get(_PLOT))
    if len(ids) == 1:
        controls.change(selected=ids[0])
    elif ids:
        controls.put_aside(ids[::-1])  # what passes is drawn last, and comes first
