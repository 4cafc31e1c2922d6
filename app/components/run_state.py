"""How a run stands, whatever its kind: state, progress, why it stopped, and the buttons that steer it."""

from typing import Any

import streamlit as st

from app.components.md_words import STATE_LOOK, duration_words
from app.theme import safe
from app.visitor import check_steer
from core.errors import ExplorerError
from core.service.calculations import RESUMABLE, Job, cancel, resume


def draw_state(job: Job, progress_words: str = "") -> None:
    """Draw state, what it is doing now, what went wrong, and a bar; `progress_words` stand beside the percentage."""
    icon, colour = STATE_LOOK[job.state]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(job.state, icon=icon, color=colour)  # type: ignore[arg-type]
        if job.note and job.is_active:
            st.markdown(f":gray[{safe(job.note)}]", width="content")
    if job.error:
        st.error(f"The run failed. {safe(job.error)}", icon=":material/error:")
    elif job.state == "interrupted":
        st.warning(
            "The process that worked on this run is gone: the server was restarted, or it was killed. Resume goes on "
            "from the last checkpoint and gives the result of an unbroken run.",
            icon=":material/power_off:",
        )
    if job.fraction is not None:
        left = "" if job.eta_s is None else f"{duration_words(job.eta_s)} left"
        words = [f"{job.fraction:.0%}", progress_words, left]
        st.progress(job.fraction, text=" · ".join(word for word in words if word))


def draw_steering(job: Job) -> None:
    """Draw Cancel while it works, Resume where it stopped."""
    with st.container(horizontal=True):
        if job.is_active:
            st.button(
                "Cancel", icon=":material/stop:", key=f"md_cancel_{job.job_id}", on_click=_act, args=(cancel, job),
                help="Stops at the next step and keeps the checkpoint.",
            )  # fmt: skip
        elif job.state in RESUMABLE:
            label = "Try again" if job.state == "failed" else "Resume"
            if st.button(label, icon=":material/play_arrow:", key=f"md_resume_{job.job_id}", type="primary"):
                _act(resume, job)
                st.rerun()


def _act(action: Any, job: Job) -> None:
    try:
        check_steer(job)
        action(job.job_id)
    except ExplorerError as error:
        st.error(safe(error), icon=":material/error:")
