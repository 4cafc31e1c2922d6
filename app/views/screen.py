"""Screen: narrow all candidates down by thresholds and filters, see them, and take the shortlist away."""

from typing import Final

import streamlit as st

from app import state, theme
from app.components import controls, ranking_controls, screen_funnel, screen_plot, shortlist_table, tray
from app.components.candidate_card import candidate_card
from app.components.trouble import guarded
from app.link import parse_query, read_query
from app.query import ScreenQuery
from app.screening_view import View, screening_view
from core.service.release import Facets

_FAULTS: Final = "screen_link_faults"


def sync_with_link(facets: Facets) -> None:
    """Take the state from the address bar when the page is entered or the Back button is used, and only then.

    Any other run may carry an older address than the state. Entered without parameters, the page keeps its state.
    """
    params, back = state.browser_query(), state.went_back_or_forward()
    if back or (params and st.session_state.get("is_first_run_of_page", True)):
        query, faults = read_query(params, sources=facets.sources)
        st.session_state[_FAULTS] = (query, faults)
        if query != controls.current():
            controls.adopt(query)


def sync_link(query: ScreenQuery) -> None:
    """Show the state in the address bar; the untouched default needs no words there."""
    if parse_query(dict(st.query_params)) != query:
        state.set_browser_query(query.to_params())


def faults_of_link(query: ScreenQuery) -> None:
    """Say what of the link could not be, until something is changed."""
    adopted, faults = st.session_state.get(_FAULTS, (None, ()))
    if faults and adopted == query:
        st.warning(
            f"Of this link {len(faults)} part{'s' * (len(faults) > 1)} cannot be: {theme.safe(' '.join(faults))}",
            icon=":material/link_off:",
        )


def welcome() -> None:
    """Tell a first visitor what the page does, until told that it is understood."""
    if not controls.current().welcome:
        return
    with st.container(border=True, key="welcome"):
        words, done = st.columns([8, 1], vertical_alignment="center")
        words.markdown(
            "This page lists which magnesium cathodes to **make next**: voltage and capacity above the limits below, "
            "nothing known against them, ordered by a score that you can read and change. Click a point or a row for "
            "the reasons for and against; tick rows to keep a shortlist. What was never calculated is said to be "
            "unknown, and never counts as a pass."
        )
        done.button("Got it", key="welcome_done", on_click=controls.change, kwargs={"welcome": False})


def hints(view: View) -> None:
    """Say which filters are on, and what they let through without knowing."""
    query = view.query
    told = []
    if query.filter_count:
        told.append(f"{query.filter_count} filter{'s' * (query.filter_count > 1)} on: {view.filter_words}.")
    if view.n_hull_unknown:
        told.append(
            f"The hull energy of {view.n_hull_unknown:,} of these is not known; Known hull energy only leaves them out."
        )
    if query.voltage_max_v is not None and view.screening.thresholds.voltage_max_v is None:
        told.append(
            f"The upper end of the voltage, {query.voltage_max_v:g} V, is not above the lower one, and is left out."
        )
    if told:
        st.caption(theme.safe(" ".join(told)))


@st.fragment
@guarded
def explore(facets: Facets) -> None:
    """Draw everything that a slider moves; only this part of the page runs again then."""
    faults_of_link(controls.current())
    welcome()
    controls.definition()
    controls.thresholds(facets)
    with st.expander("Filters", icon=":material/tune:"):
        controls.filters(facets)
    with st.expander("Ranking", icon=":material/balance:"):
        ranking_controls.draw()
    query = controls.current()
    sync_link(query)
    view = screening_view(query, facets)
    hints(view)
    with st.container(
        key="screen_parts"
    ):  # on a phone the plot comes before the funnel: theme.py orders them
        with st.container(key="screen_funnel"):
            screen_funnel.draw(view, facets)
        with st.container(key="screen_picture"):
            left, right = st.columns([1.9, 1], gap="medium")
            with left:
                screen_plot.draw(view)
            with right:
                candidate_card(view)
        with st.container(key="screen_lists"):
            shortlist_table.draw(view)
            tray.draw(view)


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
