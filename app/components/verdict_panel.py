"""The verdict on a candidate: in a word, in its reasons, and unfolded into the numbers of every criterion."""

from typing import Final

import streamlit as st

from app.components.tables import Detailed, draw_named_rows
from app.theme import safe
from core.service.screen import Criterion, Judgement

LOOK: Final = {
    "make next": (":material/verified:", "green"),
    "open": (":material/help:", "blue"),
    "doubtful": (":material/warning:", "orange"),
    "no cathode": (":material/block:", "gray"),
}
"""Icon and badge colour of each verdict."""

MEANING: Final = {
    "make next": "All that was asked is known, and nothing speaks against it.",
    "open": "Nothing speaks against it, and some of it is not known.",
    "doubtful": "Something speaks against it.",
    "no cathode": "Nothing in it can pay for ions that leave.",
}

_STATE: Final = {"for": "✓ for", "against": "✗ against", "unknown": "? not known", "remark": "remark"}


def verdict_panel(judgement: Judgement, *, brief: bool = False) -> None:
    """Draw a verdict with what is for and against it and what is not known; the numbers unfold.

    `brief` leaves what is for it to the fold, for where there is little room.
    """
    icon, colour = LOOK[judgement.verdict]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(judgement.verdict, icon=icon, color=colour)  # type: ignore[arg-type]
        st.markdown(MEANING[judgement.verdict], width="content")
    lines = [
        _line("Against", judgement.of("against"), with_numbers=True),
        _line("Not known", tuple(it for it in judgement.of("unknown") if it.is_told)),
        "" if brief else _line("For", judgement.of("for")),
    ]
    st.markdown("  \n".join(line for line in lines if line))
    with st.expander("The reasons in numbers", icon=":material/rule:"):
        draw_named_rows(
            ["", "Why"],
            {it.title: [_STATE[it.state], _why(it)] for it in judgement.criteria},
        )


def _line(name: str, criteria: tuple[Criterion, ...], *, with_numbers: bool = False) -> str:
    if not criteria:
        return ""
    told = [it.text if with_numbers else _short(it) for it in criteria]
    return f"**{name}:** {safe(('; ' if with_numbers else ', ').join(told))}"


def _short(criterion: Criterion) -> str:
    name = criterion.title[0].lower() + criterion.title[1:]
    return f"{name} ({criterion.text})" if criterion.has_hint else name


def _why(criterion: Criterion) -> str | Detailed:
    if criterion.state == "unknown" and not criterion.needed:
        return Detailed(text=criterion.text, detail="need not be known for a verdict")
    return criterion.text
