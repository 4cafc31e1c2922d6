"""Candidates that are like the shown one, on its page: tables with verdict and voltage, and a way to each."""

from typing import Any
from urllib.parse import quote

import pandas as pd
import streamlit as st

from app.components.candidate_figures import pretty_spacegroup
from app.components.tables import Cell, Link, draw_table
from app.components.text import pretty_formula
from app.theme import safe
from core.quantities import QUANTITIES, is_missing
from core.service.similar import Similar, anonymous_formula


def similar_section(found: Similar, row: Any) -> None:
    """Draw what is like the candidate of a row of the view `screening`, each kind with its count."""
    st.subheader("Similar candidates", anchor="similar")
    formula, group = row["formula"], row["spacegroup"]
    _part(f"Other structures of {pretty_formula(formula)}", found.polymorphs, found.n_polymorphs)
    if group:
        name = f"{pretty_formula(anonymous_formula(formula))} in {pretty_spacegroup(group)}"
        _part(f"The same prototype, {name}", found.prototypes, found.n_prototypes)
    _part("Nearest to the voltage model", found.neighbours, len(found.neighbours))
    st.caption(
        "Distance: the most that the vectors which the model learned can be apart, over the electrodes near both."
    )


def _part(title: str, frame: pd.DataFrame, n_all: int) -> None:
    shown = f", the best {len(frame)} of {n_all}" if n_all > len(frame) else ""
    st.markdown(f"**{safe(title)}**{shown}")
    if frame.empty:
        st.caption("None in this release.")
        return
    names = list(frame.columns)
    draw_table(
        [QUANTITIES[name].head for name in names],
        [[_cell(name, value) for name, value in it.items()] for it in frame.to_dict("records")],
    )


def _cell(name: Any, value: Any) -> Cell:
    if name == "id":
        return Link(text=value, url=f"?id={quote(value, safe='')}")
    if name == "formula":
        return pretty_formula(value)
    if name == "spacegroup":
        return pretty_spacegroup(value) if value else "not stated"
    quantity = QUANTITIES[name]
    if is_missing(value):
        return "unknown"
    return quantity.number(float(value)) if quantity.kind == "number" else str(value)
