"""The card beside the scatter: the selected candidate in short, with a way to its own page."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import state
from app.components import controls
from app.components.md_words import sigma_words
from app.components.text import interval, is_missing, pretty_formula, quantity, source_label
from app.screening_view import View
from app.theme import safe, safe_html


def candidate_card(view: View) -> None:
    """Draw the selected candidate, or say how to select one."""
    with st.container(border=True):
        if view.selected is None:
            _invitation(view)
        else:
            _summary(view.selected)
            if view.selected["id"] not in set(view.frame["id"]):
                st.caption("The filters leave this candidate out of plot and table.")


def _invitation(view: View) -> None:
    st.markdown("**No candidate selected**")
    st.caption("Click a point in the plot, or the box at the left of a row in the table.")
    st.markdown(
        "Each point is one compound. Red ones lie above every threshold. The pass probability in the table counts "
        "how far the predicted voltage may be off."
    )
    if view.query.selected is not None:
        st.warning(
            f"This release holds no candidate {safe(view.query.selected)}.", icon=":material/search_off:"
        )


def _summary(row: Mapping[str, Any]) -> None:
    st.subheader(safe(pretty_formula(row["formula"])), anchor=False)
    group = f"{row['spacegroup']}, " if not is_missing(row["spacegroup"]) else ""
    st.caption(
        f"{safe(row['id'])} · {safe(group)}{row['n_sites']} sites · {safe(source_label(row['source']))}"
    )
    rows = "".join(
        f"<tr><th>{label}</th><td>{safe_html(value)}<small>{safe_html(detail)}</small></td></tr>"
        for label, value, detail in _figures(row)
    )
    st.html(f'<table class="card-facts">{rows}</table>')
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.page_link(
            state.CANDIDATE_PAGE,
            label="Open candidate",
            icon=":material/open_in_new:",
            query_params={"id": row["id"]},
        )
        st.button("Clear selection", key="clear_selection", type="tertiary", on_click=_clear)


def _figures(row: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    redox = row["capacity_redox_vol_ah_per_l"]
    spread = interval(row["voltage_low_v"], row["voltage_high_v"], 2, "V")
    sigma, sigma_detail = sigma_words(row)
    if not is_missing(row["sigma_temperature_k"]):
        sigma_detail = f"{sigma_detail}, at {row['sigma_temperature_k']:.0f} K".lstrip(", ")
    return [
        ("Voltage", quantity(row["voltage_v"], 2, "V"), f"90 % interval {spread}" if spread else ""),
        (
            "Capacity",
            quantity(row["capacity_vol_ah_per_l"], 0, "Ah/L"),
            "" if is_missing(redox) else f"{quantity(redox, 0, 'Ah/L')} by redox metals",
        ),
        ("Pass probability", "not known" if is_missing(row["p_all"]) else f"{row['p_all']:.0%}", ""),
        ("Conductivity", sigma, sigma_detail),
        ("Above hull", quantity(row["e_above_hull_ev_per_atom"], 3, "eV/atom"), ""),
        ("In domain", "yes" if row["in_domain"] else "no, extrapolated", ""),
    ]


def _clear() -> None:
    controls.change(selected=None)
