"""Diffusivity against temperature, where one material was run at several: points, and the barrier if they allow one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st

from app.components.md_figures import ArrheniusPoint, arrhenius_figure
from app.components.md_runs import FinishedRun
from app.components.md_words import scientific
from app.theme import palette, safe
from core.errors import ExplorerError
from core.jobs import barrier
from core.transport import Arrhenius

ROOM_K: Final = 300.0
_CONFIG: Final = {"displayModeBar": False}
_LINE_POINTS: Final = 40


def arrhenius_section(runs: Sequence[FinishedRun]) -> None:
    """Draw the section if one potential was used at two temperatures or more; otherwise nothing."""
    by_potential: dict[str, list[FinishedRun]] = {}
    for run in runs:
        if run.result["d_high"] is not None:
            by_potential.setdefault(run.result["potential"], []).append(run)
    for potential, group in by_potential.items():
        if len({run.result["temperature_k"] for run in group}) > 1:
            _draw(potential, group)


def _draw(potential: str, runs: Sequence[FinishedRun]) -> None:
    st.markdown(f"**Diffusivity against temperature, {safe(potential)}**")
    fit, trouble = _fit(tuple(str(run.path) for run in runs if run.has_frames))
    left, right = st.container(key=f"stacking-arrhenius-{potential}").columns([1.7, 1], gap="large")
    left.plotly_chart(
        arrhenius_figure([_point(run) for run in runs], line_of(fit), palette()), config=_CONFIG,
        key=f"md_arrhenius_{potential}", alt="Diffusivity against inverse temperature",
    )  # fmt: skip
    with right:
        if fit is None:
            st.info(f"No barrier yet. {safe(trouble)}", icon=":material/info:")
        else:
            _barrier(fit)


def _barrier(fit: Arrhenius) -> None:
    st.metric(
        "Barrier", f"{fit.barrier_ev:.2f} eV", f"90 %: {fit.barrier_low_ev:.2f} to {fit.barrier_high_ev:.2f} eV",
        delta_color="off", delta_arrow="off",
    )  # fmt: skip
    room = fit.at(ROOM_K)
    st.caption(
        f"From {fit.n_temperatures} temperatures, {fit.lowest_k:.0f} to {fit.highest_k:.0f} K, seeds pooled. "
        f"Drawn out to {ROOM_K:.0f} K it would be {scientific(room.d_cm2_per_s)} cm²/s "
        f"({scientific(room.d_low_cm2_per_s)} to {scientific(room.d_high_cm2_per_s)}): the line's own error, which "
        "knows nothing of other mechanisms or phases down there."
    )
    if fit.scatter > 1.5:
        st.caption(
            f"The points miss the line by {fit.scatter:.1f} times their errors; the interval is widened by that."
        )


@st.cache_data(show_spinner="Pooling the runs …", max_entries=16)
def _fit(paths: tuple[str, ...]) -> tuple[Arrhenius | None, str]:
    try:
        return barrier([Path(path) for path in paths]), ""
    except ExplorerError as error:
        return None, str(error)


def _point(run: FinishedRun) -> ArrheniusPoint:
    it = run.result
    return ArrheniusPoint(
        temperature_k=it["temperature_k"], d_cm2_per_s=it["d_cm2_per_s"], low=it["d_low"], high=it["d_high"]
    )


def line_of(fit: Arrhenius | None) -> list[tuple[float, float, float, float]]:
    """Return (temperature_k, D, low, high) along a fit, inside the temperatures that it rests on."""
    if fit is None:
        return []
    line = []
    for temperature_k in np.linspace(fit.lowest_k, fit.highest_k, _LINE_POINTS):
        at = fit.at(float(temperature_k))
        line.append((float(temperature_k), at.d_cm2_per_s, at.d_low_cm2_per_s, at.d_high_cm2_per_s))
    return line
