"""Predict yours: upload structures, see them, and get voltage, capacity and a verdict."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import state, theme
from app.components.barrier_section import barrier_section
from app.components.columns import column_config
from app.components.dft_section import dft_section
from app.components.ends_section import ends_section
from app.components.md_form import start_form
from app.components.structure_viewer import structure_viewer
from app.components.text import pretty_formula
from app.components.trouble import guarded
from app.components.uploads import FILES, clear, files_changed, how_it_was_predicted, results_of, uploads
from app.components.verdict_panel import verdict_panel
from app.components.voltage_curve import curve_section
from app.theme import safe
from app.visitor import visible
from core.ions import WORKING_IONS
from core.quantities import QUANTITIES
from core.service.calculations import Job, jobs_of
from core.service.charged_state import ChargedState, charged_state, known_facts
from core.service.predict import (
    MAX_UPLOADS,
    PredictedStructure,
    Upload,
    judged_structure,
    rows_csv,
)
from core.service.screen import ASKED

_EXAMPLE: Final = "predict_example"
_ION: Final = "predict_ion_kept"
EXAMPLE_ID: Final = "mp-32006"
"""MgMn2O4, the spinel that the magnesium literature knows best: 14 sites."""

_TABLE: Final = (
    "file", "formula", "working_ion", "verdict", "voltage_v", "voltage_low_v", "voltage_high_v", "in_domain",
    "domain_reason", "relaxed_by", "release_id", "capacity_redox_vol_ah_per_l", "capacity_vol_ah_per_l",
    "capacity_grav_mah_per_g", "reasons_against", "unknown", "error",
)  # fmt: skip


def inputs() -> tuple[list[UploadedFile], str]:
    """Draw the uploader and the choice of ion; return the files and the ion."""
    left, right = st.columns([2.2, 1], gap="large")
    with left:
        files = st.file_uploader(
            f"Structures: CIF, POSCAR or JSON, up to 2 MB each, up to {MAX_UPLOADS} files",
            accept_multiple_files=True,
            key=FILES,
            on_change=_files_changed,
            help="The discharged compound, with its working ion inside. Files are read in a closed-off process.",
        )
    with right:
        st.session_state.setdefault("predict_ion", st.session_state.get(_ION, "Mg"))
        ion = st.selectbox("Working ion", WORKING_IONS, key="predict_ion")
        st.session_state[_ION] = ion
        st.button(
            "Try an example",
            icon=":material/science:",
            on_click=_take_example,
            help="The spinel MgMn₂O₄, as discharged.",
        )
    return files, ion


def _take_example() -> None:
    st.session_state[_EXAMPLE] = True


def _files_changed() -> None:
    st.session_state[_EXAMPLE] = False
    files_changed()


def _clear() -> None:
    st.session_state[_EXAMPLE] = False
    clear()


def show_one(key: str, result: PredictedStructure) -> None:
    """Draw one structure with its figures and verdict, or why it was refused."""
    if result.crystal is None:
        st.error(f"**{safe(result.name)}** was refused. {safe(result.error)}", icon=":material/block:")
        return
    jobs = visible(jobs_of(result.crystal))
    charged = charged_state(state.reader(), result.crystal, result.row.working_ion, jobs)
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        structure_viewer(result.crystal, key="predict_viewer", height=440, working_ion=result.row.working_ion)
    with right:
        st.subheader(safe(pretty_formula(result.crystal.formula)), anchor=False)
        st.caption(
            f"{safe(result.name)} · {result.crystal.n_sites} sites · {result.row.working_ion} leaves on charge"
        )
        how_it_was_predicted(key, result)
        if result.error is not None:
            st.error(f"No prediction. {safe(result.error)}", icon=":material/block:")
        else:
            _figures(result, _facts(result) | known_facts(state.reader(), result.crystal, charged, jobs))
    _calculations(result, jobs, charged)


def _facts(result: PredictedStructure) -> dict[str, Any]:
    """What the release knows of a crystal that it holds."""
    row = result.row
    if row.release_id is None:
        return {}
    told_now = {"in_domain": row.in_domain, "domain_reason": row.domain_reason}
    return state.reader().candidate(row.release_id) | told_now


def _calculations(result: PredictedStructure, jobs: Sequence[Job], charged: ChargedState | None) -> None:
    """Offer what the Candidate page offers for a compound of one's own: relaxed ends, curve, DFT, dynamics."""
    crystal, ion = result.crystal, result.row.working_ion
    if crystal is None or not crystal.count(ion) or crystal.count(ion) == crystal.n_sites:
        return
    reader = state.reader()
    guarded(ends_section)(reader, crystal, ion, jobs, charged)
    guarded(curve_section)(reader, result.row.as_dict(), crystal, jobs)
    guarded(dft_section)(reader, crystal, ion, jobs)
    guarded(barrier_section)(reader, crystal, ion, jobs)
    _molecular_dynamics(result)


def _molecular_dynamics(result: PredictedStructure) -> None:
    """Offer a simulation of the structure, whose progress and result stand on the Dynamics page."""
    crystal, ion = result.crystal, result.row.working_ion
    if crystal is None or not crystal.count(ion):
        return
    with st.expander("Molecular dynamics of this structure", icon=":material/animation:"):
        st.fragment(start_form)(crystal, ion, id=crystal.id, started=_watch)


def _watch(job: Job) -> None:
    st.switch_page(state.DYNAMICS_PAGE, query_params={"run": job.job_id})


def _figures(result: PredictedStructure, known: Mapping[str, Any]) -> None:
    row, voltage = result.row, QUANTITIES["voltage_v"]
    st.metric(
        f"Average voltage against {row.working_ion}", voltage.text(row.voltage_v),
        delta=f"90 % interval {voltage.between(row.voltage_low_v, row.voltage_high_v)}", delta_color="off",
        delta_arrow="off",
    )  # fmt: skip
    for column, basis in zip(st.columns(2), ("vol_ah_per_l", "grav_mah_per_g"), strict=True):
        whole, redox = QUANTITIES[f"capacity_{basis}"], QUANTITIES[f"capacity_redox_{basis}"]
        column.metric(
            whole.label, whole.text(getattr(row, f"capacity_{basis}")),
            delta=f"redox-limited {redox.text(getattr(row, f'capacity_redox_{basis}'))}", delta_color="off",
            delta_arrow="off",
        )  # fmt: skip
    st.caption(f"Predicted by {safe(row.model or 'no model')}.")
    verdict_panel(judged_structure(result, known=known))
    if row.p_all is not None:
        st.caption(
            f"Probability {safe(QUANTITIES['p_all'].text(row.p_all))} to lie above {ASKED.voltage_v:g} V and "
            f"{ASKED.capacity_vol_ah_per_l:g} Ah/L of redox-limited capacity, with the predicted spread."
        )


def show_many(found: dict[str, PredictedStructure]) -> None:
    """Draw the results of several files as a table with its download, and one of them in full."""
    keys, results = list(found), list(found.values())
    refused = sum(result.error is not None for result in results)
    head, download = st.columns([3, 1], vertical_alignment="center")
    head.markdown(f"**{len(results)} files**, {refused} refused" if refused else f"**{len(results)} files**")
    with download, st.container(horizontal_alignment="right"):
        st.download_button(
            "Download CSV", rows_csv(it.row for it in results).encode(), "predictions.csv", "text/csv",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
    table = pd.DataFrame([{"file": it.name} | it.row.as_dict() for it in results], columns=list(_TABLE))
    st.dataframe(
        table, hide_index=True, column_config=column_config(_TABLE, pinned=("file",)), key="predict_table",
        placeholder="",
    )  # fmt: skip
    index = st.selectbox(
        "Show", range(len(results)), key="predict_shown", format_func=lambda position: results[position].name
    )
    show_one(keys[index], results[index])


def page() -> None:
    """Draw the page."""
    theme.page_header(
        "Predict yours",
        "Voltage and capacity of your own compound, by the most accurate voltage model.",
    )
    files, ion = inputs()
    if len(files) > MAX_UPLOADS:
        st.warning(
            f"{len(files)} files were given; the first {MAX_UPLOADS} are predicted. For more, use "
            "`python -m core predict FOLDER`.",
            icon=":material/filter_list:",
        )
    given = uploads(files[:MAX_UPLOADS])
    if st.session_state.get(_EXAMPLE):
        given = {EXAMPLE_ID: Upload(name=EXAMPLE_ID, crystal=state.reader().crystal(EXAMPLE_ID))}
    if not given:
        st.info("Upload a structure, or try the example.", icon=":material/upload_file:")
        return
    found = results_of(given, ion)
    _kept(bool(files))
    if len(found) == 1:
        show_one(*next(iter(found.items())))
    else:
        show_many(found)


def _kept(files_are_there: bool) -> None:
    """Say what is kept and for how long, with a button to clear it."""
    words, button = st.columns([4, 1], vertical_alignment="center")
    words.caption(
        "Structures and results are kept while this browser tab is open, also when you go to another page; a reload "
        "forgets them. A calculation that you start keeps its crystal in its folder."
    )
    if not files_are_there:
        button.button("Clear", icon=":material/delete_sweep:", on_click=_clear)


page()
