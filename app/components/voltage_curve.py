"""The voltage curve on the Candidate page: steps, ground states to look at, and the button that starts one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from app.components.md_live import live_run
from app.components.md_words import duration_words
from app.components.structure_viewer import structure_viewer
from app.components.voltage_curve_figures import energy_figure, step_figure, volume_figure
from app.theme import palette, safe
from app.visitor import start
from core.errors import ExplorerError
from core.quantities import is_missing
from core.records import Crystal
from core.service.calculations import Job
from core.service.curves import (
    CurvePlan,
    CurveResult,
    GroundState,
    KnownCurve,
    known_curves,
    planned_curve,
    unfinished_curve,
)
from core.service.release import Reader

_CONFIG: Final = {"displayModeBar": False}
_VIEWER_HEIGHT: Final = 340


def curve_section(reader: Reader, row: Mapping[str, Any], crystal: Crystal, jobs: Sequence[Job]) -> None:
    """Draw the whole section for a crystal; `row` has its voltage and ion, `jobs` are the runs about it."""
    st.subheader("Voltage curve", anchor="curve")
    known, unfinished = known_curves(reader, crystal, jobs), unfinished_curve(jobs)
    if known:
        _known(known, row, crystal.id)
    if unfinished is not None:
        live_run(unfinished)
    if not known and unfinished is None:
        _offer(crystal, row["working_ion"])


def _known(known: list[KnownCurve], row: Mapping[str, Any], id: str) -> None:
    shown = known[0]
    if len(known) > 1:
        names = {it.calculation.name: it for it in known}
        chosen = st.selectbox(f"Show one of {len(known)} curves", list(names), key=f"curve_shown_{id}")
        shown = names[chosen]
    curve, ion = shown.curve, row["working_ion"]
    _head(shown, ion)
    state = _chosen_state(curve, ion, id)
    left, right = st.container(key=f"stacking-curve-{id}").columns([3, 2], gap="large")
    with left:
        levels = {} if is_missing(row["voltage_v"]) else {"Predicted average": float(row["voltage_v"])}
        levels["Relaxed average"] = curve.average_voltage_v
        _plot(
            step_figure(curve.steps, levels, ion, palette(), chosen_x=state.x),
            "steps",
            id,
            f"Voltage against {ion}",
        )
    with right:
        structure_viewer(
            state.crystal, key=f"curve_structure_{id}", height=_VIEWER_HEIGHT, working_ion=ion, compact=True
        )
        st.caption(_state_words(state, curve, ion))
    energies, volumes = st.container(key=f"stacking-curve-below-{id}").columns(2, gap="large")
    with energies:
        _plot(
            energy_figure(curve.points, curve.ground_states, ion, palette()),
            "energies",
            id,
            "Energy of orderings",
        )
    with volumes:
        _plot(volume_figure(curve.ground_states, ion, palette()), "volume", id, f"Volume against {ion}")
    _origin(shown)


def _head(shown: KnownCurve, ion: str) -> None:
    curve = shown.curve
    st.markdown(
        f"**{safe(curve.verdict)}**. {safe(curve.reason)} Orderings of {safe(ion)} and gaps over {curve.n_ion_sites} "
        f"sites ({curve.n_sites} atoms when full), ranked and relaxed by {safe(curve.potential)}."
    )
    for note in curve.notes:
        st.warning(safe(note), icon=":material/info:")


def _chosen_state(curve: CurveResult, ion: str, id: str) -> GroundState:
    """Draw the choice among ground states, the emptiest first, and return the one to show."""
    states = {_name_of(it, curve, ion): it for it in curve.ground_states}
    names = list(states)
    chosen = st.segmented_control(
        "Ground states, charged to discharged", names, default=names[len(names) // 2], key=f"curve_state_{id}"
    )
    return states[chosen or names[len(names) // 2]]


def _name_of(state: GroundState, curve: CurveResult, ion: str) -> str:
    return f"{state.n_ions} of {curve.n_ion_sites} {ion}"


def _state_words(state: GroundState, curve: CurveResult, ion: str) -> str:
    """What is worth knowing of a ground state beside its picture."""
    formula = safe(state.crystal.formula)
    seen = next((it for it in curve.contents if it.n_ions == state.n_ions), None)
    if seen is None:
        return f"{formula}: {'all' if state.n_ions else 'no'} {safe(ion)}. Host {safe(state.framework)}."
    many = f"{seen.n_orderings}{'' if seen.complete else ' drawn'} orderings"
    beyond = f", {seen.n_left_out} of them left out by electrostatics" if seen.n_left_out else ""
    return f"{formula}: the lowest of {many} that differ by symmetry{beyond}. Host {safe(state.framework)}."


def _origin(shown: KnownCurve) -> None:
    curve = shown.curve
    held = "Held by the release" if shown.is_shipped else "A run of one's own"
    st.caption(
        f"{held}. Steps are differences of the potential's energies at zero temperature: mixing and kinetics are left "
        f"out. Orderings that did not relax and are left out: {len(curve.left_out)}."
    )


def _plot(figure: dict[str, Any], name: str, id: str, alt: str) -> None:
    st.plotly_chart(figure, config=_CONFIG, key=f"curve_{name}_{id}", alt=alt)


def _offer(crystal: Crystal, ion: str) -> None:
    """Say that there is none and what one would take, with the button that starts it."""
    try:
        plan = planned_curve(crystal, ion)
    except ExplorerError as error:
        st.info(f"**No voltage curve.** {safe(error)}", icon=":material/block:")
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(_offer_words(plan, ion), width="stretch")
        if st.button("Compute the curve", icon=":material/play_circle:", key=f"curve_start_{crystal.id}"):
            _start(plan)


def _offer_words(plan: CurvePlan, ion: str) -> str:
    if not plan.n_contents:
        between = f"its cell has one {safe(ion)}, so that only the ends can be relaxed"
    else:
        between = f"{plan.n_contents} contents between the ends, the best orderings of each relaxed"
    return (
        f"**Not computed yet.** In a cell of {plan.n_sites} atoms with {plan.n_ion_sites} {safe(ion)}: {between}. "
        f"About {duration_words(plan.expected_seconds)} on one core; the run goes on when you close this page, and "
        "can be stopped and resumed."
    )


def _start(plan: CurvePlan) -> None:
    try:
        start(plan.spec)
    except ExplorerError as error:
        st.error(safe(error), icon=":material/block:")
        return
    st.rerun()
