"""Migration barriers on the Candidate page: how easily ions get on at both ends of discharge, and their ways drawn."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import numpy as np
import streamlit as st

from app.components.calculation_panel import calculation_panel
from app.components.md_words import duration_words
from app.components.structure_viewer import structure_viewer
from app.components.tables import draw_table
from app.theme import figure_layout, palette, safe
from core.errors import BarrierError
from core.records import Crystal
from core.service.barriers import (
    BarrierResult,
    HopBarrier,
    barrier_plan,
    barrier_spec,
    limiting_hop,
    way_of,
)
from core.service.calculations import Calculation, Job
from core.service.release import Reader

_CONFIG: Final = {"displayModeBar": False}
_HEIGHT: Final = 320
_ENDS: Final = {"full": "Discharged, one vacancy", "empty": "Charged, one ion"}


def barrier_section(reader: Reader, crystal: Crystal, working_ion: str, jobs: Sequence[Job]) -> None:
    """Draw the migration barriers of a crystal, or the way to get them; `jobs` are the runs about it."""
    st.subheader("Migration barrier", anchor="barrier")
    calculation_panel(
        reader, crystal, "barrier", jobs, draw=_draw, plan=lambda: barrier_spec(crystal, working_ion),
        invitation=_INVITATION.format(ion=safe(working_ion)), button="Work out the barrier",
        estimate=lambda: _estimate(crystal, working_ion),
    )  # fmt: skip


_INVITATION: Final = (
    "**Not computed yet.** Every kind of hop that symmetry tells apart is worked out with a vacancy in the full host "
    "and with one {ion} in the empty one: minutes to hours on one core. The run goes on when you close this page, and "
    "can be stopped and resumed."
)


@st.cache_data(show_spinner=False, max_entries=256, hash_funcs={Crystal: attrgetter("fingerprint")})
def _estimate(crystal: Crystal, working_ion: str) -> str:
    """Telling the hops apart takes seconds, in large cells minutes: only who asks waits for it."""
    plan = barrier_plan(crystal, working_ion)
    kinds = "One kind of hop" if plan.n_hops == 1 else f"{plan.n_hops} kinds of hops"
    return f"{kinds} in some {plan.n_atoms} atoms: about {duration_words(plan.expected_seconds)} on one core."


def _draw(found: Calculation) -> None:
    result = found.result
    if not isinstance(result, BarrierResult):
        return
    st.markdown(f"**{safe(result.verdict).capitalize()}**. {safe(result.reason)}{_error_words(result)}")
    for note in result.notes:
        st.warning(safe(note), icon=":material/info:")
    columns = st.container(key=f"stacking-barrier-{found.name}").columns(2, gap="large")
    for column, end in zip(columns, result.ends, strict=True):
        with column:
            st.metric(
                _ENDS[end.end], "no way through" if end.one_ev is None else f"{end.one_ev:.2f} eV", border=True,
                help="The worst hop on the easiest way that leads on without end.",
            )  # fmt: skip
            try:
                hop = limiting_hop(result, end)
            except BarrierError as error:
                st.caption(safe(error))
                continue
            structure_viewer(
                end.crystal, key=f"barrier_{end.end}_{found.name}", height=_HEIGHT,
                working_ion=found.spec.subject.working_ion, compact=True, path_points=way_of(hop),
            )  # fmt: skip
            st.caption(f"The way of the hop of {hop.length_a:.2f} Å, worked out in {hop.n_atoms} atoms.")
            st.plotly_chart(
                _profile(hop), config=_CONFIG, key=f"barrier_profile_{end.end}_{found.name}",
                alt=f"Energy along the hop, {_ENDS[end.end]}",
            )  # fmt: skip
    draw_table(
        ["End", "Length (Å)", "There (eV)", "Back (eV)", "Forces left", "Passable in"],
        [_row(result, hop) for hop in result.hops],
    )
    held = "Held by the release" if found.is_shipped else "A run of one's own"
    st.caption(f"{held}. Energies by {safe(result.potential)} at zero temperature, in a rigid cell.")


def _error_words(result: BarrierResult) -> str:
    if result.barrier_ev is None:
        return ""
    if result.barrier_std_ev is None:
        return f" How far {safe(result.potential)} is off on known hops is not known."
    return f" On known hops {safe(result.potential)} is off by ± {result.barrier_std_ev:.2f} eV at such a height."


def _row(result: BarrierResult, hop: HopBarrier) -> list[str]:
    (end,) = [it for it in result.ends if it.end == hop.end]
    if hop.above_ev is not None:
        above = f"above {hop.above_ev:.2f}"
        return [_ENDS[hop.end], f"{hop.length_a:.2f}", above, above, "left there", "not needed"]
    if hop.barrier_ev is None or hop.forward_ev is None or hop.back_ev is None:
        return [_ENDS[hop.end], f"{hop.length_a:.2f}", "not known", "", safe(hop.reason), ""]
    reached = [
        name
        for name, limit in (("1", end.one_ev), ("2", end.two_ev), ("3", end.three_ev))
        if limit is not None and hop.barrier_ev <= limit + 1e-9
    ]
    return [
        _ENDS[hop.end], f"{hop.length_a:.2f}", f"{hop.forward_ev:.2f}", f"{hop.back_ev:.2f}",
        "none" if hop.converged else "some", f"{', '.join(reached)} dimensions" if reached else "not needed",
    ]  # fmt: skip


def _profile(hop: HopBarrier) -> dict[str, Any]:
    """Energy along the way, the points that were worked out."""
    colours = palette()
    trace = {
        "type": "scatter", "mode": "lines+markers", "x": [100.0 * way for way in hop.ways],
        "y": list(np.array(hop.energies_ev)), "line": {"color": colours.accent, "width": 2.2, "shape": "spline"},
        "hovertemplate": "%{y:.2f} eV at %{x:.0f} % of the way<extra></extra>",
    }  # fmt: skip
    layout = figure_layout(
        colours, height=220, showlegend=False, margin={"b": 48}, xaxis={"title": {"text": "Way of the ion (%)"}},
        yaxis={"title": {"text": "Energy (eV)"}},
    )  # fmt: skip
    return {"data": [trace], "layout": layout}
