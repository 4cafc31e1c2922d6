"""The form that starts a simulation: protocol, potential, temperature; its time is measured before anything starts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import streamlit as st

from app.components.md_words import duration_words
from app.theme import safe
from app.visitor import start
from core.errors import ExplorerError
from core.quantities import significant
from core.records import Crystal
from core.service.calculations import Job, list_jobs
from core.service.dynamics import (
    MAX_ROUNDS,
    MAX_SEED,
    POTENTIALS,
    PROTOCOLS,
    DiffusionSpec,
    Estimate,
    Protocol,
    adapted,
    default_potential,
    default_protocol,
    estimate,
    potential_card,
)
from core.settings import available_devices, resolve_device

_PROTOCOL_NAMES: Final = {"quick": "Quick look", "long": "Longer look", "paper": "As in the paper"}


@dataclass(frozen=True, kw_only=True)
class _Number:
    field: str
    label: str
    step: float
    help: str = ""


_NUMBERS: Final = (
    _Number(field="min_atoms", label="At least (atoms)", step=10),
    _Number(field="max_atoms", label="At most (atoms)", step=10),
    _Number(field="vacancy_fraction", label="Ions removed (share)", step=0.05,
            help="A random share of the working ions leaves, so that the others find empty sites."),
    _Number(field="npt_ps", label="At constant pressure (ps)", step=0.5, help="Lets the cell find its size."),
    _Number(field="nvt_ps", label="At constant volume (ps)", step=1.0, help="The part that is measured."),
    _Number(field="time_step_fs", label="Time step (fs)", step=0.5),
)  # fmt: skip


def start_form(crystal: Crystal, working_ion: str, *, id: str, started: Callable[[Job], None]) -> None:
    """Draw the form for one crystal; `started` is called with the run that the Start button made."""
    spec = _chosen_spec(crystal, working_ion, id)
    if spec is None:
        return
    key = f"md_estimate_{id}"
    with st.container(horizontal=True, vertical_alignment="center"):
        measure = st.button(
            "Measure step time", icon=":material/timer:", key=f"md_measure_{id}",
            help="Builds the cell and makes a few steps on this machine. Nothing is started yet.",
        )  # fmt: skip
    if measure:
        st.session_state[key] = _measured(spec)
    job_id, found = st.session_state.get(key) or (None, None)
    if found is not None and job_id == spec.name:
        _ask(spec, found, id, started)
    elif found is not None:
        st.caption("Settings have changed since the last measurement; measure again.")


def _chosen_spec(crystal: Crystal, working_ion: str, id: str) -> DiffusionSpec | None:
    """Draw the controls and return what they ask for; None, with the reason drawn, where that cannot run."""
    first, second, third, fourth, fifth = st.container(key=f"stacking-md-{id}").columns([1.9, 1.2, 1, 1, 1])
    with first:
        protocol = PROTOCOLS[_choose_protocol(id)]
    with second:
        potential = st.selectbox(
            "Potential", POTENTIALS, index=POTENTIALS.index(default_potential()), key=f"md_potential_{id}"
        )
    temperature_k = third.number_input(
        "Temperature (K)", 50.0, 4000.0, protocol.temperature_k, 100.0, format="%.0f", key=f"md_temperature_{id}",
        help="1200 K in the paper. Several temperatures give the barrier.",
    )  # fmt: skip
    seed = fourth.number_input(
        "Seed", 0, MAX_SEED, 0, key=f"md_seed_{id}",
        help="Decides which ions are removed and how the atoms start. Several seeds make one better result.",
    )  # fmt: skip
    with fifth:
        refine_rounds = _refine_rounds(potential, id)
    st.caption(f"{safe(protocol.description)} {safe(_potential_words(potential))}")
    with st.expander("Every number of the protocol", icon=":material/tune:"):
        changes, device = _numbers(protocol, id)
    try:
        protocol = adapted(protocol, temperature_k=float(temperature_k), **changes)
        return DiffusionSpec.planned(
            crystal=replace(crystal, id=id), protocol=protocol, potential=potential, working_ion=working_ion,
            device=device, seed=int(seed), refine_rounds=refine_rounds,
        )  # fmt: skip
    except ExplorerError as error:
        st.error(safe(error), icon=":material/block:")
        return None


def _choose_protocol(id: str) -> str:
    names = [name for name in _PROTOCOL_NAMES if name in PROTOCOLS]
    chosen = st.segmented_control(
        "Protocol", names, default=default_protocol(resolve_device("auto")).name, required=True,
        key=f"md_protocol_{id}", format_func=_PROTOCOL_NAMES.__getitem__,
    )  # fmt: skip
    return chosen or names[0]


def _potential_words(name: str) -> str:
    try:
        return f"Potential: {potential_card(name).title}."
    except ExplorerError as error:
        return str(error)


def _numbers(protocol: Protocol, id: str) -> tuple[dict[str, Any], str]:
    """Draw one input a number, named by protocol so that the other one's defaults come with it."""
    changes: dict[str, Any] = {}
    columns = st.columns(3)
    for place, it in enumerate(_NUMBERS):
        value = getattr(protocol, it.field)
        kind = int if isinstance(value, int) else float
        changes[it.field] = columns[place % 3].number_input(
            it.label, value=value, step=kind(it.step), help=it.help or None,
            key=f"md_{protocol.name}_{it.field}_{id}",
        )  # fmt: skip
    device = columns[0].selectbox(
        "Device", available_devices(), key=f"md_device_{id}", help="auto takes a GPU where there is one."
    )
    return changes, device


def _refine_rounds(potential: str, id: str) -> int:
    """Draw the choice of fine-tuning where the potential offers it."""
    try:
        if not potential_card(potential).capabilities.can_be_refined:
            return 0
    except ExplorerError:  # the card's own trouble is told where the run is planned
        return 0
    rounds = st.number_input(
        "Rounds of fine-tuning", 0, MAX_ROUNDS, 0, key=f"md_refine_{id}",
        help="Fit the potential to this material first: each round runs it, has its teacher label snapshots and hops, "
        "and trains on them. Some minutes a round, once for all its runs; barriers come nearer the teacher's.",
    )  # fmt: skip
    return int(rounds)


def _measured(spec: DiffusionSpec) -> tuple[str, Estimate] | None:
    try:
        with st.spinner("Building the cell and timing a few steps …"):
            return spec.name, estimate(spec)
    except ExplorerError as error:
        st.error(safe(error), icon=":material/block:")
        return None


def _ask(spec: DiffusionSpec, found: Estimate, id: str, started: Callable[[Job], None]) -> None:
    """Say what the run will cost and ask to start it."""
    with st.container(border=True):
        st.markdown(
            f"**About {duration_words(found.expected_seconds)}**, done {_finish_words(found.expected_seconds)} if "
            "nothing else keeps the machine busy."
        )
        st.caption(
            f"{found.n_atoms:,} atoms, {found.n_working_ions} of them mobile {safe(spec.working_ion)} · "
            f"{significant(found.seconds_per_step * 1000)} ms per step, measured · {found.n_steps:,} steps · "
            "the run goes on when you close this page, and can be stopped and resumed."
        )
        if spec.refine_rounds:
            st.caption(
                "Fine-tuning comes first, some minutes a round and once for the material; it is not counted here."
            )
        waiting = sum(job.is_active and job.job_id != spec.name for job in list_jobs())
        if waiting:
            st.caption(f"{waiting} other run{'s' * (waiting > 1)} on this machine; one waits for the other.")
        if st.button("Start", type="primary", icon=":material/play_arrow:", key=f"md_start_{id}"):
            _start(spec, started)


def _start(spec: DiffusionSpec, started: Callable[[Job], None]) -> None:
    try:
        job = start(spec)
    except ExplorerError as error:
        st.error(safe(error), icon=":material/block:")
        return
    started(job)


def _finish_words(seconds: float) -> str:
    zone = ZoneInfo(st.context.timezone) if st.context.timezone else None
    now = datetime.now(zone)
    end = now + timedelta(seconds=seconds)
    return f"at {end:%H:%M}" if end.date() == now.date() else f"on {end:%d %B, %H:%M}"
