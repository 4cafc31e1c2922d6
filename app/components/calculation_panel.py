"""One calculation about one crystal: its result if there is one, its progress while it runs, else a way to start it."""

from collections.abc import Callable

import streamlit as st

from app.components.run_state import draw_state, draw_steering
from app.components.trouble import guarded
from app.theme import safe
from core.errors import ExplorerError
from core.records import Crystal
from core.service.calculations import Calculation, Job, Spec, calculation_about, job_about, status, submit
from core.service.release import Reader

_REFRESH_S = 1.5


def calculation_panel(
    reader: Reader, crystal: Crystal, kind: str, *, draw: Callable[[Calculation], None], plan: Callable[[], Spec],
    invitation: str, button: str, is_offered: bool = True,
) -> None:  # fmt: skip
    """Draw the calculation of a kind about a crystal, one's own before the release's.

    `draw` shows a finished one. Where there is none and nothing runs, `invitation` says what it would tell and what it
    costs, and `button` starts what `plan` returns, where it `is_offered` here.
    """
    found = calculation_about(reader, crystal, kind)
    if found is not None:
        draw(found)
        return
    job = job_about(crystal, kind)
    if job is not None:
        st.fragment(guarded(_live), run_every=_REFRESH_S if job.is_active else None)(job.job_id, job.state)
        return
    st.markdown(invitation)
    if is_offered and st.button(button, icon=":material/play_arrow:", key=f"start-{kind}-{crystal.id}"):
        try:
            submit(plan())
        except ExplorerError as error:
            st.error(safe(error), icon=":material/block:")
            return
        st.rerun()


def _live(job_id: str, state_before: str) -> None:
    job: Job = status(job_id)
    if job.state != state_before and not job.is_active:
        st.rerun()
    draw_state(job)
    draw_steering(job)
