"""Screen: narrow all candidates down by thresholds and filters, see them, and take the shortlist away."""

from typing import Final

import streamlit as st

from app import state, theme
from app.components import controls, shortlist_table
from app.components.candidate_card import candidate_card
from app.components.funnel import Step, funnel_strip
from app.components.landmarks import landmark_trace
from app.components.scatter import Marks, screen_figure, selected_id
from app.components.trouble import guarded
from app.query import ScreenQuery, parse_query
from app.screening_view import View, screening_view
from core.service.release import Facets

_PLOT: Final = "screen_plot"
_PLOT_CONFIG: Final = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def sync_with_link(facets: Facets) -> None:
    """Take the state from the address bar when the page is entered or the Back button is used, and only then.

    Any other run may carry an older address than the state. Entered without parameters, the page keeps its state.
    """
    params, back = state.browser_query(), state.went_back_or_forward()
    if back or (params and st.session_state.get("is_first_run_of_page", True)):
        query = parse_query(params, sources=facets.sources)
        if query != controls.current():
            controls.adopt(query)


def sync_link(query: ScreenQuery) -> None:
    """Show the state in the address bar; the untouched default needs no words there."""
    if parse_query(dict(st.query_params)) != query:
        state.set_browser_query(query.to_params())


def funnel_steps(view: View, facets: Facets) -> list[Step]:
    """Return the steps from all candidates to those that pass; a limit that is not set is no step."""
    counts, query = view.screening.funnel, view.query
    limit = f"> {query.capacity_vol_ah_per_l:,.0f} Ah/L"
    steps = [
        Step(label="All candidates", count=facets.n_candidates),
        Step(label="After filters", count=counts.all),
        Step(label=f"> {query.voltage_v:.2f} V", count=counts.voltage),
        Step(label=limit if counts.verdict is None else f"{limit} redox", count=counts.capacity),
    ]
    if counts.barrier is not None:
        steps.append(Step(label=f"Barrier < {query.barrier_ev:.2f} eV", count=counts.barrier))
    if counts.conductivity is not None:
        steps.append(Step(label=f"> {query.sigma_ms_per_cm:g} mS/cm", count=counts.conductivity))
    if counts.verdict is not None:
        steps.append(Step(label="Verdict", count=counts.verdict))
    return steps


def other_funnel_words(view: View) -> str:
    """Return what the other definition keeps of the same candidates, in a sentence."""
    counts, query = view.other, view.query
    last = ""
    if counts.barrier is not None:
        last = f", {counts.barrier:,} of these with a barrier below {query.barrier_ev:.2f} eV"
    if counts.conductivity is not None:
        last += f", {counts.conductivity:,} of these above {query.sigma_ms_per_cm:g} mS/cm"
    kept = (
        f"{counts.capacity:,} above {query.voltage_v:.2f} V and {query.capacity_vol_ah_per_l:,.0f} Ah/L{last}"
    )
    if counts.verdict is None:
        return f"The paper's definition, which counts the capacity of all magnesium, keeps {kept}."
    return (
        f"As cathodes, where only what the redox metals pay for counts, {kept} are left, and {counts.verdict:,} with "
        f"the verdict {' or '.join(query.verdicts)}."
    )


def plot(view: View) -> None:
    """Draw the scatter; a click on a point selects its candidate."""
    marks = Marks(
        voltage_v=view.query.voltage_v,
        capacity_vol_ah_per_l=view.query.capacity_vol_ah_per_l,
        capacity=view.screening.thresholds.capacity_column,
        front=view.screening.front,
        selected=view.selected,
    )
    figure = screen_figure(view.screening.frame, view.screening.passing, marks, theme.palette())
    figure["data"].append(landmark_trace(theme.palette()))
    st.plotly_chart(
        figure,
        key=_PLOT,
        on_select=_point_selected,
        selection_mode="points",
        config=_PLOT_CONFIG,
        alt="Predicted voltage against the capacity that counts, of the filtered candidates",
    )


def _point_selected() -> None:
    id = selected_id(st.session_state.get(_PLOT))
    if id is not None:
        controls.change(selected=id)


@st.fragment
@guarded
def explore(facets: Facets) -> None:
    """Draw everything that a slider moves; only this part of the page runs again then."""
    controls.definition()
    controls.thresholds(facets)
    with st.expander("Filters", icon=":material/tune:"):
        controls.filters(facets)
    query = controls.current()
    sync_link(query)
    view = screening_view(query, facets)
    if query.filter_count:
        st.caption(
            f"{query.filter_count} filter{'s' * (query.filter_count > 1)} on: {theme.safe(view.filter_words)}"
        )
    funnel_strip(funnel_steps(view, facets))
    st.caption(other_funnel_words(view))
    left, right = st.columns([1.9, 1], gap="medium")
    with left:
        plot(view)
    with right:
        candidate_card(view)
    shortlist_table.draw(view)


def _known_mobilities(facets: Facets) -> str:
    known = [
        f"{what} of {n:,}"
        for what, n in (("migration barriers", facets.n_barriers), ("molecular dynamics", facets.n_simulated))
        if n
    ]
    return f"; {' and '.join(known)} of them" if known else ""


def page() -> None:
    """Draw the page."""
    release = state.reader().release
    facets = state.facets()
    sync_with_link(facets)
    theme.page_header(
        "Screen",
        f"{facets.n_candidates:,} magnesium compounds, with predicted average voltages, capacities and a verdict on "
        f"which to make next{_known_mobilities(facets)}. Release {theme.safe(release.version)}.",
    )
    explore(facets)


page()
