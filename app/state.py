"""What all pages share: the open release, the loaded voltage model, and links between pages.

Nothing here is mutable at module level: what belongs to one browser tab lives in `st.session_state`, what belongs to
the server is a cached resource.
"""

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

import pandas as pd
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.components.text import pretty_formula
from core.errors import ExplorerError
from core.service import release
from core.service.release import Facets, Filters, Reader
from core.service.screen import figure_span

if TYPE_CHECKING:
    from core.service.model import VoltageModel

SCREEN_PAGE: Final = "views/screen.py"
CANDIDATE_PAGE: Final = "views/candidate.py"
DYNAMICS_PAGE: Final = "views/dynamics.py"
ABOUT_PAGE: Final = "views/about.py"

_log = logging.getLogger(__name__)


def reader() -> Reader:
    """Return the open reader of the current release; raise `StoreError` kinds where there is none to read."""
    return release.current_reader()


def facets() -> Facets:
    """Return what the current release offers to filter by; counted once a release."""
    store = reader()
    return _facets(store.release.sha256, store)


@st.cache_data(show_spinner=False, max_entries=4)
def _facets(sha256: str, _store: Reader) -> Facets:
    return release.facets(_store)


def candidates(filters: Filters) -> pd.DataFrame:
    """Return the filtered candidates, one row each, with `label`, the formula as people write it.

    Sliders change thresholds, not filters, so most moves are served from this cache.
    """
    store = reader()
    return _candidates(store.release.sha256, filters, store)


@st.cache_data(show_spinner=False, max_entries=32)
def _candidates(sha256: str, filters: Filters, _store: Reader) -> pd.DataFrame:
    frame = _store.screen(filters)
    return frame.assign(label=[pretty_formula(formula) for formula in frame["formula"]])


def span(name: str) -> tuple[float, float]:
    """Return the lowest and highest value of a figure over all candidates of the current release."""
    store = reader()
    return _span(store.release.sha256, name, store)


@st.cache_data(show_spinner=False, max_entries=64)
def _span(sha256: str, name: str, _store: Reader) -> tuple[float, float]:
    return figure_span(_store, name)


@st.cache_resource(show_spinner=False)
def voltage_model(name: str = "default") -> "VoltageModel":
    """Return a voltage model, loaded once a server; raise `ModelError` where it is absent or damaged."""
    from core.service.model import load_model

    return load_model(name)


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Thread:
    """Load what pages share in a background thread, once a server, and return the thread."""
    thread = threading.Thread(target=_load_slow_parts, name="warm-up", daemon=True)
    thread.start()
    return thread


def wait_until_warm() -> None:
    """Return when the slow parts are loaded.

    Pages that need them wait here instead of importing them too: torch and scipy do not survive being imported by two
    threads at once.
    """
    warming = warm_up()
    if warming.is_alive():
        with st.spinner("Loading the voltage model and the structure viewer, once after a server's start …"):
            warming.join()


def _load_slow_parts() -> None:
    """What the first page needs comes first; what is not there is said by the page that needs it."""
    for load in (_load_first_page, voltage_model, _load_potentials, _load_drawing):
        try:
            load()
        except ExplorerError as error:
            _log.warning("Not loaded at the server's start: %s", error)


def _load_first_page() -> None:
    import plotly.graph_objects
    import plotly.io  # noqa: F401  (Streamlit imports both with the first chart)

    facets()
    candidates(Filters())


def _load_potentials() -> None:
    """Their cards, which sections of a candidate's page read: importing what is behind them takes seconds."""
    from core.service.potentials import listed_potentials

    listed_potentials()


def _load_drawing() -> None:
    from core.drawing import scenes

    scenes.warm_up()


def went_back_or_forward() -> bool:
    """Return whether this run follows the browser's Back or Forward button."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def browser_query() -> dict[str, str]:
    """Return the query that the browser showed when it asked for this run, one value a name.

    `st.query_params` is not read again on a run of the same page, so it misses the Back button; this does not.
    """
    context = get_script_run_ctx()
    return dict(parse_qsl(context.query_string, keep_blank_values=True)) if context else {}


def set_browser_query(params: Mapping[str, str]) -> None:
    """Show `params` in the browser's address bar, if it does not show them already."""
    if dict(st.query_params) != dict(params):
        st.query_params.from_dict(params)


def page_url() -> str:
    """Return the address of the current page without its query, or an empty text outside a browser."""
    return (st.context.url or "").split("?")[0]
