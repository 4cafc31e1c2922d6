"""One candidate: its structure, its figures, where they come from, and others beside it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from app import state
from app.components import candidate_sections as sections
from app.components import controls
from app.components.barrier_section import barrier_section
from app.components.candidate_figures import draw_cards, figures
from app.components.compare import compare_section
from app.components.contributions import render_contributions
from app.components.dft_section import dft_section
from app.components.dossier import dossier_html
from app.components.ends_section import ends_section
from app.components.md_section import dynamics_section
from app.components.similar_section import similar_section
from app.components.structure_viewer import structure_viewer
from app.components.text import pretty_formula
from app.components.trouble import guarded
from app.components.verdict_panel import verdict_panel
from app.components.voltage_curve import curve_section
from app.components.voltage_table import voltage_table
from app.components.xrd_section import Patterns, patterns_of, xrd_section
from app.screening_view import thresholds_of
from app.theme import page_header, safe
from app.visitor import visible
from core.errors import UnknownCandidateError
from core.service.calculations import jobs_of
from core.service.candidates import Candidate, candidate, examples, names
from core.service.charged_state import ChargedState, charged_state, known_facts
from core.service.conductivities import limit_of
from core.service.release import Reader
from core.service.screen import Thresholds, judgement
from core.service.similar import Similar, similar

_VIEWER_HEIGHT = 480
_N_EXAMPLES = 6
_SEARCH = "open_candidate"


@st.cache_data(show_spinner=False, max_entries=4)
def _labels(version: str, _reader: Reader) -> dict[str, str]:
    """Name every candidate of a release for search boxes: formula and id."""
    return names(_reader)


def _open(id: str) -> None:
    """Go to a candidate of this same page: a page link to it would leave the browser's address as it is."""
    st.query_params.from_dict({"id": id})


def _open_chosen() -> None:
    chosen = st.session_state[_SEARCH]
    if chosen:
        _open(chosen)
    st.session_state[_SEARCH] = None


def _search(labels: dict[str, str], label: str) -> None:
    st.selectbox(
        label,
        options=list(labels),
        index=None,
        format_func=labels.__getitem__,
        key=_SEARCH,
        placeholder="Formula or id, such as MgMn2O4",
        on_change=_open_chosen,
    )


def _chooser(reader: Reader, labels: dict[str, str]) -> None:
    """Draw what stands where no candidate is shown: a search box and a few examples."""
    _search(labels, "Look one up")
    formulas = examples(reader, _N_EXAMPLES)
    if not formulas:
        return
    st.markdown("Or start with one whose voltage is also known from density-functional theory:")
    with st.container(horizontal=True):
        for id, formula in formulas.items():
            st.button(safe(pretty_formula(formula)), key=f"example-{id}", on_click=_open, args=(id,))


def _header(row: Mapping[str, Any], labels: dict[str, str]) -> None:
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        st.title(safe(pretty_formula(row["formula"])), anchor=False)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(safe(row["id"]), width="content")
            if row["source_url"]:
                st.link_button(
                    safe(row["source"]), row["source_url"], icon=":material/open_in_new:", type="tertiary"
                )
            else:
                st.markdown(safe(row["source"]), width="content")
            st.badge(
                safe(row["license"]), icon=":material/license:", color="gray", help="Licence of the structure"
            )
            if row["in_domain"]:
                st.badge("in domain", icon=":material/check:", color="green")
            else:
                st.badge("out of domain", icon=":material/explore_off:", color="orange")
    with right:
        _search(labels, "Open another")


def _candidate(reader: Reader, shown: Candidate, compare: str, labels: dict[str, str]) -> None:
    crystal, jobs = shown.crystal, visible(jobs_of(shown.crystal))
    ion = shown.row["working_ion"]
    thresholds = thresholds_of(controls.current(), state.facets())
    charged = charged_state(reader, crystal, ion, jobs)
    row = dict(shown.row) | known_facts(reader, crystal, charged, jobs)
    _header(row, labels)
    verdict_panel(judgement(row, thresholds))
    url = f"{state.page_url()}?id={row['id']}"
    patterns = partial(patterns_of, _pattern_key(shown, charged), crystal, charged)
    numbers, picture = st.container(key="stacking-top").columns(2, gap="large")
    with picture:  # first, since the browser takes longest over it
        structure_viewer(crystal, key="structure", height=_VIEWER_HEIGHT, working_ion=ion)
    with numbers:
        voltage_table(row)
        draw_cards(figures(row, thresholds), in_a_row=True)
    with picture:
        sections.downloads(shown, lambda: dossier_html(shown, row, thresholds, patterns(), url))
    guarded(ends_section)(reader, crystal, ion, jobs, charged)
    guarded(curve_section)(reader, row, crystal, jobs)
    guarded(dft_section)(reader, crystal, ion, jobs)
    guarded(barrier_section)(reader, crystal, ion, jobs)
    guarded(dynamics_section)(reader, row, crystal, jobs, limit_of(thresholds))
    guarded(_xrd)(patterns, crystal.id)
    guarded(_similar)(reader, row, thresholds)
    sections.nearest_electrodes(shown)
    guarded(render_contributions)(crystal, ion)
    compare_section(reader, row["id"], compare, labels, thresholds)
    sections.provenance_section(shown)


def _xrd(patterns: Callable[[], Patterns], id: str) -> None:
    xrd_section(patterns(), id)


def _similar(reader: Reader, row: Mapping[str, Any], thresholds: Thresholds) -> None:
    similar_section(_found_similar(reader.release.sha256, row["id"], thresholds, reader), row)


@st.cache_data(show_spinner=False, max_entries=64)
def _found_similar(sha256: str, id: str, thresholds: Thresholds, _reader: Reader) -> Similar:
    return similar(_reader, _reader.candidate(id), thresholds)


def _pattern_key(shown: Candidate, charged: ChargedState | None) -> tuple[str, ...]:
    made = "" if charged is None else charged.result.created
    return shown.release.sha256, shown.crystal.id, made


def main() -> None:
    """Show the candidate that the URL names, or a way to find one."""
    reader = state.reader()
    labels = _labels(reader.release.version, reader)
    query = state.browser_query()
    id = query.get("id", "")
    if not id:
        page_header("Candidate", f"One of {len(labels):,} compounds in detail.")
        _chooser(reader, labels)
        return
    try:
        shown = candidate(reader, id)
    except UnknownCandidateError as error:
        page_header("No such candidate", "The link may be of another release, or mistyped.")
        st.error(safe(error), icon=":material/search_off:")
        _chooser(reader, labels)
        return
    _candidate(reader, shown, query.get("compare", ""), labels)


main()
