"""Up to four candidates side by side: their structures, then their figures line by line."""

from collections.abc import Iterable
from typing import Final

import streamlit as st

from app.components.candidate_figures import Figure, figures, verdict_figure, voltage_figures
from app.components.structure_viewer import structure_viewer
from app.components.tables import Detailed, draw_named_rows
from app.components.text import pretty_formula
from app.theme import safe
from core.errors import UnknownCandidateError
from core.service.release import Reader
from core.service.screen import Thresholds

MAX_COMPARED: Final = 4
_VIEWER_HEIGHT: Final = 300
_KEY: Final = "compare_with"


def compare_param(ids: Iterable[str]) -> str:
    """Return the ids to compare with as the URL parameter `compare`."""
    return ",".join(ids)


def parse_compare(text: str, *, shown_id: str, known: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the ids to compare `shown_id` with, from the URL, and those that the release does not hold.

    Repeats and the shown candidate itself are dropped; at most three others are kept.
    """
    available = set(known)
    asked = [item for item in dict.fromkeys(text[:400].split(",")) if item and item != shown_id]
    compared = [item for item in asked if item in available][: MAX_COMPARED - 1]
    return compared, [item for item in asked if item not in available]


def compare_section(
    reader: Reader, shown_id: str, asked: str, labels: dict[str, str], thresholds: Thresholds
) -> None:
    """Draw the chooser and, once something is chosen, the comparison; `asked` is the URL's `compare`."""
    st.subheader("Compare", anchor=False)
    others, unknown = parse_compare(asked, shown_id=shown_id, known=labels)
    st.session_state[_KEY] = others
    st.multiselect(
        f"Put up to {MAX_COMPARED - 1} other candidates beside this one",
        options=[id for id in labels if id != shown_id],
        format_func=labels.__getitem__,
        key=_KEY,
        max_selections=MAX_COMPARED - 1,
        placeholder="Formula or id",
        on_change=_store_choice,
    )
    if unknown:
        st.warning(f"Not in this release: {safe(', '.join(unknown)[:200])}", icon=":material/search_off:")
    if others:
        _side_by_side(reader, [shown_id, *others], thresholds)


def _store_choice() -> None:
    chosen = st.session_state[_KEY]
    if chosen:
        st.query_params["compare"] = compare_param(chosen)
    else:
        st.query_params.pop("compare", None)


def _side_by_side(reader: Reader, ids: list[str], thresholds: Thresholds) -> None:
    rows = [reader.candidate(id) for id in ids]
    for column, row in zip(st.columns(len(ids)), rows, strict=True):
        with column:
            st.markdown(f"**{safe(pretty_formula(row['formula']))}**  \n:gray[{safe(row['id'])}]")
            _picture(reader, row["id"], row["working_ion"])
    head = [pretty_formula(row["formula"]) for row in rows]
    told = (
        [verdict_figure(row, thresholds), *voltage_figures(row), *figures(row, thresholds)] for row in rows
    )
    lines = zip(*told, strict=True)
    draw_named_rows(
        head, {_name(line): [Detailed(text=it.value, detail=it.detail) for it in line] for line in lines}
    )


def _name(line: tuple[Figure, ...]) -> str:
    """Labels may differ in what follows "at" or "against"; the line says what they share."""
    labels = [figure.label for figure in line]
    return labels[0] if len(set(labels)) == 1 else labels[0].split(" at ")[0].split(" against ")[0]


def _picture(reader: Reader, id: str, working_ion: str) -> None:
    try:
        crystal = reader.crystal(id)
    except UnknownCandidateError as error:
        st.error(safe(error), icon=":material/error:")
        return
    structure_viewer(
        crystal, key=f"compare-{id}", height=_VIEWER_HEIGHT, working_ion=working_ion, compact=True
    )
