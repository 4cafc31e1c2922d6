"""Molecular dynamics on the Candidate page: what the release knows, one's own runs, and the form for another."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from app import state
from app.components.md_arrhenius import arrhenius_section
from app.components.md_form import start_form
from app.components.md_live import live_run
from app.components.md_result import finished_run
from app.components.md_runs import diffusion, finished, run_words, shipped_runs
from app.components.md_words import sigma_words
from app.components.tables import Cell, Detailed, draw_table
from app.theme import safe
from core.quantities import significant
from core.records import Crystal
from core.service.calculations import Calculation, Job, conductivity_points
from core.service.release import Reader

_SHOWN: Final = "md_shown"


def dynamics_section(reader: Reader, row: Mapping[str, Any], crystal: Crystal, jobs: Sequence[Job]) -> None:
    """Draw the whole section for a candidate: its row of the view `screening`, and the runs about it."""
    ion = safe(row["working_ion"])
    st.subheader("Molecular dynamics", anchor="dynamics")
    released = reader.conductivities(crystal.id)
    jobs = [job for job in jobs if job.spec.kind == "diffusion"]
    shipped = [run for run in shipped_runs(crystal.id) if diffusion(run) is not None]
    if released.empty:
        _nothing_released(ion, any_run=bool(jobs or shipped))
    else:
        released_table(released)
    if jobs or shipped:
        _runs(jobs, shipped, crystal)
    mine = [run for job in jobs if (run := finished(job)) is not None]
    arrhenius_section(conductivity_points(reader, crystal.id, mine))
    with st.expander("Start a run", icon=":material/play_circle:", expanded=not jobs):
        st.fragment(start_form)(crystal, row["working_ion"], id=crystal.id, started=_open)


def _nothing_released(ion: str, *, any_run: bool) -> None:
    if any_run:
        st.caption("The release holds no conductivity of this structure yet; what follows are single runs.")
        return
    st.info(
        f"**Conductivity not computed yet.** The release holds no molecular dynamics of {ion} in this structure: "
        "nothing is known about how fast it moves, and the chance to pass leaves conductivity out. Start a run below.",
        icon=":material/hourglass_empty:",
    )


def released_table(released: pd.DataFrame) -> None:
    """Draw the conductivities that the release holds of one candidate."""
    rows: list[list[Cell]] = []
    for it in released.to_dict("records"):
        sigma, detail = sigma_words(it | {"sigma_verdict": it["verdict"]})
        error = it["teacher_force_mae_ev_per_a"]
        seeds = f"{it['n_seeds']} seed{'s' * (it['n_seeds'] > 1)}"
        rows.append(
            [
                f"{it['temperature_k']:.0f} K",
                Detailed(text=sigma, detail="" if detail == it["verdict"] else detail),
                it["verdict"],
                Detailed(text=it["potential"], detail=it["protocol"]),
                Detailed(
                    text=f"{significant(it['simulated_ps'])} ps", detail=f"{it['n_atoms']:,} atoms, {seeds}"
                ),
                "none" if pd.isna(error) else f"{error:.2f} eV/Å",
            ]
        )
    draw_table(
        ["Temperature", "Conductivity", "Verdict", "Potential", "Simulated", "Error against teacher"], rows
    )
    st.caption("Held by the release. Intervals of 90 %, of the length of the runs alone.")


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
