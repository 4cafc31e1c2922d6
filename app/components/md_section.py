"""Molecular dynamics on the Candidate page: what the release knows, one's own runs, and the form for another."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from app import state
from app.components.md_arrhenius import arrhenius_section
from app.components.md_form import start_form
from app.components.md_live import live_run
from app.components.md_pooled import decision_section, pooled_section
from app.components.md_result import finished_run
from app.components.md_runs import diffusion, finished, run_words, shipped_runs
from app.theme import safe
from core.records import Crystal
from core.service.calculations import Calculation, Job
from core.service.conductivities import conductivity_points
from core.service.release import Reader

_SHOWN: Final = "md_shown"


def dynamics_section(
    reader: Reader, row: Mapping[str, Any], crystal: Crystal, jobs: Sequence[Job], limit_ms_per_cm: float
) -> None:
    """Draw the whole section for a candidate: its row of the view `screening`, and the runs about it.

    The pooled result comes first, then whether it decides `limit_ms_per_cm`; single runs unfold.
    """
    ion = safe(row["working_ion"])
    st.subheader("Molecular dynamics", anchor="dynamics")
    jobs = [job for job in jobs if job.spec.kind == "diffusion"]
    mine = [run for job in jobs if (run := finished(job)) is not None]
    released = [run for run in shipped_runs(crystal.id) if diffusion(run) is not None]
    points = conductivity_points(reader, crystal.id, mine)
    if points:
        pooled_section(points)
        decision_section(points, [*mine, *released], jobs, limit_ms_per_cm, _open)
    else:
        _nothing_known(ion, any_run=bool(jobs))
    arrhenius_section(points)
    if jobs or released:
        _single_runs(jobs, released, crystal)
    with st.expander("Start a run", icon=":material/play_circle:", expanded=not (jobs or points)):
        st.fragment(start_form)(crystal, row["working_ion"], id=crystal.id, started=_open)


def _nothing_known(ion: str, *, any_run: bool) -> None:
    if any_run:
        st.caption("No finished run of this structure gives a conductivity yet; single runs stand below.")
        return
    st.info(
        f"**Conductivity not computed yet.** There is no molecular dynamics of {ion} in this structure: nothing is "
        "known about how fast it moves, and the chance to pass leaves conductivity out. Start a run below.",
        icon=":material/hourglass_empty:",
    )


def _single_runs(jobs: list[Job], released: list[Calculation], crystal: Crystal) -> None:
    """Fold the single runs away, unless one is at work, has stopped, or is named in the address."""
    n = len({*(job.job_id for job in jobs), *(run.name for run in released)})
    is_open = any(job.state != "finished" for job in jobs) or "run" in state.browser_query()
    title = "The single run" if n == 1 else f"The {n} single runs"
    with st.expander(title, icon=":material/animation:", expanded=is_open):
        _runs(jobs, released, crystal)


def _runs(jobs: list[Job], shipped: list[Calculation], crystal: Crystal) -> None:
    own = {job.job_id: job for job in jobs}
    results = {run.name: run for run in shipped}
    names = [*own, *(name for name in results if name not in own)]
    chosen = _chosen(names, {**results, **own})
    job = own.get(chosen)
    run = results[chosen] if job is None else finished(job)
    if run is not None:
        finished_run(run, crystal)
    elif job is not None:
        live_run(job)


def _chosen(names: list[str], runs: Mapping[str, Job | Calculation]) -> str:
    """Draw the choice among runs where there is one; the one that the address names comes first, then the latest."""
    asked = state.browser_query().get("run", "")
    if st.session_state.get(_SHOWN) not in names:
        st.session_state[_SHOWN] = asked if asked in names else names[0]
    if len(names) == 1:
        st.markdown(f"**Run at {safe(run_words(runs[names[0]]))}**")
        return names[0]
    chosen = st.selectbox(
        f"Show one of {len(names)} runs", names, key=_SHOWN, format_func=lambda name: run_words(runs[name])
    )
    return str(chosen)


def _open(job: Job) -> None:
    """Show the run that was just started: the whole page is drawn again around it."""
    st.session_state.pop(_SHOWN, None)
    st.query_params["run"] = job.job_id
    st.rerun()
