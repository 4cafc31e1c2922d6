"""Final list: cathodes whose ions get through, as a map, a table and a CSV (the paper's last step)."""

import json
from typing import Final

import streamlit as st

from app import state, theme
from app.components.columns import column_config
from app.components.final_figure import final_figure
from app.components.funnel import Step, funnel_strip
from app.theme import safe
from core.service.final_list import LIMITS, FinalList, final_csv, final_list, side_car
from core.service.release import Filters

PAPER_FINAL: Final = 23
"""Chen et al. (2024): of 160 that pass voltage and capacity, those with more than 100 mS/cm at 1200 K."""

_COLUMNS: Final = (
    "label", "is_final", "mobility", "verdict", "voltage_v", "voltage_low_v", "voltage_high_v",
    "capacity_redox_vol_ah_per_l", "capacity_vol_ah_per_l", "barrier_ev", "barrier_std_ev", "sigma_ms_per_cm",
    "sigma_low_ms_per_cm", "sigma_high_ms_per_cm", "sigma_verdict", "dft_voltage_v", "id",
)  # fmt: skip
_TABLE: Final = "final_table"
_PLOT_CONFIG: Final = {"displaylogo": False, "displayModeBar": False}


def funnel(found: FinalList) -> None:
    """Draw the way from all candidates to the final list."""
    funnel_strip(
        [
            Step(label="All candidates", count=found.n_candidates),
            Step(label="Voltage, capacity", count=found.n_passing),
            Step(label="Tested", count=found.n_tested),
            Step(label="Ions get through", count=found.n_fast),
            Step(label="Final list", count=len(found.final)),
        ]
    )
    st.caption(
        f"Above {LIMITS.voltage_v:g} V and {LIMITS.capacity_vol_ah_per_l:g} Ah/L that the redox metals pay for; "
        f"ions get through where the migration barrier lies below {LIMITS.barrier_ev:g} eV by more than its error, or "
        f"the whole 90 % interval from molecular dynamics at 1200 K above {LIMITS.sigma_ms_per_cm:g} mS/cm, and "
        "neither says the opposite; on the list, nothing else is known against it. What was not tested is not on it. "
        f"The paper has {PAPER_FINAL} of 160, by dynamics alone and by the capacity of all magnesium."
    )


def table(found: FinalList) -> None:
    """Draw all that pass voltage and capacity, and the download of exactly these rows."""
    release = state.reader().release
    head, download = st.columns([3, 1], vertical_alignment="center")
    n_formulas = found.final["formula"].nunique()
    head.markdown(
        f"**{len(found.final):,} on the final list**, {n_formulas:,} formulas, of {len(found.rows):,} below"
    )
    with download, st.container(horizontal=True, horizontal_alignment="right"):
        st.download_button(
            "Download CSV", data=lambda: final_csv(found).encode(), mime="text/csv", on_click="ignore",
            file_name=f"mg-cathodes-final-{release.version}.csv", icon=":material/download:",
        )  # fmt: skip
        st.download_button(
            "Side-car", data=lambda: json.dumps(side_car(found, release), indent=2).encode(), on_click="ignore",
            file_name=f"mg-cathodes-final-{release.version}.csv.json", mime="application/json",
            help="Limits, counts, release and the hashes of model and data.",
        )  # fmt: skip
    shown = found.rows.assign(
        verdict=found.rows["verdict"].astype(str), mobility=found.rows["mobility"].astype(str)
    )
    st.dataframe(
        shown[list(_COLUMNS)], column_config=column_config(_COLUMNS, pinned=("label",)), hide_index=True, key=_TABLE,
        on_select="rerun", selection_mode="single-row", placeholder="–", height="auto",
    )  # fmt: skip
    rows = st.session_state[_TABLE]["selection"]["rows"]
    if rows and rows[0] < len(shown):
        chosen = shown.iloc[rows[0]]
        st.page_link(
            state.CANDIDATE_PAGE, label=f"Open {safe(chosen['label'])}", icon=":material/open_in_new:",
            query_params={"id": chosen["id"]},
        )  # fmt: skip


def page() -> None:
    """Draw the page."""
    theme.page_header(
        "Final list",
        "Which of the cathodes let magnesium through, as far as barriers and molecular dynamics tell.",
    )
    found = final_list(state.candidates(Filters()))
    funnel(found)
    if found.rows.empty:
        st.info("No candidate of this release passes voltage and capacity.", icon=":material/filter_alt_off:")
        return
    st.plotly_chart(
        final_figure(found.rows, theme.palette()), config=_PLOT_CONFIG, key="final_plot",
        alt="Predicted voltage against redox-limited capacity, coloured by whether ions get through",
    )  # fmt: skip
    table(found)


page()
