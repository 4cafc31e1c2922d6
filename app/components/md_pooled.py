"""The conductivity that counts on the Candidate page, seeds pooled, and the run that could decide it further."""

from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st

from app.components.candidate_figures import Figure, draw_cards
from app.components.md_words import VERDICT_LOOK, VERDICT_MEANING, d_words, duration_words, sigma_words
from app.components.tables import Cell, Detailed, draw_table
from app.theme import safe
from app.visitor import start
from core.errors import ExplorerError
from core.quantities import significant
from core.records import Conductivity
from core.service.calculations import Calculation, Job
from core.service.conductivities import ConductivityPoint
from core.service.decide import Outcome, Standing, command_of, standing_of

_OUTCOME_LOOK: Final[dict[Outcome, tuple[str, str, str]]] = {
    "passed": ("above the limit", ":material/check_circle:", "green"),
    "failed": ("below the limit", ":material/cancel:", "red"),
    "undecided": ("undecided", ":material/help:", "orange"),
}


def pooled_section(points: Sequence[ConductivityPoint]) -> None:
    """Draw the first point, which is the one that counts, and a table of all where there are several."""
    it = points[0].conductivity
    icon, colour = VERDICT_LOOK.get(it.verdict, (":material/check_circle:", "gray"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(it.verdict, icon=icon, color=colour)  # type: ignore[arg-type]
        st.markdown(f"{VERDICT_MEANING.get(it.verdict, '')}", width="stretch")
    draw_cards(_cards(it), in_a_row=True)
    if len(points) > 1:
        with st.expander(f"All {len(points)} measurements, one row each", icon=":material/table_rows:"):
            _table(points)
            st.caption(
                "The first row is the one that counts, here and in every list: a usable verdict, the temperature "
                "nearest 1200 K, then the most ions times time."
            )
    held = "Held by the release" if points[0].is_shipped else "Of one's own runs"
    st.caption(f"{held}, seeds pooled into one fit. Intervals of 90 %, of the length of the runs alone.")


def _cards(it: Conductivity) -> list[Figure]:
    sigma, sigma_detail = sigma_words(_row(it))
    d, d_detail = d_words(_row(it))
    error = it.teacher_force_mae_ev_per_a
    return [
        Figure(
            label=f"Conductivity at {it.temperature_k:.0f} K", value=sigma, detail=sigma_detail,
            help=f"Of {it.working_ion} ions, by Nernst and Einstein, ions taken as independent.",
        ),
        Figure(
            label="Diffusivity", value=d, detail=d_detail,
            help="A sixth of the slope of the mean-square displacement, with its 90 % interval.",
        ),
        Figure(
            label="Simulated", value=f"{significant(it.simulated_ps)} ps", detail=_seeds(it),
            help="At constant volume, all seeds together.",
        ),
        Figure(
            label="Potential", value=it.potential,
            detail=f"protocol {it.protocol}" + ("" if error is None else f", {error:.2f} eV/Å off its teacher"),
            help="Mean absolute error of forces against the potential's teacher, on snapshots of the runs.",
        ),
    ]  # fmt: skip


def _row(it: Conductivity) -> dict[str, float | str | None]:
    return {
        "sigma_verdict": it.verdict, "verdict": it.verdict, "sigma_ms_per_cm": it.sigma_ms_per_cm,
        "sigma_low_ms_per_cm": it.sigma_low_ms_per_cm, "sigma_high_ms_per_cm": it.sigma_high_ms_per_cm,
        "d_cm2_per_s": it.d_cm2_per_s, "d_low_cm2_per_s": it.d_low_cm2_per_s, "d_high_cm2_per_s": it.d_high_cm2_per_s,
    }  # fmt: skip


def _seeds(it: Conductivity) -> str:
    return f"{it.n_seeds} seed{'s' * (it.n_seeds > 1)} of {it.n_atoms:,} atoms"


def _table(points: Sequence[ConductivityPoint]) -> None:
    rows: list[list[Cell]] = []
    for it in (point.conductivity for point in points):
        sigma, detail = sigma_words(_row(it))
        error = it.teacher_force_mae_ev_per_a
        rows.append(
            [
                f"{it.temperature_k:.0f} K", Detailed(text=sigma, detail="" if detail == it.verdict else detail),
                it.verdict, Detailed(text=it.potential, detail=it.protocol),
                Detailed(text=f"{significant(it.simulated_ps)} ps", detail=_seeds(it)),
                "none" if error is None else f"{error:.2f} eV/Å",
            ]
        )  # fmt: skip
    draw_table(
        ["Temperature", "Conductivity", "Verdict", "Potential", "Simulated", "Error against teacher"], rows
    )


def decision_section(
    points: Sequence[ConductivityPoint], finished: Sequence[Calculation], jobs: Sequence[Job], limit_ms_per_cm: float,
    started: Callable[[Job], None],
) -> None:  # fmt: skip
    """Say whether the limit is decided, and offer the run that could decide it.

    `finished`: the runs about the crystal; `jobs`: one's own, in whatever state; `started` is called with a new one.
    """
    now = standing_of(points, finished, limit_ms_per_cm)
    if now is None:
        return
    words, icon, colour = _OUTCOME_LOOK[now.outcome]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(words, icon=icon, color=colour)  # type: ignore[arg-type]
            st.markdown(safe(now.reason), width="stretch")
        if now.next_spec is not None:
            _offer(now, jobs, limit_ms_per_cm, started)


def _offer(
    now: Standing, jobs: Sequence[Job], limit_ms_per_cm: float, started: Callable[[Job], None]
) -> None:
    spec = now.next_spec
    if spec is None:
        return
    cost = (
        ""
        if now.expected_seconds is None
        else f", about {duration_words(now.expected_seconds)} at the speed of earlier ones"
    )
    st.markdown(
        f"**Could decide it:** a run of {spec.protocol.nvt_ps:g} ps, seed {spec.seed}{safe(cost)}. "
        f"{safe(now.next_words)}"
    )
    if spec.refine_rounds:
        st.caption(
            "Fine-tuning of the potential for this material comes first, once; it is not counted here."
        )
    under_way = next((job for job in jobs if job.job_id == spec.name), None)
    if under_way is not None:
        st.caption(f"This run is {under_way.state}; it stands below among the single runs.")
        return
    if st.button(
        "Start the run that could decide", icon=":material/play_arrow:", key=f"md_decide_{spec.subject.id}"
    ):
        try:
            job = start(spec)
        except ExplorerError as error:
            st.error(safe(error), icon=":material/block:")
            return
        started(job)
    st.caption(
        f"Then the next, until it is decided. Unattended, from a terminal: `{command_of(spec, limit_ms_per_cm)}`."
    )
