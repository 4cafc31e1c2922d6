"""The figures of one candidate as people read them: cards on its own page, columns when candidates are compared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from app.components.md_words import sigma_words
from core.quantities import QUANTITIES, is_missing
from core.service.screen import Thresholds, chances, judgement

Row = Mapping[str, Any]

_CARD_STYLE = """
<style>
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 0.75rem; }
.figures > div { display: flex; flex-direction: column; gap: 0.15rem; padding: 0.7rem 0.85rem; cursor: help;
  border: 1px solid rgba(128, 128, 128, 0.28); border-radius: 6px; }
.figures span { font-size: 0.85rem; opacity: 0.8; }
.figures b { font-size: 1.4rem; font-weight: 500; line-height: 1.25; font-variant-numeric: tabular-nums; }
.figures small { font-size: 0.8rem; opacity: 0.7; line-height: 1.3; font-variant-numeric: tabular-nums; }
.figures.row { grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)) !important; }
@media (max-width: 900px) { .figures b { font-size: 1.15rem; } }
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
    ion = row["working_ion"]
    return [
        _voltage(row, ion),
        _chance(row, thresholds),
        _capacity(
            row, "vol_ah_per_l",
            f"All {ion} leaves the discharged cell. Redox-limited: only what the metals' oxidation pays for.",
        ),
        _capacity(
            row, "grav_mah_per_g",
            f"Per gram of the discharged compound, all {ion} out; redox-limited as for the volume.",
        ),
        _figure(
            row, "e_above_hull_ev_per_atom", detail="of the discharged compound",
            help="How far the compound lies above the stable phases, where its source states it.",
        ),
        Figure(
            label="Symmetry",
            value=pretty_spacegroup(row["spacegroup"]) if row["spacegroup"] else "not stated",
            detail=f"{row['n_sites']} sites, {QUANTITIES['volume_a3'].text(row['volume_a3'])}",
            help="Space group as the source states it; sites and volume of the cell shown.",
        ),
        _conductivity(row),
        _figure(row, "mp_average_voltage_v", detail="density-functional theory", missing="no label"),
    ]  # fmt: skip


def _figure(row: Row, name: str, *, detail: str = "", help: str = "", missing: str = "not known") -> Figure:
    quantity = QUANTITIES[name]
    return Figure(
        label=quantity.label,
        value=quantity.text(row[name], missing),
        detail=detail,
        help=help or quantity.help,
    )


def _capacity(row: Row, basis: str, help: str) -> Figure:
    limited = QUANTITIES[f"capacity_redox_{basis}"].text(row[f"capacity_redox_{basis}"])
    return _figure(row, f"capacity_{basis}", detail=f"redox-limited {limited}", help=help)


def _voltage(row: Row, ion: str) -> Figure:
    voltage, spread = QUANTITIES["voltage_v"], QUANTITIES["voltage_std_v"]
    label = f"{voltage.short} against {ion}"
    if is_missing(row["voltage_v"]):
        return Figure(label=label, value="none", detail="no prediction", help=row["voltage_error"] or "")
    return Figure(
        label=label,
        value=voltage.text(row["voltage_v"]),
        detail=f"90 %: {voltage.between(row['voltage_low_v'], row['voltage_high_v'])}",
        help="Predicted average voltage and its 90 % interval; standard deviation "
        f"{spread.text(row['voltage_std_v'])}.",
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
