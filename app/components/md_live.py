"""A run that is not finished: its state, its curves as they grow, the structure moving, and the buttons to steer it."""

from typing import Any, Final

import streamlit as st

from app.components.md_figures import live_figure
from app.components.md_pictures import draw_trajectory
from app.components.run_state import draw_state, draw_steering
from app.components.trouble import guarded
from app.theme import palette
from core.service.calculations import Job, status
from core.service.dynamics import DiffusionSpec

REFRESH_S: Final = 2.0
_CONFIG: Final = {"displayModeBar": False}


def live_run(job: Job) -> None:
    """Draw a run that has no result; while it is at work this part of the page refreshes itself."""
    run_every = REFRESH_S if job.is_active else None
    st.fragment(guarded(_live), run_every=run_every)(job.job_id, job.state)


def _live(job_id: str, state_before: str) -> None:
    job = status(job_id)
    if job.state != state_before and not job.is_active:
        st.rerun()
    draw_state(job, _progress_words(job))
    draw_steering(job)
    rows = job.progress
    if rows and isinstance(job.spec, DiffusionSpec):
        _curves(rows, job, job.spec)
        if st.toggle("Show the structure moving", value=True, key=f"md_moving_{job_id}"):
            draw_trajectory(
                job.path, key=f"md_player_{job_id}", working_ion=job.spec.working_ion, live=job.is_active
            )


def _progress_words(job: Job) -> str:
    latest = job.latest or {}
    phase = {"npt": "finding the cell's size", "nvt": "measuring"}.get(latest.get("phase", ""), "")
    simulated = f"{latest['time_ps'] or 0.0:.2f} ps simulated" if "time_ps" in latest else ""
    return " · ".join(word for word in (phase, simulated) if word)


def _curves(rows: list[dict[str, Any]], job: Job, spec: DiffusionSpec) -> None:
    time_ps = [row["time_ps"] for row in rows]
    ion = spec.working_ion
    plots = (
        ("Temperature", {"T": "temperature_k"}, "K", spec.protocol.temperature_k),
        ("Potential energy", {"E": "energy_ev_per_atom"}, "eV/atom", None),
        (
            "Displacement from the phase's start",
            {ion: "msd_mobile_a2", "framework": "msd_framework_a2"},
            "Å²",
            None,
        ),
    )
    columns = st.container(key=f"stacking-live-{job.job_id}").columns(len(plots))
    for column, (title, names, unit, level) in zip(columns, plots, strict=True):
        lines = {name: [row[field] for row in rows] for name, field in names.items()}
        figure = live_figure(
            time_ps, lines, unit=unit, level=level, from_zero=len(names) > 1, colours=palette()
        )
        column.markdown(f"**{title}**")
        column.plotly_chart(
            figure, config=_CONFIG, key=f"md_{title}_{job.job_id}", alt=f"{title} against time"
        )
