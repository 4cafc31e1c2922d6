"""What becomes of a crystal when its ions leave: both ends relaxed, the voltage between them, the host before and
after."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from app.components.calculation_panel import calculation_panel
from app.components.structure_viewer import structure_viewer
from app.components.tables import Cell, Detailed, draw_table
from app.components.text import pretty_formula
from app.theme import safe
from core.records import Crystal
from core.service.calculations import Calculation, Job
from core.service.charged_state import (
    REDOX_END,
    RELAXATION,
    ChargedState,
    End,
    RelaxationResult,
    RelaxationSpec,
    StabilityResult,
    potential_of,
    states_of_charge,
)
from core.service.release import Reader

_HEIGHT: Final = 340
_LOOK: Final = {"topotactic": ("green", ":material/check:"), "distorted": ("orange", ":material/warning:"),
                "collapsed": ("red", ":material/close:")}  # fmt: skip


def ends_section(
    reader: Reader, crystal: Crystal, working_ion: str, jobs: Sequence[Job], charged: ChargedState | None
) -> None:
    """Draw the relaxed ends of a crystal, or the way to get them.

    `jobs` are the runs about it, `charged` what `charged_state` makes of them.
    """
    ion = safe(working_ion)
    st.subheader("With and without its ions", anchor="charged")
    calculation_panel(
        reader, crystal, RELAXATION, jobs, draw=lambda found: _draw(found, charged, working_ion),
        plan=lambda: RelaxationSpec.planned(crystal, working_ion),
        invitation=(
            f"Does the host hold when its {ion} leaves? A universal potential relaxes the crystal with and without it, "
            "cell and ions: a second opinion on the voltage, whether the framework survives, and how far both ends lie "
            "above the hull of known phases. Seconds to minutes."
        ),
        button="Relax both ends",
    )  # fmt: skip


def _draw(found: Calculation, charged: ChargedState | None, working_ion: str) -> None:
    if charged is None:
        return
    result = charged.result
    colour, icon = _LOOK.get(result.verdict, ("gray", ":material/help:"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(f"host {result.framework}", icon=icon, color=colour)  # type: ignore[arg-type]
        if result.verdict != result.framework:
            st.badge(result.verdict, icon=":material/hourglass_disabled:", color="gray")
    st.markdown(safe(result.reason))
    states = states_of_charge(result)
    columns = st.container(key=f"stacking-ends-{found.name}").columns(len(states))
    for column, (name, end) in zip(columns, states.items(), strict=True):
        with column:
            st.markdown(f"**{name}** · {safe(pretty_formula(end.crystal.formula))}")
            structure_viewer(
                end.crystal,
                key=f"end-{name}-{found.name}",
                height=_HEIGHT,
                working_ion=working_ion,
                compact=True,
            )
    draw_table(
        ["State", f"{working_ion} in the cell", "Voltage up to it", "Volume (Å³)", "Steps", "Force left (eV/Å)"],
        [_row(name, end, result) for name, end in states.items()],
    )  # fmt: skip
    st.caption(_words(result))
    if charged.stability is not None:
        _draw_stability(charged.stability, result)
    else:
        st.info(f"Stability is not known: {safe(charged.stability_error)}", icon=":material/help:")


def _draw_stability(judged: StabilityResult, result: RelaxationResult) -> None:
    st.markdown(f"**Stability: {safe(judged.verdict)}.** {safe(judged.reason)}")
    energies = {
        "Discharged": (
            judged.discharged_e_above_hull_ev_per_atom, judged.discharged_e_above_hull_std_ev_per_atom,
            judged.discharged_products,
        ),
        REDOX_END: (
            judged.redox_e_above_hull_ev_per_atom, judged.redox_e_above_hull_std_ev_per_atom, judged.redox_products,
        ),
        "Charged": (
            judged.charged_e_above_hull_ev_per_atom, judged.charged_e_above_hull_std_ev_per_atom,
            judged.charged_products,
        ),
    }  # fmt: skip
    rows: list[list[Cell]] = []
    for name in states_of_charge(result):
        value, std, products = energies[name]
        if value is not None:
            error = "as its source states" if std is None else f"± {std:.3f}"
            becomes = " + ".join(pretty_formula(product.formula) for product in products)
            rows.append([name, Detailed(text=f"{value:.3f} eV/atom", detail=error), becomes])
    draw_table(["State", "Above the hull of known phases", "Would rather be"], rows)
    st.caption(
        "Hull: the Materials Project's phases of 2020. Errors are one standard deviation of formation energies by the "
        "potential, cross-validated."
    )


def _row(name: str, end: End, result: RelaxationResult) -> list[str]:
    voltage_v = {"Discharged": None, "Charged": result.voltage_v}.get(name, result.redox_voltage_v)
    return [
        name, str(end.n_ions), "" if voltage_v is None else f"{voltage_v:.2f} V", f"{end.crystal.volume_a3:,.1f}",
        str(end.n_steps), f"{end.force_max_ev_per_a:.3f}",
    ]  # fmt: skip


def _words(result: RelaxationResult) -> str:
    start = result.discharged
    return (
        f"Relaxed by {safe(potential_of(result).title)}, cell and ions. The structure as given: largest force "
        f"{start.start_force_ev_per_a:.2f} eV/Å, pressure {start.start_pressure_gpa:+.1f} GPa. A potential's minimum, "
        "not one of density-functional theory."
    )
