"""The weights of the score as sliders: what "make next" means is the reader's to say."""

from dataclasses import replace

import streamlit as st

from app.components import controls
from core.errors import RecordError
from core.quantities import QUANTITIES
from core.service.screen import DEFAULT_WEIGHTS, MELTED_FACTOR, MOST_WEIGHT, PARTS


def draw() -> None:
    """Draw a slider for each part of the score, and the way back to the defaults."""
    weights = controls.current().weights
    st.caption(
        "Within a verdict candidates are ordered by a score: the weighted mean of these parts, each from 0 to 1. A "
        "part that is not known earns nothing, and a framework that melted in dynamics leaves "
        f"{MELTED_FACTOR:g} of the score."
    )
    columns = st.container(key="weights").columns(4, gap="medium")
    for index, part in enumerate(PARTS):
        quantity, key = QUANTITIES[f"score_{part}"], f"weight_{part}"
        with columns[index % 4]:
            controls.put(key, float(getattr(weights, part)))
            st.slider(
                quantity.short, 0.0, MOST_WEIGHT, step=0.5, key=key, format="%.1f", help=quantity.help,
                on_change=_weighed, args=(key, part),
            )  # fmt: skip
    st.button(
        "Default weights", icon=":material/restart_alt:", disabled=weights == DEFAULT_WEIGHTS, on_click=_reset
    )


def _weighed(key: str, part: str) -> None:
    """The last weight above 0 stays as it was: a score needs one."""
    try:
        controls.change(weights=replace(controls.current().weights, **{part: st.session_state[key]}))
    except RecordError:
        st.toast("One weight at least must be above 0.", icon=":material/balance:")


def _reset() -> None:
    controls.change(weights=DEFAULT_WEIGHTS)
