"""The voltages of a candidate beside each other, with their intervals and what contradicts the prediction."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.components.tables import Cell, Detailed, draw_table
from app.theme import safe
from core.quantities import QUANTITIES
from core.service.voltages import KnownVoltage, contradictions, voltages

UNKNOWN = "unknown"


def voltage_table(row: Mapping[str, Any]) -> None:
    """Draw every known voltage of a row of the view `screening`, one line each, unknown ones as unknown."""
    known = voltages(row)
    draw_table(
        [f"Average voltage against {row['working_ion']}", "Voltage", "Off the prediction"],
        [_line(it) for it in known],
    )
    for words in contradictions(known):
        st.warning(safe(words), icon=":material/warning:")
    if row.get("voltage_error"):
        st.warning(f"No voltage was predicted: {safe(row['voltage_error'])}", icon=":material/info:")
    elif not row["in_domain"]:
        st.warning(
            "This structure is unlike the labelled electrodes that the model learned from: "
            "expect errors beyond the interval.",
            icon=":material/explore_off:",
        )


def voltage_words(it: KnownVoltage) -> str:
    """Return the value with its unit, or unknown."""
    return QUANTITIES["voltage_v"].text(it.voltage_v, missing=UNKNOWN)


def interval_words(it: KnownVoltage) -> str:
    """Return the 90 % interval, or that there is none."""
    between = QUANTITIES["voltage_v"].between(it.low_v, it.high_v)
    return f"90 %: {between}" if between else "" if it.voltage_v is None else "error not stated"


def off_words(it: KnownVoltage) -> str:
    """Return how far a voltage lies off the prediction, with its sign."""
    return "" if it.off_v is None else f"{it.off_v:+.2f} V"


def agreement_words(it: KnownVoltage) -> str:
    """Return whether the errors explain how far it is off."""
    return {True: "within the errors", False: "beyond the errors", None: ""}[it.agrees]


def _line(it: KnownVoltage) -> list[Cell]:
    return [
        Detailed(text=it.title, detail=it.note),
        Detailed(text=voltage_words(it), detail=interval_words(it)),
        Detailed(text=off_words(it), detail=agreement_words(it)),
    ]
