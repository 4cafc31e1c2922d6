"""Up to four candidates side by side: their structures, then their figures line by line."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import streamlit as st

from app.components.candidate_figures import Figure, figures, verdict_figure, voltage_figures
from app.components.structure_viewer import structure_viewer
from app.components.tables import Detailed, draw_named_rows
from app.components.text import pretty_formula
from app.components.trouble import guarded
from app.theme import safe
from core.errors import UnknownCandidateError
from core.service.release import Reader
from core.service.screen import Thresholds

MAX_COMPARED: Final = 4
_VIEWER_HEIGHT: Final = 300
_COMPARED: Final = "compared_ids"
_ADDED: Final = "compare_with"


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
    """Draw the chooser and, once something is chosen, the comparison; `asked` is the URL's `compare`.

    A part of the page of its own: what is added or taken away leaves the rest as it is.
    """
    st.subheader("Compare", anchor=False)
    others, unknown = parse_compare(asked, shown_id=shown_id, known=labels)
    st.session_state[_COMPARED] = others
    if unknown:
        st.warning(f"Not in this release: {safe(', '.join(unknown)[:200])}", icon=":material/search_off:")
    st.fragment(guarded(_comparison))(reader, shown_id, labels, thresholds)


def _comparison(reader: Reader, shown_id: str, labels: dict[str, str], thresholds: Thresholds) -> None:
    others = st.session_state[_COMPARED]
    left = MAX_COMPARED - 1 - len(others)
    st.selectbox(
        f"Put up to {MAX_COMPARED - 1} other candidates beside this one",
        options=[id for id in labels if id != shown_id and id not in others],
        index=None,
        format_func=labels.__getitem__,
        key=_ADDED,
        placeholder="Formula or id" if left else "Take one away to add another",
        on_change=_add,
        disabled=not left,
    )
    if others:
        _side_by_side(reader, [shown_id, *others], thresholds)


def _add() -> None:
    chosen = st.session_state[_ADDED]
    if chosen:
        _compare([*st.session_state[_COMPARED], chosen])
    st.session_state[_ADDED] = None


def _take_away(id: str) -> None:
    _compare([it for it in st.session_state[_COMPARED] if it != id])


def _compare(ids: list[str]) -> None:
    st.session_state[_COMPARED] = ids
    if ids:
        st.query_params["compare"] = compare_param(ids)
    else:
        st.query_params.pop("compare", None)


def _side_by_side(reader: Reader, ids: list[str], thresholds: Thresholds) -> None:
    rows = [reader.candidate(id) for id in ids]
    for column, row in zip(st.columns(len(ids)), rows, strict=True):
        with column:
            _head(row, is_shown=row["id"] == ids[0])
            _picture(reader, row["id"], row["working_ion"])
    head = [pretty_formula(row["formula"]) for row in rows]
    told = (
        [verdict_figure(row, thresholds), *voltage_figures(row), *figures(row, thresholds)] for row in rows
    )
    lines = zip(*told, strict=True)
    draw_named_rows(
        head, {_name(line): [Detailed(text=it.value, detail=it.detail) for it in line] for line in lines}
    )


def _head(row: Mapping[str, Any], *, is_shown: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{safe(pretty_formula(row['formula']))}**  \n:gray[{safe(row['id'])}]", width="stretch"
        )
        if not is_shown:
            st.button(
                "Take away", icon=":material/close:", key=f"compare-without-{row['id']}", type="tertiary",
                on_click=_take_away, args=(row["id"],), help=f"Take {safe(row['formula'])} out of the comparison",
            )  # fmt: skip


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
