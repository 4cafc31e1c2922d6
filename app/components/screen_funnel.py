"""The funnel of the Screen page: how many each step keeps, what is known of the costly ones, what else would keep."""

import streamlit as st

from app.components.funnel import Step, funnel_strip, tested_step, tested_words
from app.screening_view import View
from core.service.release import Facets


def draw(view: View, facets: Facets) -> None:
    """Draw the steps as tiles, and beneath what is known of those that only calculations decide."""
    funnel_strip(funnel_steps(view, facets))
    if known := tested_lines(view):
        st.markdown(known)
    st.caption(other_funnel_words(view))


def funnel_steps(view: View, facets: Facets) -> list[Step]:
    """Return the steps from all candidates to those that pass; a limit that is not set is no step."""
    counts, query = view.screening.funnel, view.query
    max_v = view.screening.thresholds.voltage_max_v
    limit = f"> {query.capacity_vol_ah_per_l:,.0f} Ah/L"
    steps = [
        Step(label="All candidates", count=facets.n_candidates),
        Step(label="After filters", count=counts.all),
        Step(
            label=f"> {query.voltage_v:.2f} V" + ("" if max_v is None else f", < {max_v:.2f} V"),
            count=counts.voltage,
        ),
        Step(label=limit if counts.verdict is None else f"{limit} redox", count=counts.capacity),
    ]
    if counts.barrier is not None:
        steps.append(tested_step(f"Barrier < {query.barrier_ev:.2f} eV", counts.barrier))
    if counts.conductivity is not None:
        steps.append(tested_step(f"> {query.sigma_ms_per_cm:g} mS/cm, 1200 K", counts.conductivity))
    if counts.verdict is not None:
        steps.append(Step(label="Verdict", count=counts.verdict))
    return steps


def tested_lines(view: View) -> str:
    """Return how far barrier and conductivity are known where a limit on them is set; empty where none is."""
    counts, query = view.screening.funnel, view.query
    lines = []
    if counts.barrier is not None:
        lines.append(tested_words(f"Barrier below {query.barrier_ev:.2f} eV", counts.barrier))
    if counts.conductivity is not None:
        limit = f"Conductivity above {query.sigma_ms_per_cm:g} mS/cm at 1200 K"
        lines.append(tested_words(limit, counts.conductivity))
    return "  \n".join(lines)


def other_funnel_words(view: View) -> str:
    """Return what the other definition keeps of the same candidates, in a sentence."""
    counts, query = view.other, view.query
    last = ""
    if counts.barrier is not None:
        last = f", {counts.barrier.passed:,} of these surely with a barrier below {query.barrier_ev:.2f} eV"
    if counts.conductivity is not None:
        last += f", {counts.conductivity.passed:,} of these surely above {query.sigma_ms_per_cm:g} mS/cm"
    kept = (
        f"{counts.capacity:,} above {query.voltage_v:.2f} V and {query.capacity_vol_ah_per_l:,.0f} Ah/L{last}"
    )
    if counts.verdict is None:
        return f"The paper's definition, which counts the capacity of all magnesium, keeps {kept}."
    return (
        f"As cathodes, where only what the redox metals pay for counts, {kept} are left, and {counts.verdict:,} with "
        f"the verdict {' or '.join(query.verdicts)}."
    )
