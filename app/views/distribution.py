"""Distribution: predicted voltages by source (paper Fig. 4a, b), and the screening in numbers beside the paper's."""

from dataclasses import replace
from typing import Final

import pandas as pd
import streamlit as st

from app import state, theme
from app.components.columns import column_config
from app.components.funnel import Step, funnel_figure
from app.components.histogram import histogram_figure
from app.components.tables import draw_table
from core.service.release import Filters
from core.service.screen import Funnel, Thresholds, funnel

PAPER_COUNTS: Final = {"all": 15_308, "capacity": 160, "conductivity": 23}
"""Chen et al. (2024): all Mg compounds, those with enough voltage and capacity, and those that also conduct."""

_PLOT_CONFIG: Final = {"displaylogo": False, "displayModeBar": False}


def is_gnome(source: str) -> bool:
    """Return whether a source is GNoME; all others are Materials Project sets or derived from it."""
    return source.startswith("GNoME")


def histograms(thresholds: Thresholds) -> None:
    """Draw one histogram for the Materials Project sets and one for GNoME, on the same voltage axis."""
    bin_width_v = st.segmented_control(
        "Bin width (V)",
        [0.1, 0.25, 0.5],
        default=0.25,
        required=True,
        key="bin_width_v",
        format_func=lambda w: f"{w:g}",
    )
    bins = state.reader().voltage_histogram(bin_width_v)
    if bins.empty:
        st.info("This release holds no predicted voltage yet.", icon=":material/bar_chart:")
        return
    span = (float(bins["voltage_bin_v"].min()), float(bins["voltage_bin_v"].max()) + bin_width_v)
    gnome = bins["source"].map(is_gnome).astype(bool)
    columns = st.columns(2, gap="large")
    for column, title, part in zip(
        columns, ("Materials Project sets (MP)", "GNoME"), (bins[~gnome], bins[gnome]), strict=True
    ):
        with column:
            _histogram(title, part, bin_width_v, span, thresholds.voltage_v)


def _histogram(
    title: str, bins: pd.DataFrame, bin_width_v: float, span: tuple[float, float], threshold_v: float
) -> None:
    above = int(bins.loc[bins["voltage_bin_v"] >= threshold_v - 1e-9, "n"].sum())
    st.subheader(title, anchor=False)
    st.caption(
        f"{int(bins['n'].sum()):,} compounds, {above:,} of them predicted at {threshold_v:g} V or more."
    )
    if bins.empty:
        st.info("No compound of this source in the release.")
        return
    figure = histogram_figure(
        bins, bin_width_v=bin_width_v, threshold_v=threshold_v, range_v=span, colours=theme.palette()
    )
    st.plotly_chart(figure, config=_PLOT_CONFIG, key=f"histogram_{title}", alt=f"Predicted voltages, {title}")


FunnelRow = tuple[str, int | None, int | None, int | None]


def funnel_rows(cathodes: Funnel, paper: Funnel, thresholds: Thresholds) -> list[FunnelRow]:
    """Return (step, cathodes, by the paper's definition, the paper's own) down the funnel; None where none exists."""
    return [
        ("Mg compounds screened", cathodes.all, paper.all, PAPER_COUNTS["all"]),
        (f"Voltage above {thresholds.voltage_v:g} V", cathodes.voltage, paper.voltage, None),
        (
            f"and capacity above {thresholds.capacity_vol_ah_per_l:g} Ah/L",
            cathodes.capacity,
            paper.capacity,
            PAPER_COUNTS["capacity"],
        ),
        ("of these, with a computed conductivity", _tested(cathodes), _tested(paper), None),
        (
            f"and conductivity surely above {thresholds.sigma_ms_per_cm:g} mS/cm at 1200 K",
            _passed(cathodes),
            _passed(paper),
            PAPER_COUNTS["conductivity"],
        ),
    ]


def _tested(counts: Funnel) -> int | None:
    return counts.conductivity.tested if counts.conductivity else None


def _passed(counts: Funnel) -> int | None:
    return counts.conductivity.passed if counts.conductivity and counts.conductivity.tested else None


def funnel_section(thresholds: Thresholds) -> None:
    """Draw the screening in numbers, as a table and as bars."""
    st.subheader("The funnel in numbers", anchor=False)
    st.caption(
        "The paper's thresholds on both sets. Its 15,308 compounds and ours differ: GNoME is represented here by the "
        "Mg structures of Energy-GNoME, and the Materials Project part by public snapshots. The paper's definition "
        "counts the capacity of all magnesium; for cathodes only what the redox metals can pay for counts. A dash: not "
        "computed, or not stated in the paper."
    )
    frame = state.candidates(Filters())
    paper = replace(thresholds, definition="paper")
    cathodes = funnel(frame, thresholds)
    rows = funnel_rows(cathodes, funnel(frame, paper), thresholds)
    left, right = st.columns([1.15, 1], gap="large")
    with left:
        draw_table(
            ["Step", "Cathodes", "Paper's definition", "The paper"],
            [[step, *(_count(n) for n in counts)] for step, *counts in rows],
        )
        asked = replace(thresholds, sigma_ms_per_cm=None)
        st.caption(
            f"Of the {cathodes.capacity:,} with voltage and redox-limited capacity, nothing is known against "
            f"{funnel(frame, asked).verdict:,}: they are the Screen page's default view."
        )
    names = (
        "all",
        f"> {thresholds.voltage_v:g} V",
        f"> {thresholds.capacity_vol_ah_per_l:g} Ah/L",
        "known",
        "conducts",
    )
    steps = [Step(label=name, count=ours or 0) for name, (_, ours, *_) in zip(names, rows, strict=True)]
    right.plotly_chart(
        funnel_figure(steps if steps[-2].count else steps[:3], theme.palette()),
        config=_PLOT_CONFIG,
        key="funnel_bars",
        alt="How many compounds each threshold keeps, as cathodes",
    )


def _count(n: int | None) -> str:
    return "–" if n is None else f"{n:,}"


def skipped_section() -> None:
    """List why inputs were left out of the release."""
    st.subheader("Left out, and why", anchor=False)
    reasons = state.reader().skipped_reasons()
    if reasons.empty:
        st.caption("Nothing was left out of this release.")
        return
    st.caption(f"{int(reasons['n'].sum()):,} inputs are not among the candidates.")
    st.dataframe(
        reasons.rename(columns={"n": "n_inputs"}),
        hide_index=True,
        column_config=column_config(("reason", "n_inputs")),
    )


def page() -> None:
    """Draw the page."""
    thresholds = Thresholds()
    release = state.reader().release
    theme.page_header(
        "Distribution",
        f"Predicted average voltages of {release.counts['candidates']:,} magnesium compounds, and what the thresholds "
        "keep of them. A compound without a prediction is in the counts, not in the histograms.",
    )
    histograms(thresholds)
    funnel_section(thresholds)
    skipped_section()


page()
