"""The figures of one candidate as people read them: cards on its own page, columns when candidates are compared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from app.components.md_words import sigma_words
from app.components.voltage_table import UNKNOWN, interval_words, voltage_words
from core.quantities import QUANTITIES, is_missing
from core.service.charged_state import NOT_CONVERGED
from core.service.screen import Thresholds, chances, judgement
from core.service.voltages import PAID, KnownVoltage, energy_density, voltages

Row = Mapping[str, Any]

_CARD_STYLE = """
<style>
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 0.75rem; }
.figures > div { display: flex; flex-direction: column; gap: 0.15rem; padding: 0.7rem 0.85rem; cursor: help;
  border: 1px solid rgba(128, 128, 128, 0.28); border-radius: 6px; }
.figures span { font-size: 0.85rem; opacity: 0.8; }
.figures b { font-size: 1.4rem; font-weight: 500; line-height: 1.25; font-variant-numeric: tabular-nums; }
.figures small { font-size: 0.8rem; opacity: 0.7; line-height: 1.3; font-variant-numeric: tabular-nums; }
.figures.row { grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)) !important; }
@media (max-width: 900px) { .figures b { font-size: 1.15rem; } }
@media (max-width: 640px) { .figures.row { grid-template-columns: 1fr 1fr !important; } }
@media (min-width: 1100px) { .figures { grid-template-columns: 1fr 1fr; }
  .figures > div { min-height: 6.6rem; justify-content: center; } }
</style>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: its label, its value with unit, the smaller line beneath, and what it means."""

    label: str
    value: str
    detail: str = ""
    help: str = ""


def figures(row: Row, thresholds: Thresholds) -> list[Figure]:
    """Return the figures of a row of the view `screening`, in the order in which they are read.

    `thresholds`: those that its chance to pass is of.
    """
    return [
        _chance(row, thresholds),
        _capacity(row),
        _energy(row),
        _hull(row),
        _barrier(row),
        _conductivity(row),
        _host(row),
        Figure(
            label="Symmetry",
            value=pretty_spacegroup(row["spacegroup"]) if row["spacegroup"] else "not stated",
            detail=f"{row['n_sites']} sites, {QUANTITIES['volume_a3'].text(row['volume_a3'])}",
            help="Space group as the source states it; sites and volume of the cell shown.",
        ),
    ]  # fmt: skip


def voltage_figures(row: Row) -> list[Figure]:
    """Return the voltages of a row as figures, for candidates side by side."""
    return [
        Figure(label=it.title, value=voltage_words(it), detail=_voltage_detail(it), help=it.note)
        for it in voltages(row)
        if it.title != PAID
    ]


def _voltage_detail(it: KnownVoltage) -> str:
    return it.note if it.low_v is None else interval_words(it)


def _capacity(row: Row) -> Figure:
    limited, whole = QUANTITIES["capacity_redox_vol_ah_per_l"], QUANTITIES["capacity_vol_ah_per_l"]
    per_gram = QUANTITIES["capacity_redox_grav_mah_per_g"].text(row["capacity_redox_grav_mah_per_g"], "")
    details = [per_gram, f"{whole.text(row[whole.name])} with all {row['working_ion']} out"]
    return Figure(
        label="Redox-limited capacity",
        value=limited.text(row[limited.name], UNKNOWN),
        detail=", ".join(it for it in details if it),
        help="What the metals' oxidation pays for, of the discharged cell; beside it, with all working ions out.",
    )


def _energy(row: Row) -> Figure:
    found = energy_density(row)
    per_litre, per_kg = QUANTITIES["energy_vol_wh_per_l"], QUANTITIES["energy_grav_wh_per_kg"]
    return Figure(
        label=per_litre.label,
        value=per_litre.text(found[per_litre.name], UNKNOWN),
        detail=per_kg.text(found[per_kg.name], ""),
        help=per_litre.help,
    )


def _hull(row: Row) -> Figure:
    quantity, stated = QUANTITIES["e_above_hull_ev_per_atom"], row["e_above_hull_ev_per_atom"]
    computed, charged = (row.get(f"{end}_e_above_hull_ev_per_atom") for end in ("discharged", "charged"))
    is_stated = not is_missing(stated)
    source = "stated by its source" if is_stated else "not known" if is_missing(computed) else "computed"
    error = _error(row, "charged_e_above_hull_std_ev_per_atom")
    return Figure(
        label=quantity.label,
        value=quantity.text(stated if is_stated else computed, UNKNOWN),
        detail=f"discharged, {source}; charged {quantity.text(charged, UNKNOWN)}{error}",
        help="How far the compound, and what is left of it on charge, lie above the hull of known phases.",
    )


def _barrier(row: Row) -> Figure:
    quantity = QUANTITIES["barrier_ev"]
    known = not is_missing(row.get("barrier_ev"))
    return Figure(
        label=quantity.label,
        value=quantity.text(row.get("barrier_ev"), UNKNOWN),
        detail=_error(row, "barrier_std_ev").lstrip()
        or ("error not known" if known else "not worked out yet"),
        help=quantity.help,
    )


def _error(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if is_missing(value) else f" ± {QUANTITIES[name].text(value)}"


def _host(row: Row) -> Figure:
    change, framework = QUANTITIES["volume_change"], row.get("framework")
    is_settled = framework is not None and framework != NOT_CONVERGED
    volume = "" if is_missing(row.get("volume_change")) else f"volume {change.text(row['volume_change'])}"
    return Figure(
        label="Host on charge",
        value=str(framework) if is_settled else UNKNOWN,
        detail=volume
        if is_settled
        else "not relaxed yet"
        if framework is None
        else f"relaxation {framework}",
        help=QUANTITIES["framework"].help,
    )


def verdict_figure(row: Row, thresholds: Thresholds) -> Figure:
    """Return the verdict on a row, for candidates side by side."""
    judged = judgement(row, thresholds)
    unknown = sum(it.needed for it in judged.of("unknown"))
    return Figure(
        label=QUANTITIES["verdict"].label,
        value=judged.verdict,
        detail=f"{len(judged.of('for'))} for, {len(judged.of('against'))} against, {unknown} not known",
        help="; ".join(it.text for it in judged.of("against")) or "Nothing speaks against it.",
    )


def _chance(row: Row, limits: Thresholds) -> Figure:
    asked = [
        f"> {QUANTITIES['voltage_v'].text(limits.voltage_v)}"
        + (
            ""
            if limits.voltage_max_v is None
            else f", < {QUANTITIES['voltage_v'].text(limits.voltage_max_v)}"
        ),
        f"> {QUANTITIES['capacity_vol_ah_per_l'].text(limits.capacity_vol_ah_per_l)}"
        + (" by redox" if limits.definition == "cathode" else ""),
    ]
    if limits.barrier_ev is not None:
        asked.append(f"barrier < {QUANTITIES['barrier_ev'].text(limits.barrier_ev)}")
    if limits.sigma_ms_per_cm is not None:
        asked.append(f"> {QUANTITIES['sigma_ms_per_cm'].text(limits.sigma_ms_per_cm)}")
    found = chances(row, limits)
    without = f"; not counted: {found.p_all_without}" if found.p_all_without else ""
    return Figure(
        label="Chance to pass",
        value=QUANTITIES["p_all"].text(found.p_all, missing="none"),
        detail=" and ".join(asked) + without,
        help="Probability that the true values keep the thresholds of the Screen page, from the predicted spread.",
    )


def _conductivity(row: Row) -> Figure:
    value, detail = sigma_words(row)
    value = UNKNOWN if value == "not computed" else value
    at = QUANTITIES["sigma_temperature_k"].text(row["sigma_temperature_k"], missing="")
    return Figure(
        label=f"{QUANTITIES['sigma_ms_per_cm'].label} at {at}".removesuffix(" at "),
        value=value,
        detail=detail,
        help=f"Of {row['working_ion']} ions, from molecular dynamics at the temperature named, with the 90 % interval.",
    )


def pretty_spacegroup(symbol: str) -> str:
    """Return a Hermann-Mauguin symbol with its screw axes as subscripts: P2_1/c -> P2₁/c."""
    return re.sub(r"_(\d)", lambda match: chr(ord("₀") + int(match[1])), symbol)


def draw_cards(shown: list[Figure], *, in_a_row: bool = False) -> None:
    """Draw figures as cards, two side by side or as many as fit; unlike `st.metric`, narrow ones wrap.

    `in_a_row` is for the full width of a page.
    """
    cards = "".join(
        f"<div title='{escape(it.help)}'><span>{escape(it.label)}</span><b>{escape(it.value)}</b>"
        f"<small>{escape(it.detail)}</small></div>"
        for it in shown
    )
    st.html(f"{_CARD_STYLE}<div class='figures{' row' * in_a_row}'>{cards}</div>")
