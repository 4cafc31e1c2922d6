"""The card beside the scatter: the selected candidate in short, with a way to its own page."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import state
from app.components import controls
from app.components.md_words import sigma_words
from app.components.tables import draw_named_rows
from app.components.text import pretty_formula, source_label
from app.components.verdict_panel import verdict_panel
from app.screening_view import View
from app.theme import safe, safe_html
from core.quantities import QUANTITIES, is_missing
from core.service.screen import PARTS, judgement


def candidate_card(view: View) -> None:
    """Draw the selected candidate, or say how to select one."""
    with st.container(border=True):
        if view.selected is None:
            _invitation(view)
        else:
            _summary(view.selected, view)
            if view.selected["id"] not in set(view.screening.frame["id"]):
                st.caption("The filters leave this candidate out of plot and table.")


def _invitation(view: View) -> None:
    st.markdown("**No candidate selected**")
    st.caption("Click a point in the plot, or a row of the table.")
    st.markdown(
        "Each point is one compound. Red ones pass, pale grey ones hold nothing that pays for magnesium that leaves. "
        "The pass probability in the table counts how far the predicted voltage may be off."
    )
    if view.query.selected is not None:
        st.warning(
            f"This release holds no candidate {safe(view.query.selected)}.", icon=":material/search_off:"
        )


def _summary(row: Mapping[str, Any], view: View) -> None:
    st.subheader(safe(pretty_formula(row["formula"])), anchor=False)
    group = f"{row['spacegroup']}, " if not is_missing(row["spacegroup"]) else ""
    st.caption(
        f"{safe(row['id'])} · {safe(group)}{row['n_sites']} sites · {safe(source_label(row['source']))}"
    )
    verdict_panel(judgement(row, view.screening.thresholds), brief=True)
    _score(row)
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
            query_params={"id": row["id"], **view.query.limit_params()},
        )
        st.button("Clear", key="clear_selection", type="tertiary", on_click=_clear)
        _shortlist_button(row["id"], view)


def _figures(row: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    whole = QUANTITIES["capacity_vol_ah_per_l"].text(row["capacity_vol_ah_per_l"], missing="")
    spread = QUANTITIES["voltage_v"].between(row["voltage_low_v"], row["voltage_high_v"])
    sigma, sigma_detail = sigma_words(row)
    if not is_missing(row["sigma_temperature_k"]):
        at = QUANTITIES["sigma_temperature_k"].text(row["sigma_temperature_k"])
        sigma_detail = f"{sigma_detail}, at {at}".lstrip(", ")
    return [
        _figure("voltage_v", row, f"90 % interval {spread}" if spread else ""),
        _figure(
            "energy_vol_wh_per_l",
            row,
            QUANTITIES["energy_grav_wh_per_kg"].text(row["energy_grav_wh_per_kg"], ""),
        ),
        _figure("capacity_redox_vol_ah_per_l", row, f"{whole} with all magnesium out" if whole else ""),
        _figure("p_all", row, _left_out(row["p_all_without"])),
        _figure("barrier_ev", row, _error(row)),
        (QUANTITIES["sigma_ms_per_cm"].short, sigma, sigma_detail),
        _figure("e_above_hull_ev_per_atom", row),
        (QUANTITIES["in_domain"].short, "yes" if row["in_domain"] else "no, extrapolated", ""),
    ]


def _score(row: Mapping[str, Any]) -> None:
    """Draw the score, unfolded into its parts."""
    with st.expander(f"Score {QUANTITIES['score'].text(row['score'])}", icon=":material/balance:"):
        parts = (QUANTITIES[f"score_{part}"] for part in PARTS)
        draw_named_rows(["", "0 to 1"], {it.short: [it.text(row[it.name], "not known: 0")] for it in parts})


def _shortlist_button(id: str, view: View) -> None:
    is_on = id in view.query.shortlist
    st.button(
        "Off the shortlist" if is_on else "Put on shortlist", key="card_shortlist", type="tertiary",
        icon=":material/playlist_remove:" if is_on else ":material/playlist_add:",
        on_click=controls.take_off if is_on else controls.put_aside, args=([id],),
    )  # fmt: skip


def _left_out(words: str) -> str:
    return f"not counted: {words}" if words else ""


def _error(row: Mapping[str, Any]) -> str:
    if is_missing(row["barrier_std_ev"]):
        return ""
    return f"± {QUANTITIES['barrier_std_ev'].text(row['barrier_std_ev'])}"


def _figure(name: str, row: Mapping[str, Any], detail: str = "") -> tuple[str, str, str]:
    return QUANTITIES[name].short, QUANTITIES[name].text(row[name]), detail


def _clear() -> None:
    controls.change(selected=None)
