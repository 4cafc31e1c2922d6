"""Accuracy: how far the voltage model is off on electrodes that it did not see, beside the paper and other models."""

from typing import Final

import pandas as pd
import streamlit as st

from app import state, theme
from app.components import accuracy_figures as figures
from app.components import accuracy_tables as tables
from app.components.first_principles import first_principles_section
from app.components.landmarks import measured_section
from app.components.trouble import guarded
from app.theme import safe
from core.errors import ExplorerError
from core.service import accuracy
from core.service.accuracy import ErrorRow, VoltageCard
from core.service.explain import can_explain
from core.settings import Settings

_PLOT_CONFIG: Final = {"displaylogo": False, "displayModeBar": False, "scrollZoom": True}
_STILL: Final = {"displaylogo": False, "displayModeBar": False}
_PARITY: Final = "parity_plot"
_CHOICE: Final = "held_out"
_N_WORST: Final = 20


@st.cache_data(show_spinner=False, max_entries=4)
def _out_of_fold(name: str, _folder: str, _sha256: str) -> pd.DataFrame:
    return accuracy.read_out_of_fold(name)


def _table_of(card: VoltageCard) -> pd.DataFrame:
    return _out_of_fold(card.name, str(Settings.from_environment().precomputed), card.sha256)


@st.cache_data(show_spinner=False, max_entries=4)
def _candidate_ids(version: str) -> frozenset[str]:
    return frozenset(state.reader().screen(columns=("id",))["id"])


def key_figures(frame: pd.DataFrame, card: VoltageCard, partition: str) -> None:
    """Draw the figures that matter most for the chosen partition, magnesium first."""
    own = accuracy.baseline_of_card(card)
    names = {"Mg": "MAE, magnesium", "seven-ion mean": "MAE, seven ions", "all": "MAE, all ten"}
    found = {label: own.row(partition, name) for name, label in names.items()}
    tiles = [(label, f"{row.mae_v:.3f} V", _beside(row)) for label, row in found.items() if row is not None]
    magnesium = frame[frame["working_ion"] == "Mg"]
    if not magnesium.empty:
        covered = accuracy.coverage(magnesium)
        between = f"95 %: {covered.low:.1%} to {covered.high:.1%}"
        tiles.append(("90 % intervals hold, Mg", f"{covered.value:.1%}", between))
        outside = f"{1 - magnesium['in_domain'].mean():.1%}"
        tiles.append(("Out of domain, Mg", outside, f"of {len(magnesium):,} electrodes"))
    with st.container(horizontal=True, gap="small", key="tiles"):
        for label, value, beside in tiles:
            st.metric(label, value, beside, delta_color="off", delta_arrow="off", border=True)


def _beside(row: ErrorRow) -> str:
    if row.paper_v is None:
        return f"ion's mean {row.mean_baseline_v:.2f} V"
    return f"n {row.n:,}, paper {row.paper_v:.2f} V"


def errors_section(frame: pd.DataFrame, card: VoltageCard, partition: str) -> None:
    """Draw parity and errors by ion side by side, and the table behind them."""
    errors = accuracy.baseline_of_card(card).errors
    left, right = st.container(key="stacking-errors").columns(2, gap="large")
    with left:
        st.subheader(
            f"Predicted against calculated, {figures.PARTITION_NAMES[partition].lower()}", anchor=False
        )
        st.caption(
            "Click an ion to hide it, double-click to see it alone. Hollow points are out of domain. "
            + _beyond(frame)
        )
        event = st.plotly_chart(
            figures.parity_figure(frame, theme.palette()), config=_PLOT_CONFIG, key=_PARITY, on_select="rerun",
            selection_mode="points", alt="Predicted against calculated voltage of every labelled electrode",
        )  # fmt: skip
        _selected(event, frame)
    with right:
        st.subheader("By ion, beside the paper", anchor=False)
        st.caption(
            "95 % bootstrap intervals; number of electrodes under each ion. The paper's data and split are its own."
        )
        st.plotly_chart(
            figures.ion_figure(errors, theme.palette()), config=_STILL, key="ion_plot",
            alt="Mean absolute error by working ion, both partitions, beside the paper",
        )  # fmt: skip
    with st.expander("The numbers by ion"):
        tables.ion_table(errors)


def _beyond(frame: pd.DataFrame) -> str:
    low, high = figures.PARITY_RANGE_V
    inside = frame["voltage_v"].between(low, high) & frame["predicted_v"].between(low, high)
    outside = int((~inside).sum())
    return f"{outside} lie beyond the axes: drag, or zoom out." if outside else ""


def _selected(event: object, frame: pd.DataFrame) -> None:
    """Name the electrode of the clicked point, with its link."""
    points = event["selection"]["points"] if isinstance(event, dict) else []
    custom = points[0].get("customdata") if points else None
    chosen = frame[frame["battery_id"] == custom[0]] if custom else frame[:0]
    if chosen.empty:
        st.caption("Click a point to name its electrode here.")
        return
    tables.worst_table(chosen[:1], _candidate_ids(state.reader().release.version))


def baselines_section(card: VoltageCard) -> None:
    """Draw the comparison of descriptor families on the same folds."""
    st.subheader("Other models on the same folds", anchor=False)
    st.caption(
        "Every model is trained on nine folds and judged on the tenth, in both partitions: at random within each "
        "ion, and with every host formula in one fold only."
    )
    ranked = accuracy.ranked(accuracy.baseline_of_card(card), accuracy.other_models(card))
    left, right = st.container(key="stacking-baselines").columns([1, 1.25], gap="large")
    left.plotly_chart(
        figures.baselines_figure(ranked, card.name, theme.palette()), config=_STILL, key="baselines_plot",
        alt="Mean absolute error of each model in both partitions",
    )  # fmt: skip
    with right:
        tables.baselines_table(ranked)
    commands = dict.fromkeys(it.command for it in ranked if it.command)
    with st.expander("Commands that make these numbers"):
        st.code("\n".join(commands), language="sh")


def calibration_section(table: pd.DataFrame, card: VoltageCard) -> None:
    """Draw whether intervals hold: at every level, and at every width."""
    st.subheader("Can the intervals be trusted?", anchor=False)
    parts = dict(_parts(table))
    left, right = st.container(key="stacking-calibration").columns(2, gap="large")
    reliability = {
        name: [(level, accuracy.coverage(rows, level)) for level in accuracy.LEVELS]
        for name, rows in parts.items()
    }
    left.plotly_chart(
        figures.reliability_figure(reliability, theme.palette()), config=_STILL, key="reliability_plot",
        alt="Observed against nominal coverage of the intervals",
    )  # fmt: skip
    left.caption(
        "Above the line intervals are wider than need be. They are made to hold at 90 %; other levels scale them as a "
        "normal distribution would, while the errors have a narrower peak and longer tails."
    )
    right.plotly_chart(
        figures.spread_figure({name: accuracy.spread_bins(rows) for name, rows in parts.items()}, theme.palette()),
        config=_STILL, key="spread_plot", alt="Errors against the stated width of the intervals",
    )  # fmt: skip
    sharpness = ", ".join(
        f"{figures.PARTITION_NAMES[name].lower()} {rows['std_v'].mean():.2f} V"
        for name, rows in parts.items()
    )
    checked = card.evaluation.cross_checked_coverage
    held = (
        f" Halves that the calibration did not see: {checked:.1%} of the 90 % intervals hold."
        if checked
        else ""
    )
    right.caption(
        f"Rows in eight parts of like stated spread. Sharpness, the mean standard deviation: {sharpness}.{held}"
    )


def _parts(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    present = [(name, table[table["partition"] == name]) for name in accuracy.PARTITIONS]
    return [(name, rows) for name, rows in present if not rows.empty]


def domain_section(table: pd.DataFrame) -> None:
    """Draw errors inside and outside the domain."""
    st.subheader("In and out of domain", anchor=False)
    st.caption(
        "A structure is out of domain when one of its elements hardly occurs among the labelled electrodes, or when "
        "its predicted spread is among the widest."
    )
    rows = [
        (name, side, accuracy.mean_absolute_error(chosen), accuracy.coverage(chosen))
        for name, part in _parts(table)
        for side, chosen in (
            ("in domain", part[part["in_domain"]]),
            ("out of domain", part[~part["in_domain"]]),
        )
        if not chosen.empty
    ]
    tables.domain_table(rows)


def worst_section(frame: pd.DataFrame, partition: str) -> None:
    """Draw the worst predictions with links to their structures."""
    st.subheader(f"Where it is wrong most, {figures.PARTITION_NAMES[partition].lower()}", anchor=False)
    worst = accuracy.worst_cases(frame, _N_WORST)
    suspect = int((worst["voltage_check"] != "ok").sum())
    usual = float((frame["voltage_check"] != "ok").mean())
    st.caption(
        f"The {len(worst)} largest errors. Of their labels {suspect} could not be confirmed from the energies of both "
        f"ends ({suspect / len(worst):.0%}; over all electrodes {usual:.0%}): some of these errors may be the label's."
    )
    tables.worst_table(worst, _candidate_ids(state.reader().release.version))


def choose_partition() -> str:
    """Let the reader choose which held-out rows to look at; the link keeps the choice."""
    names = list(figures.PARTITION_NAMES)
    if _CHOICE not in st.session_state or state.went_back_or_forward():
        asked = state.browser_query().get(_CHOICE)
        st.session_state[_CHOICE] = asked if asked in names else names[0]
    chosen = st.segmented_control(
        "Electrodes held out", names, required=True, key=_CHOICE, format_func=figures.PARTITION_NAMES.__getitem__,
        help="At random, a host may have been trained on with another ion or filling. Unseen hosts: no host formula of "
        "the held-out electrodes was trained on, the honest test for a new compound.",
    )  # fmt: skip
    state.set_browser_query({} if chosen in (None, names[0]) else {_CHOICE: chosen})
    return chosen or names[0]


def page() -> None:
    """Draw the page."""
    card = accuracy.shipped_card()
    theme.page_header(
        "Accuracy",
        f"How far the shipped model, {safe(card.name)}, is off on {card.n_labelled:,} labelled "
        "electrodes, each predicted by members that did not learn from it.",
    )
    try:
        table = _table_of(card)
    except ExplorerError as error:
        st.warning(safe(error), icon=":material/table_rows:")
    else:
        partition = choose_partition()
        frame = table[table["partition"] == partition]
        key_figures(frame, card, partition)
        if can_explain():
            _pretraining_note()
        errors_section(frame, card, partition)
        guarded(measured_section)(state.reader(), table)
        guarded(first_principles_section)(state.reader(), table)
        guarded(baselines_section)(card)
        calibration_section(table, card)
        domain_section(table)
        worst_section(frame, partition)
        return
    guarded(measured_section)(state.reader(), None)
    guarded(first_principles_section)(state.reader(), None)
    guarded(baselines_section)(card)


def _pretraining_note() -> None:
    st.info(
        "**What these numbers do not say.** The two potentials under this model, SevenNet-0 and CHGNet, were trained "
        "on relaxations of the Materials Project, where the labelled electrodes come from. The voltage labels were "
        "held out; the energies of these very structures were not new to the potentials. For compositions that the "
        "Materials Project never held, errors may be larger than on unseen hosts here.",
        icon=":material/school:",
    )


page()
