"""What a visitor gave to predict and what came of it, kept as long as the browser's session lasts."""

import hashlib
from collections.abc import Sequence
from typing import Final, Literal

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import state
from app.theme import safe
from core.quantities import QUANTITIES
from core.records import Crystal
from core.service.known import predict_known
from core.service.predict import (
    MAX_UPLOADS,
    PredictedStructure,
    Step,
    Upload,
    predict_crystal,
    predict_relaxed,
    read_upload,
    refused,
)

FILES: Final = "predict_files"
"""Key of the uploader."""

_GIVEN: Final = "predict_given"
_EARLIER: Final = "predict_earlier"
_HOW: Final = "predict_how"
_RESULTS: Final = "predict_results"

How = Literal["", "anew", "relaxed"]
"""How one is predicted: from the release where it is there, anew as it was given, or relaxed first."""


def files_changed() -> None:
    """Forget what was taken out of the uploader by hand; what leaving the page takes out is kept."""
    if not st.session_state[FILES]:
        st.session_state.pop(_GIVEN, None)


def clear() -> None:
    """Forget all files and results."""
    for name in (_GIVEN, _EARLIER, _HOW, _RESULTS):
        st.session_state.pop(name, None)


def uploads(files: Sequence[UploadedFile]) -> dict[str, Upload]:
    """Return what the files hold by fingerprint, after what was given before one left the page, the last twenty."""
    earlier: dict[str, Upload] = st.session_state.get(_EARLIER, {})
    before: dict[str, Upload] = st.session_state.get(_GIVEN, {})
    if not files:
        earlier = earlier | before
    given = {key: before.get(key) or read_upload(name, data) for key, name, data in map(_named, files)}
    st.session_state[_EARLIER], st.session_state[_GIVEN] = earlier, given
    return dict(list({**earlier, **given}.items())[-MAX_UPLOADS:])


def _named(file: UploadedFile) -> tuple[str, str, bytes]:
    data = file.getvalue()
    return hashlib.sha256(file.name.encode() + b"\0" + data).hexdigest(), file.name, data


def _how(key: str) -> How:
    chosen: dict[str, How] = st.session_state.get(_HOW, {})
    return chosen.get(key, "")


def choose(key: str, how: How) -> None:
    """Have one predicted in another way from now on."""
    st.session_state[_HOW] = st.session_state.get(_HOW, {}) | {key: how}


def results_of(given: dict[str, Upload], working_ion: str) -> dict[str, PredictedStructure]:
    """Return one result an upload by its key, in order; what this session has predicted is not computed again."""
    known: dict[tuple[str, str, str], PredictedStructure] = st.session_state.get(_RESULTS, {})
    bar = st.progress(0.0, text="Predicting …") if given else None
    kept: dict[tuple[str, str, str], PredictedStructure] = {}
    for done, (key, upload) in enumerate(given.items()):
        if bar is not None:
            bar.progress(done / len(given), text=f"Predicting {safe(upload.name)} …")
        how = _how(key)
        kept[key, working_ion, how] = known.get((key, working_ion, how)) or predicted(
            upload, working_ion, how
        )
    if bar is not None:
        bar.empty()
    st.session_state[_RESULTS] = {it: known[it] for it in known if it[0] in given} | kept
    return {key: result for (key, _, _), result in kept.items()}


def predicted(upload: Upload, working_ion: str, how: How) -> PredictedStructure:
    """Return the result of one upload."""
    if upload.crystal is None:
        return refused(upload, working_ion)
    if how == "relaxed":
        return _relaxed(upload.name, upload.crystal, working_ion)
    found = None if how else predict_known(upload.name, upload.crystal, working_ion, state.reader())
    return found or predict_crystal(upload.name, upload.crystal, working_ion, state.voltage_model())


def _relaxed(name: str, crystal: Crystal, working_ion: str) -> PredictedStructure:
    force, share = QUANTITIES["start_force_ev_per_a"], QUANTITIES["relaxed_volume_change"]
    place = st.empty()
    with place.status(f"Relaxing {safe(name)} …", expanded=True):
        line = st.empty()

        def say(step: Step) -> None:
            line.markdown(
                f"Step {step.number}, largest force {force.text(step.force_max_ev_per_a)}, "
                f"volume {share.text(step.volume_ratio - 1.0)}"
            )

        found = predict_relaxed(name, crystal, working_ion, state.voltage_model(), on_step=say)
    place.empty()
    return found


def how_it_was_predicted(key: str, result: PredictedStructure) -> None:
    """Say where a result comes from, how far to trust it, how the crystal was as given, and offer the other ways."""
    row = result.row
    if row.in_domain is False and not (row.is_strained and row.relaxed_by is None):
        reason = f": {safe(row.domain_reason)}" if row.domain_reason else ""
        st.warning(f"Out of domain{reason}. The interval may be too narrow.", icon=":material/warning:")
    if row.release_id is not None:
        st.info(f"The release holds this crystal: this is its prediction of {safe(row.release_id)}.",
                icon=":material/inventory_2:")  # fmt: skip
        left, right = st.columns(2)
        left.page_link(
            state.CANDIDATE_PAGE, label="Open its Candidate page", icon=":material/open_in_new:",
            query_params={"id": row.release_id},
        )  # fmt: skip
        right.button("Predict anew", key=f"anew-{key}", on_click=choose, args=(key, "anew"))
    elif _how(key) == "relaxed":
        if row.relaxed_by is not None:
            change = QUANTITIES["relaxed_volume_change"].text(row.relaxed_volume_change)
            st.info(f"Relaxed first by {safe(row.relaxed_by)}: volume {change}. {_as_given(result)}",
                    icon=":material/compress:")  # fmt: skip
        st.button("Predict as uploaded", key=f"given-{key}", on_click=choose, args=(key, "anew"))
    elif row.start_force_ev_per_a is not None:
        _offer_to_relax(key, result)


def _offer_to_relax(key: str, result: PredictedStructure) -> None:
    strained = result.row.is_strained
    if strained:
        st.warning(
            f"Out of domain: {safe(result.row.domain_reason)}. A voltage is that of a crystal at rest: relax it first.",
            icon=":material/compress:",
        )
    else:
        st.caption(_as_given(result))
    st.button(
        "Relax first, then predict", key=f"relax-{key}", on_click=choose, args=(key, "relaxed"),
        type="primary" if strained else "secondary",
        help="Cell and ions of the discharged crystal, under the potential: seconds to minutes.",
    )  # fmt: skip


def _as_given(result: PredictedStructure) -> str:
    force, pressure = QUANTITIES["start_force_ev_per_a"], QUANTITIES["start_pressure_gpa"]
    return (
        f"As uploaded it is under {pressure.text(result.row.start_pressure_gpa)}, forces up to "
        f"{force.text(result.row.start_force_ev_per_a)}."
    )
