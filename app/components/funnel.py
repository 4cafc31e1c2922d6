"""How many candidates each step of the screening keeps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.theme import Palette, figure_layout
from core.service.screen import OutcomeCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the funnel: its name, how many remain after it, and what is to be said of the others, if anything."""

    label: str
    count: int
    note: str = ""


def tested_step(label: str, found: OutcomeCounts) -> Step:
    """Return the step of a limit that only a calculation can tell of: most candidates may never have had it."""
    return Step(label=label, count=found.passed, note=f"of {found.tested:,} tested")


def tested_words(what: str, found: OutcomeCounts) -> str:
    """Return all that calculations say of those before a step, in a sentence."""
    return (
        f"{what}: {found.tested:,} tested, of which {found.passed:,} passed, {found.failed:,} failed and "
        f"{found.undecided:,} are undecided; {found.untested:,} untested."
    )


def funnel_strip(steps: Sequence[Step]) -> None:
    """Draw the steps as a row of numbers, each with the share of the step before; two rows or three on a phone."""
    with st.container(horizontal=True, gap="small", key="funnel"):
        for index, step in enumerate(steps):
            st.metric(
                step.label,
                f"{step.count:,}",
                delta=step.note or _share(step.count, steps[index - 1].count if index else None),
                delta_color="off",
                delta_arrow="off",
                border=True,
            )


def funnel_figure(steps: Sequence[Step], colours: Palette) -> dict[str, Any]:
    """Return a horizontal bar chart, as a plotly dictionary, of the steps; counts on a log axis."""
    applied = list(steps)[::-1]
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": [max(step.count, 1) for step in applied],
        "y": [step.label for step in applied],
        "text": [f"{step.count:,}" for step in applied],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": [colours.accent] * (len(applied) - 1) + [colours.line]},
        "hoverinfo": "skip",
    }
    layout = figure_layout(
        colours,
        height=60 + 52 * len(applied),
        margin={"l": 110, "r": 60, "t": 8, "b": 44},
        xaxis={
            "type": "log",
            "title": {"text": "Compounds (log scale)"},
            "dtick": 1,
            "range": [-0.05, _decades(applied)],
        },
        yaxis={"showgrid": False, "ticks": ""},
    )
    return {"data": [bar], "layout": layout}


def _decades(steps: Sequence[Step]) -> float:
    return math.log10(max([step.count for step in steps] + [10])) + 0.35


def _share(count: int, before: int | None) -> str:
    if before is None:
        return "in this release"
    if before == 0:
        return "nothing left"
    return "all kept" if count == before else f"{100 * count / before:.3g} % kept"
