"""Diffusivity against temperature, where one material was simulated at several: points, and the barrier they allow."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import streamlit as st

from app.components.md_figures import ArrheniusPoint, arrhenius_figure
from app.theme import palette, safe
from core.errors import ExplorerError
from core.quantities import scientific
from core.records import Conductivity
from core.service.conductivities import ConductivityPoint
from core.service.dynamics import Arrhenius, barrier

ROOM_K: Final = 300.0
_CONFIG: Final = {"displayModeBar": False}
_LINE_POINTS: Final = 40


def arrhenius_section(points: Sequence[ConductivityPoint]) -> None:
    """Draw a plot for each potential and protocol that was used at two temperatures or more; otherwise nothing.

    Protocols of different cells or lengths are not mixed: their errors differ in kind.
    """
    groups: dict[tuple[str, str], list[Conductivity]] = {}
    for it in _latest(points):
        if it.d_high_cm2_per_s is not None:
            groups.setdefault((it.potential, it.protocol), []).append(it)
    for (potential, protocol), group in groups.items():
        if len({it.temperature_k for it in group}) > 1:
            _draw(potential, protocol, group)


def _latest(points: Sequence[ConductivityPoint]) -> list[Conductivity]:
    """One result a potential, protocol and temperature: that of the most seeds, which holds the others' runs."""
    best: dict[tuple[str, str, float], Conductivity] = {}
    for it in (point.conductivity for point in points):
        key = (it.potential, it.protocol, it.temperature_k)
        if key not in best or it.n_seeds > best[key].n_seeds:
            best[key] = it
    return list(best.values())


def _draw(potential: str, protocol: str, group: Sequence[Conductivity]) -> None:
    st.markdown(f"**Diffusivity against temperature, {safe(potential)}, protocol {safe(protocol)}**")
    fit, trouble = _fit(group)
    key = f"{potential}-{protocol}"
    left, right = st.container(key=f"stacking-arrhenius-{key}").columns([1.7, 1], gap="large")
    left.plotly_chart(
        arrhenius_figure([_point(it) for it in group], line_of(fit), palette()), config=_CONFIG,
        key=f"md_arrhenius_{key}", alt="Diffusivity against inverse temperature",
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


def _fit(group: Sequence[Conductivity]) -> tuple[Arrhenius | None, str]:
    try:
        return barrier(group), ""
    except ExplorerError as error:
        return None, str(error)


def _point(it: Conductivity) -> ArrheniusPoint:
    return ArrheniusPoint(
        temperature_k=it.temperature_k, d_cm2_per_s=it.d_cm2_per_s, low=it.d_low_cm2_per_s,
        high=it.d_high_cm2_per_s or 0.0,
    )  # fmt: skip


def line_of(fit: Arrhenius | None) -> list[tuple[float, float, float, float]]:
    """Return (temperature_k, D, low, high) along a fit, inside the temperatures that it rests on."""
    if fit is None:
        return []
    line = []
    for temperature_k in np.linspace(fit.lowest_k, fit.highest_k, _LINE_POINTS):
        at = fit.at(float(temperature_k))
        line.append((float(temperature_k), at.d_cm2_per_s, at.d_low_cm2_per_s, at.d_high_cm2_per_s))
    return line
