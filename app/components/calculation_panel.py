"""One calculation about one crystal: its result if there is one, its progress while it runs, else a way to start it."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.components.md_live import live_run
from app.theme import safe
from app.visitor import start
from core.errors import ExplorerError
from core.records import Crystal
from core.service.calculations import Calculation, Job, Spec, calculation_about, job_about
from core.service.release import Reader


def calculation_panel(
    reader: Reader, crystal: Crystal, kind: str, jobs: Sequence[Job], *, draw: Callable[[Calculation], None],
    plan: Callable[[], Spec], invitation: str, button: str, is_offered: bool = True,
    estimate: Callable[[], str] | None = None,
) -> None:  # fmt: skip
    """Draw the calculation of a kind about a crystal, one's own before the release's.

    `jobs`: the runs about the crystal. `draw` shows a finished one. Where there is none and nothing runs, `invitation`
    says what it would tell, and `button` starts what `plan` returns, where it `is_offered` here. `estimate`: what it
    would take in words, where that takes so long to find out that a page must not wait for it.
    """
    found = calculation_about(reader, crystal, kind, jobs)
    if found is not None:
        draw(found)
        return
    job = job_about(jobs, kind)
    if job is not None:
        live_run(job)
        return
    st.fragment(_offer)(kind, crystal.id, plan, invitation, button if is_offered else None, estimate)


def _offer(
    kind: str, id: str, plan: Callable[[], Spec], invitation: str, button: str | None,
    estimate: Callable[[], str] | None,
) -> None:  # fmt: skip
    st.markdown(invitation)
    with st.container(horizontal=True):
        is_started = button is not None and st.button(
            button, icon=":material/play_arrow:", key=f"start-{kind}-{id}"
        )
        is_asked = estimate is not None and st.button(
            "What would it take?", icon=":material/timer:", type="tertiary", key=f"estimate-{kind}-{id}"
        )
    try:
        if is_asked and estimate is not None:
            with st.spinner("Working out what it would take …"):
                st.caption(estimate())
        if is_started:
            start(plan())
    except ExplorerError as error:
        st.error(safe(error), icon=":material/block:")
        return
    if is_started:
        st.rerun()
