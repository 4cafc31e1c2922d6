"""The figures of one candidate as people read them: cards on its own page, columns when candidates are compared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from app.components.md_words import sigma_words
from app.components.text import interval, is_missing, quantity
from core.screening import Thresholds, pass_probability

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


def figures(row: Row) -> list[Figure]:
    """Return the figures of a row of the view `screening`, in the order in which they are read."""
    ion = row["working_ion"]
    return [
        _voltage(row, ion),
        _chance(row),
        Figure(
            label="Volumetric capacity",
            value=quantity(row["capacity_vol_ah_per_l"], 0, "Ah/L"),
            detail="redox-limited " + quantity(row["capacity_redox_vol_ah_per_l"], 0, "Ah/L"),
            help=f"All {ion} leaves the discharged cell. Redox-limited: only what the metals' oxidation pays for.",
        ),
        Figure(
            label="Gravimetric capacity",
            value=quantity(row["capacity_grav_mah_per_g"], 0, "mAh/g"),
            detail="redox-limited " + quantity(row["capacity_redox_grav_mah_per_g"], 0, "mAh/g"),
            help=f"Per gram of the discharged compound, all {ion} out; redox-limited as for the volume.",
        ),
        Figure(
            label="Energy above hull",
            value=quantity(row["e_above_hull_ev_per_atom"], 3, "eV/atom"),
            detail="of the discharged compound",
            help="How far the compound lies above the stable phases, where its source states it.",
        ),
        Figure(
            label="Symmetry",
            value=pretty_spacegroup(row["spacegroup"]) if row["spacegroup"] else "not stated",
            detail=f"{row['n_sites']} sites, {row['volume_a3']:,.1f} Å³",
            help="Space group as the source states it; sites and volume of the cell shown.",
        ),
        _conductivity(row),
        Figure(
            label="Calculated voltage",
            value=quantity(row["mp_average_voltage_v"], 2, "V", missing="no label"),
            detail="density-functional theory",
            help="A public label for this very structure, where there is one; the model may have learned from it.",
        ),
    ]


def _voltage(row: Row, ion: str) -> Figure:
    label = f"Voltage against {ion}"
    if is_missing(row["voltage_v"]):
        return Figure(label=label, value="none", detail="no prediction", help=row["voltage_error"] or "")
    spread = interval(row["voltage_low_v"], row["voltage_high_v"], 2, "V")
    return Figure(
        label=label,
        value=quantity(row["voltage_v"], 2, "V"),
        detail=f"90 %: {spread}",
        help=f"Predicted average voltage and its 90 % interval; standard deviation {row['voltage_std_v']:.2f} V.",
    )


def _chance(row: Row) -> Figure:
    limits = Thresholds()
    chance = pass_probability(pd.DataFrame([dict(row)]), limits).iloc[0]["p_all"]
    return Figure(
        label="Chance to pass",
        value=_percent(float(chance)),
        detail=f"> {limits.voltage_v:g} V and > {limits.capacity_vol_ah_per_l:g} Ah/L",
        help="Probability that voltage, capacity and, where it is computed or limited, conductivity lie above the "
        f"paper's thresholds ({limits.sigma_ms_per_cm:g} mS/cm), from the predicted spread.",
    )


def _percent(probability: float) -> str:
    """Round to whole per cent, but never a chance to a certainty."""
    if is_missing(probability):
        return "none"
    if 0.0 < probability < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < probability < 1.0 else f"{100.0 * probability:.0f} %"


def _conductivity(row: Row) -> Figure:
    value, detail = sigma_words(row)
    at = "" if is_missing(row["sigma_temperature_k"]) else f" at {row['sigma_temperature_k']:.0f} K"
    return Figure(
        label=f"Conductivity{at}",
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
