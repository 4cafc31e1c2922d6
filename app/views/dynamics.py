"""Dynamics: a row a measurement, its seeds pooled; its runs in full, or several with displacements in one plot."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from app import state, theme
from app.components.columns import column_config
from app.components.md_arrhenius import arrhenius_section
from app.components.md_compare import compare_runs
from app.components.md_live import REFRESH_S, live_run
from app.components.md_result import finished_run
from app.components.md_runs import (
    diffusion,
    finished,
    measurements,
    run_words,
    shipped_runs,
    simulations,
    told_age,
)
from app.components.text import pretty_formula
from app.components.trouble import guarded
from app.theme import safe
from app.visitor import visible
from core.errors import UnknownCandidateError
from core.records import Crystal
from core.service.calculations import Calculation, Job, list_jobs, unreadable_runs
from core.service.conductivities import conductivity_points
from core.service.measurements import MeasuredRow

_TABLE: Final = "dynamics_table"
_IDS: Final = "dynamics_ids"
_SELECTED: Final = "dynamics_selected"
_SLOWER: Final = 3
_SIDE_BY_SIDE: Final = "Side by side"

_COLUMNS: Final = (
    "state", "material", "kind", "temperature_k", "potential", "protocol", "n_seeds", "verdict", "d_cm2_per_s",
    "sigma_ms_per_cm", "sigma_high_ms_per_cm", "age", "id",
)  # fmt: skip


def table(measured: list[MeasuredRow]) -> None:
    """Draw a row a measurement; ticked ones are remembered by name, since new runs move the rows."""
    names = [it.name for it in measured]
    st.session_state[_IDS] = names
    kept = [name for name in st.session_state.get(_SELECTED, ()) if name in names]
    places = [names.index(name) for name in kept]
    st.session_state[_TABLE] = {"selection": {"rows": places, "columns": [], "cells": []}}
    rows = [
        dict(it.row) | told_age(it.row) | {"material": pretty_formula(it.row["formula"])} for it in measured
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=list(_COLUMNS)), hide_index=True, key=_TABLE, on_select=_ticked,
        column_config=column_config(_COLUMNS, pinned=("state", "material")), selection_mode="multi-row",
        placeholder="–", height="auto",
    )  # fmt: skip


def _ticked() -> None:
    names = st.session_state.get(_IDS, [])
    places = st.session_state[_TABLE]["selection"]["rows"]
    st.session_state[_SELECTED] = [names[place] for place in places if place < len(names)]


def _overview(with_shipped: bool, text: str, selected_before: list[str]) -> None:
    """Draw the table; in a part of the page that refreshes itself while anything is at work."""
    jobs = visible(list_jobs())
    n_active = sum(job.is_active for job in jobs)
    measured = measurements(jobs, simulations() if with_shipped else [])
    found = [it for it in measured if it.matches(text)]
    words = [
        f"**{len(found)} measurement{'s' * (len(found) != 1)}**, one row each, seeds pooled",
        f"{len(jobs)} runs of your own" + (f", {n_active} at work" if n_active else ", none at work"),
    ]
    st.markdown("; ".join(words))
    if text and not found:
        st.info(f"No measurement of {safe(text)} among {len(measured)}.", icon=":material/search_off:")
    else:
        table(found)
    _unreadable()
    if st.session_state.get(_SELECTED, []) != selected_before:
        st.rerun()


def _unreadable() -> None:
    """Name the runs that cannot be read, with the reason: none vanishes without a word."""
    for item in unreadable_runs():
        st.caption(f":material/warning: {safe(item.id)}: {safe(item.reason)}")


def selected_section(jobs: list[Job], shipped: list[Calculation], measured: list[MeasuredRow]) -> None:
    """Draw the ticked measurement, its seeds side by side or one of its runs in full, or several side by side."""
    own, results = {job.job_id: job for job in jobs}, {run.name: run for run in shipped}
    ticked = [it for it in measured if it.name in st.session_state.get(_SELECTED, ())]
    names = [name for it in ticked for name in it.runs]
    if not names:
        st.info("Tick a row to see its runs, or several to compare them.", icon=":material/check_box:")
        return
    runs: dict[str, Job | Calculation] = {name: own[name] if name in own else results[name] for name in names}
    chosen = _one_of(ticked[0].name, runs) if len(ticked) == 1 else None
    if chosen is not None:
        one_run(chosen)
        return
    ended = [
        it
        for run in runs.values()
        if (it := run if isinstance(run, Calculation) else finished(run)) is not None
    ]
    compared = [result for run in ended if (result := diffusion(run)) is not None]
    compare_runs(compared, n_without=len(runs) - len(compared))
    _arrhenius(ended)


def _one_of(measurement: str, runs: Mapping[str, Job | Calculation]) -> Job | Calculation | None:
    """Draw the choice among the runs of one measurement; None for all of them side by side."""
    if len(runs) == 1:
        return next(iter(runs.values()))
    asked, options = state.browser_query().get("run", ""), [_SIDE_BY_SIDE, *runs]
    chosen = st.selectbox(
        f"Its {len(runs)} runs", options, index=options.index(asked) if asked in runs else 0,
        key=f"dynamics_run_{measurement}", format_func=lambda name: run_words(runs[name]) if name in runs else name,
    )  # fmt: skip
    return runs.get(chosen)


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
    if not jobs and not shipped:
        empty_state()
        return
    _adopt_link(measurements(jobs, shipped))
    text, with_shipped = _controls(is_shipped=bool(shipped))
    arguments: tuple[Any, ...] = (with_shipped, text, list(st.session_state.get(_SELECTED, [])))
    run_every = _SLOWER * REFRESH_S if any(job.is_active for job in jobs) else None
    st.fragment(guarded(_overview), run_every=run_every)(*arguments)
    held = shipped if with_shipped else []
    guarded(selected_section)(jobs, held, measurements(jobs, held))


def _controls(*, is_shipped: bool) -> tuple[str, bool]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        text = st.text_input(
            "Search", key="dynamics_search", placeholder="Formula or id, such as MgCr2O4", width=320
        )
        with_shipped = is_shipped and st.toggle("With shipped results", value=True, key="dynamics_shipped")
    return text or "", with_shipped


def _adopt_link(measured: list[MeasuredRow]) -> None:
    """Tick the measurement of the run that the address names, when the page is entered."""
    asked = state.browser_query().get("run")
    if asked and st.session_state.get("is_first_run_of_page", True):
        st.session_state[_SELECTED] = [it.name for it in measured if asked in it.runs]


page()
