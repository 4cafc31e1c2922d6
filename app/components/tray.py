"""The shortlist: candidates put aside, with notes, to compare and to take along. The address keeps who is on it."""

from typing import Final

import pandas as pd
import streamlit as st

from app import state
from app.components import controls, downloads
from app.components.columns import column_config
from app.components.compare import MAX_COMPARED, compare_param
from app.components.shortlist_table import as_shown
from app.screening_view import View
from app.theme import safe
from core.errors import RecordError
from core.service.release import Filters
from core.service.screen import Screening, screen
from core.service.shortlist_file import MAX_BYTES, MAX_NOTE, read_shortlist, shortlist_json

_NOTES: Final = "shortlist_notes"
_UPLOAD: Final = "shortlist_file"
_REFUSED: Final = "shortlist_file_refused"
_COLUMNS: Final = (
    "label",
    "verdict",
    "score",
    "voltage_v",
    "energy_vol_wh_per_l",
    "p_percent",
    "barrier_ev",
    "id",
)


def draw(view: View) -> None:
    """Draw the shortlist with its notes, the way to compare, and its files."""
    ids = view.query.shortlist
    st.subheader(f"Shortlist ({len(ids)})" if ids else "Shortlist", anchor=False)
    if not ids:
        st.caption(
            "Tick rows of the table, or draw a lasso in the plot, to put candidates aside here. The address keeps "
            "them; notes go into a file that you can take along and bring back."
        )
        _bring_back()
        return
    rows = _rows(view)
    absent = [id for id in ids if id not in set(rows["id"])]
    if absent:
        st.warning(f"Not in this release: {safe(', '.join(absent))}", icon=":material/search_off:")
    _editor(rows)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        _compare(rows["id"].tolist(), view)
        _files(rows, view)
        st.button(
            "Clear shortlist",
            icon=":material/playlist_remove:",
            on_click=controls.change,
            kwargs={"shortlist": ()},
        )
    _bring_back()


def notes() -> dict[str, str]:
    """Return this tab's notes by id; those of candidates that were taken off are kept, should they come back."""
    kept: dict[str, str] = st.session_state.setdefault(_NOTES, {})
    return kept


def _rows(view: View) -> pd.DataFrame:
    """The candidates of the shortlist in its order, assessed, whether filters let them through or not."""
    every = state.candidates(Filters())
    kept = every[every["id"].isin(view.query.shortlist)]
    told: Screening = screen(kept, view.screening.thresholds, weights=view.query.weights, with_failing=True)
    order = {id: place for place, id in enumerate(view.query.shortlist)}
    return told.listed.sort_values("id", key=lambda ids: ids.map(order), ignore_index=True)


def _editor(rows: pd.DataFrame) -> None:
    ids = rows["id"].tolist()
    shown = as_shown(rows)[list(_COLUMNS)].assign(note=[notes().get(id, "") for id in ids], keep=True)
    key = f"shortlist_table_{','.join(ids)}"
    config = column_config([*_COLUMNS, "note", "keep"], pinned=("label",), max_chars=MAX_NOTE)
    st.data_editor(
        shown, column_config=config, hide_index=True, key=key, placeholder="–", disabled=list(_COLUMNS),
        on_change=_edited,
        args=(key, ids),
    )  # fmt: skip


def _edited(key: str, ids: list[str]) -> None:
    for row, changed in st.session_state[key]["edited_rows"].items():
        if "note" in changed:
            notes()[ids[int(row)]] = changed["note"] or ""
        if changed.get("keep") is False:
            controls.take_off([ids[int(row)]])


def _compare(ids: list[str], view: View) -> None:
    if len(ids) > 1:
        first, *others = ids[:MAX_COMPARED]
        st.page_link(
            state.CANDIDATE_PAGE,
            label="Compare" if len(ids) <= MAX_COMPARED else f"Compare the first {MAX_COMPARED}",
            icon=":material/compare:",
            query_params={"id": first, "compare": compare_param(others), **view.query.limit_params()},
        )


def _files(rows: pd.DataFrame, view: View) -> None:
    version = state.reader().release.version
    formulas, kept = dict(zip(rows["id"], rows["formula"], strict=True)), dict(notes())
    noted = rows.assign(note=[kept.get(id, "") for id in rows["id"]])
    st.download_button(
        "Shortlist as CSV", data=lambda: downloads.csv_text(noted, view).encode(), mime="text/csv", on_click="ignore",
        file_name=f"mg-shortlist-{version}.csv", icon=":material/download:",
    )  # fmt: skip
    st.download_button(
        "With notes (JSON)", data=lambda: shortlist_json(view.query.shortlist, kept, formulas, version).encode(),
        mime="application/json", on_click="ignore", file_name=f"mg-shortlist-{version}.json",
        icon=":material/edit_note:", help="To bring back here later, or to send to a colleague.",
    )  # fmt: skip


def _bring_back() -> None:
    with st.popover("Bring a shortlist back", icon=":material/upload_file:"):
        st.file_uploader(
            "A JSON file that this page wrote", type="json", key=_UPLOAD, on_change=_brought_back,
            max_upload_size=max(1, MAX_BYTES // 1_000_000),
        )  # fmt: skip
    if refused := st.session_state.get(_REFUSED):
        st.error(safe(refused), icon=":material/error:")


def _brought_back() -> None:
    uploaded = st.session_state.get(_UPLOAD)
    st.session_state[_REFUSED] = ""
    if uploaded is None:
        return
    try:
        found = read_shortlist(uploaded.getvalue())
    except RecordError as error:
        st.session_state[_REFUSED] = f"{uploaded.name}: {error}"
        return
    notes().update({id: note for id, note in found.items() if note})
    controls.put_aside(list(found))
