"""Dynamics: every run with how it stands, one in full, or several with their displacements in one plot."""

from typing import Any, Final

import pandas as pd
import streamlit as st

from app import state, theme
from app.components.columns import column_config
from app.components.md_arrhenius import arrhenius_section
from app.components.md_compare import compare_runs
from app.components.md_live import REFRESH_S, live_run
from app.components.md_result import finished_run
from app.components.md_runs import diffusion, finished, run_rows, shipped_runs
from app.components.text import pretty_formula
from app.components.trouble import guarded
from app.theme import safe
from app.visitor import visible
from core.errors import UnknownCandidateError
from core.records import Crystal
from core.service.calculations import Calculation, Job, list_jobs, unreadable_runs
from core.service.conductivities import conductivity_points

_TABLE: Final = "dynamics_table"
_IDS: Final = "dynamics_ids"
_SELECTED: Final = "dynamics_selected"
_SLOWER: Final = 3

_COLUMNS: Final = (
    "state", "material", "kind", "temperature_k", "potential", "protocol", "seed", "verdict", "d_cm2_per_s",
    "sigma_ms_per_cm", "sigma_high_ms_per_cm", "age", "id",
)  # fmt: skip


def table(jobs: list[Job], shipped: list[Calculation]) -> None:
    """Draw all runs; ticked ones are remembered by name, since new runs move the rows."""
    rows = run_rows(jobs, shipped)
    ids = [row["name"] for row in rows]
    st.session_state[_IDS] = ids
    kept = [id for id in st.session_state.get(_SELECTED, ()) if id in ids]
    places = [ids.index(id) for id in kept]
    st.session_state[_TABLE] = {"selection": {"rows": places, "columns": [], "cells": []}}
    frame = pd.DataFrame(rows).assign(material=[pretty_formula(row["formula"]) for row in rows])
    st.dataframe(
        frame[list(_COLUMNS)], column_config=column_config(_COLUMNS, pinned=("state", "material")), hide_index=True,
        key=_TABLE, on_select=_ticked, selection_mode="multi-row", placeholder="–", height="auto",
    )  # fmt: skip


def _ticked() -> None:
    ids = st.session_state.get(_IDS, [])
    places = st.session_state[_TABLE]["selection"]["rows"]
    st.session_state[_SELECTED] = [ids[place] for place in places if place < len(ids)]


def _overview(with_shipped: bool, selected_before: list[str]) -> None:
    """Draw the table; in a part of the page that refreshes itself while anything is at work."""
    jobs = visible(list_jobs())
    n_active = sum(job.is_active for job in jobs)
    shipped = shipped_runs() if with_shipped else []
    words = [f"**{len(jobs)} runs of your own**", f"{n_active} at work" if n_active else "none at work"]
    st.markdown(", ".join([*words, f"{len(shipped)} shipped"] if shipped else words))
    table(jobs, shipped)
    _unreadable()
    if st.session_state.get(_SELECTED, []) != selected_before:
        st.rerun()


def _unreadable() -> None:
    """Name the runs that cannot be read, with the reason: none vanishes without a word."""
    for item in unreadable_runs():
        st.caption(f":material/warning: {safe(item.id)}: {safe(item.reason)}")


def selected_section(jobs: list[Job], shipped: list[Calculation]) -> None:
    """Draw the ticked run in full, or the ticked ones side by side."""
    own, results = {job.job_id: job for job in jobs}, {run.name: run for run in shipped}
    ids = [id for id in st.session_state.get(_SELECTED, ()) if id in own or id in results]
    if not ids:
        st.info("Tick a run to see it, or several to compare them.", icon=":material/check_box:")
    elif len(ids) == 1:
        one_run(own.get(ids[0]) or results[ids[0]])
    else:
        runs = [finished(own[id]) if id in own else results[id] for id in ids]
        ended = [run for run in runs if run is not None]
        compared = [result for run in ended if (result := diffusion(run)) is not None]
        compare_runs(compared, n_without=len(runs) - len(compared))
        _arrhenius(ended)


def one_run(chosen: Job | Calculation) -> None:
    """Draw one run with a way to its candidate."""
    subject = chosen.spec.subject
    crystal = getattr(chosen.spec, "crystal", None)
    is_upload = crystal is not None and crystal.source == "upload"
    released = None if is_upload else _candidate(subject.id)
    if isinstance(chosen, Calculation):
        _title(subject.id, subject.formula, chosen.name, released)
        finished_run(chosen, crystal)
        return
    _title(subject.id, subject.formula, chosen.job_id, released)
    if (run := finished(chosen)) is not None:
        finished_run(run, crystal)
    else:
        live_run(chosen)


def _title(id: str, formula: str, run_id: str, released: Crystal | None) -> None:
    """Draw the formula with a link to the candidate, where the release holds one."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.subheader(safe(pretty_formula(formula)), anchor=False, width="content")
        if released is None:
            st.caption(f"{safe(id)}: not one of the release's candidates.")
            return
        st.page_link(
            state.CANDIDATE_PAGE, label="Open candidate", icon=":material/open_in_new:",
            query_params={"id": id, "run": run_id},
        )  # fmt: skip


def _arrhenius(runs: list[Calculation]) -> None:
    """A barrier belongs to one material; of several ticked ones there is none."""
    ids = {run.spec.subject.id for run in runs}
    if len(ids) == 1:
        own = [run for run in runs if not run.is_shipped]
        arrhenius_section(conductivity_points(state.reader(), ids.pop(), own))


def _candidate(id: str) -> Crystal | None:
    """Return the structure of a candidate, None where the release has no such candidate."""
    try:
        reader = state.reader()
        reader.candidate(id)
        return reader.crystal(id)
    except UnknownCandidateError:
        return None


def empty_state() -> None:
    """Say how to start a run where there is none."""
    st.info("**No run yet.** Nothing was simulated on this machine.", icon=":material/animation:")
    st.markdown(
        "1. Open a candidate, for example from the shortlist of the Screen page.\n"
        "2. Under *Molecular dynamics* choose protocol and temperature, and measure the step time.\n"
        "3. Start. The run goes on when you close the page, and stands here from then on.\n\n"
        "The command line does the same: `python -m core mlmd run ID_OR_FILE --protocol quick`."
    )
    st.page_link(state.SCREEN_PAGE, label="Go to the Screen page", icon=":material/filter_alt:")


def page() -> None:
    """Draw the page."""
    theme.page_header(
        "Dynamics", "All simulations on this machine, and those whose results came with the release."
    )
    jobs, shipped = visible(list_jobs()), shipped_runs()
    _adopt_link()
    if not jobs and not shipped:
        empty_state()
        return
    with_shipped = bool(shipped) and st.toggle("With shipped results", value=True, key="dynamics_shipped")
    arguments: tuple[Any, ...] = (with_shipped, list(st.session_state.get(_SELECTED, [])))
    run_every = _SLOWER * REFRESH_S if any(job.is_active for job in jobs) else None
    st.fragment(guarded(_overview), run_every=run_every)(*arguments)
    guarded(selected_section)(jobs, shipped if with_shipped else [])


def _adopt_link() -> None:
    """Tick the run that the address names, when the page is entered."""
    asked = state.browser_query().get("run")
    if asked and st.session_state.get("is_first_run_of_page", True):
        st.session_state[_SELECTED] = [asked]


page()
