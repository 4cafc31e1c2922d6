"""Predict yours: upload structures, see them, and get voltage, capacity and a verdict."""

from typing import Final

import streamlit as st

from app import state, theme
from app.components.md_form import start_form
from app.components.structure_viewer import structure_viewer
from app.components.text import interval, pretty_formula, quantity
from app.predictions import (
    EXAMPLE_ID,
    MAX_FILES,
    Result,
    fingerprint,
    predict_crystal,
    predict_upload,
    results_csv,
    results_frame,
    verdict,
)
from app.theme import safe
from core.ions import WORKING_IONS
from core.screening import Thresholds
from core.tasks import Job

_RESULTS: Final = "predict_results"
_EXAMPLE: Final = "predict_example"
THRESHOLDS: Final = Thresholds(sigma_ms_per_cm=None)

number = st.column_config.NumberColumn
_COLUMNS: Final = {
    "file": st.column_config.TextColumn("File", pinned=True),
    "formula": st.column_config.TextColumn("Formula"),
    "working_ion": st.column_config.TextColumn("Ion"),
    "voltage_v": number("Voltage (V)", format="%.2f"),
    "voltage_low_v": number("V low", format="%.2f", help="Lower end of the 90 % interval."),
    "voltage_high_v": number("V high", format="%.2f", help="Upper end of the 90 % interval."),
    "in_domain": st.column_config.CheckboxColumn("In domain"),
    "capacity_vol_ah_per_l": number("Capacity (Ah/L)", format="%.0f"),
    "capacity_grav_mah_per_g": number("Capacity (mAh/g)", format="%.0f"),
    "error": st.column_config.TextColumn("Refused because", width="large"),
}


def inputs() -> tuple[list, str]:
    """Draw the uploader and the choice of ion; return the files and the ion."""
    left, right = st.columns([2.2, 1], gap="large")
    with left:
        files = st.file_uploader(
            f"Structures: CIF, POSCAR or JSON, up to 2 MB each, up to {MAX_FILES} files",
            accept_multiple_files=True,
            key="predict_files",
            on_change=_forget_example,
            help="The discharged compound, with its working ion inside. Files are read in a closed-off process and "
            "are not kept.",
        )
    with right:
        ion = st.selectbox("Working ion", WORKING_IONS, index=WORKING_IONS.index("Mg"), key="predict_ion")
        st.button(
            "Try an example",
            icon=":material/science:",
            on_click=_take_example,
            help="The spinel MgMn₂O₄, as discharged.",
        )
    return files, ion


def _take_example() -> None:
    st.session_state[_EXAMPLE] = True


def _forget_example() -> None:
    st.session_state[_EXAMPLE] = False


def results_of(files: list, working_ion: str) -> list[Result]:
    """Return one result a file, in order; files seen before in this tab are not computed again."""
    known: dict[str, Result] = st.session_state.get(_RESULTS, {})
    kept: dict[str, Result] = {}
    bar = st.progress(0.0, text="Reading structures …") if len(files) > 1 else None
    for done, file in enumerate(files):
        data = file.getvalue()
        key = fingerprint(file.name, data, working_ion)
        if bar is not None:
            bar.progress(done / len(files), text=f"Reading {safe(file.name)} …")
        kept[key] = known.get(key) or predict_upload(file.name, data, working_ion)
    if bar is not None:
        bar.empty()
    st.session_state[_RESULTS] = kept
    return list(kept.values())


def show_one(result: Result) -> None:
    """Draw one structure with its figures and verdict, or why it was refused."""
    if result.crystal is None:
        st.error(f"**{safe(result.name)}** was refused. {safe(result.error)}", icon=":material/block:")
        return
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        structure_viewer(
            result.crystal, key="predict_viewer", height=440, working_ion=result.row["working_ion"]
        )
    _molecular_dynamics(result)
    with right:
        st.subheader(safe(pretty_formula(result.crystal.formula)), anchor=False)
        st.caption(
            f"{safe(result.name)} · {result.crystal.n_sites} sites · {result.row['working_ion']} leaves on charge"
        )
        if result.error is not None:
            st.error(f"No prediction. {safe(result.error)}", icon=":material/block:")
        else:
            _figures(result)


def _molecular_dynamics(result: Result) -> None:
    """Offer a simulation of the structure, whose progress and result stand on the Dynamics page."""
    crystal, ion = result.crystal, result.row["working_ion"]
    if crystal is None or not crystal.count(ion):
        return
    with st.expander("Molecular dynamics of this structure", icon=":material/animation:"):
        st.fragment(start_form)(crystal, ion, id=crystal.id, started=_watch)


def _watch(job: Job) -> None:
    st.switch_page(state.DYNAMICS_PAGE, query_params={"run": job.job_id})


def _figures(result: Result) -> None:
    row = result.row
    spread = interval(row["voltage_low_v"], row["voltage_high_v"], 2, "V")
    st.metric(
        f"Average voltage against {row['working_ion']}", quantity(row["voltage_v"], 2, "V"),
        delta=f"90 % interval {spread}", delta_color="off", delta_arrow="off",
    )  # fmt: skip
    volume, mass = st.columns(2)
    volume.metric("Volumetric capacity", quantity(row["capacity_vol_ah_per_l"], 0, "Ah/L"))
    mass.metric("Gravimetric capacity", quantity(row["capacity_grav_mah_per_g"], 0, "mAh/g"))
    passed, probability = verdict(result, THRESHOLDS)
    limits = f"{THRESHOLDS.voltage_v:g} V and {THRESHOLDS.capacity_vol_ah_per_l:g} Ah/L"
    words = f"above {limits}; probability {probability:.0%} with the predicted spread."
    if passed:
        st.success(f"**Passes**: {words}", icon=":material/check_circle:")
    else:
        st.info(f"**Does not pass**: not {words}", icon=":material/do_not_disturb_on:")
    if not row["in_domain"]:
        st.warning(
            "Out of domain: it does not resemble the labelled electrodes, so the interval may be too narrow.",
            icon=":material/warning:",
        )


def show_many(results: list[Result]) -> None:
    """Draw the results of several files as a table with its download, and one of them in full."""
    refused = sum(result.error is not None for result in results)
    head, download = st.columns([3, 1], vertical_alignment="center")
    head.markdown(f"**{len(results)} files**, {refused} refused" if refused else f"**{len(results)} files**")
    with download, st.container(horizontal_alignment="right"):
        st.download_button(
            "Download CSV", results_csv(results), "predictions.csv", "text/csv", icon=":material/download:",
            on_click="ignore",
        )  # fmt: skip
    st.dataframe(
        results_frame(results)[list(_COLUMNS)], hide_index=True, column_config=_COLUMNS, key="predict_table",
        placeholder="",
    )  # fmt: skip
    index = st.selectbox(
        "Show", range(len(results)), key="predict_shown", format_func=lambda position: results[position].name
    )
    show_one(results[index])


def page() -> None:
    """Draw the page."""
    theme.page_header(
        "Predict yours",
        "Voltage and capacity of your own compound, by the model that predicted all candidates.",
    )
    files, ion = inputs()
    if st.session_state.get(_EXAMPLE):
        show_one(predict_crystal(EXAMPLE_ID, state.reader().crystal(EXAMPLE_ID), ion))
        return
    if not files:
        st.info("Upload a structure, or try the example.", icon=":material/upload_file:")
        return
    if len(files) > MAX_FILES:
        st.warning(
            f"{len(files)} files were given; the first {MAX_FILES} are predicted. For more, use "
            "`python -m core predict FOLDER`.",
            icon=":material/filter_list:",
        )
    results = results_of(files[:MAX_FILES], ion)
    if len(results) == 1:
        show_one(results[0])
    else:
        show_many(results)


page()
