"""The average voltage of one candidate by all who know it, beside each other: each with its 90 % interval."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import pandas as pd

from core import ranking
from core.quantities import is_missing
from core.verdict import DFT_SPREAD_V, HALF_WIDTH, NOT_SETTLED, RELAXED_SPREAD_V

Row = Mapping[str, Any]

PAID: Final = "Relaxed, as far as the redox metals pay"
"""The title of the voltage that counts fewer ions than the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVoltage:
    """One answer: who gives it, volts, its 90 % interval where an error is known; `note`: what a reader must know.

    `std_v`: standard deviation, 0 for a label, which counts as true; None where it is not known.

    `off_v`: what it lies above the prediction; `agrees`: whether both errors together explain that at 90 %. Both are
    None for the prediction itself, and where there is nothing to compare.
    """

    title: str
    voltage_v: float | None
    std_v: float | None = None
    low_v: float | None = None
    high_v: float | None = None
    off_v: float | None = None
    agrees: bool | None = None
    note: str = ""


def voltages(row: Row) -> list[KnownVoltage]:
    """Return what is known of a candidate's voltage, from its row of the view `screening`; None where nothing is.

    Predicted, relaxed, by first principles here, and the public label; where the redox metals pay for some of the ions
    only, the relaxed voltage up to there too. Spreads are those that verdicts use (`core.verdict.voltages`).
    """
    return [
        _predicted(row),
        _compared(row, "relaxed_voltage_v", "Relaxed ends", RELAXED_SPREAD_V, _relaxed_note(row)),
        *_paid(row),
        _compared(row, "dft_voltage_v", "First principles, here", DFT_SPREAD_V, "PBE+U, on relaxed ends"),
        _compared(
            row, "mp_average_voltage_v", "Public label", 0.0,
            "density-functional theory; the model may have learned from it",
        ),
    ]  # fmt: skip


def energy_density(row: Row) -> dict[str, float]:
    """Return energy_vol_wh_per_l and energy_grav_wh_per_kg of one candidate (`core.ranking`); NaN where not known."""
    found: dict[str, float] = ranking.energy_density(pd.DataFrame([dict(row)])).iloc[0].to_dict()
    return found


def contradictions(known: Sequence[KnownVoltage]) -> list[str]:
    """Return in words which two voltages of the same ions their errors together do not explain at 90 %."""
    comparable = [
        it for it in known if it.voltage_v is not None and it.std_v is not None and it.title != PAID
    ]
    return [
        f"{one.title} ({one.voltage_v:.2f} V) and {other.title.lower()} ({other.voltage_v:.2f} V) are "
        f"{abs((one.voltage_v or 0.0) - (other.voltage_v or 0.0)):.2f} V apart: more than their errors explain."
        for one, other in combinations(comparable, 2)
        if not _agree(one, other)
    ]


def _agree(one: KnownVoltage, other: KnownVoltage) -> bool:
    off_v = (one.voltage_v or 0.0) - (other.voltage_v or 0.0)
    return abs(off_v) <= HALF_WIDTH * math.hypot(one.std_v or 0.0, other.std_v or 0.0)


def _predicted(row: Row) -> KnownVoltage:
    value = _number(row, "voltage_v")
    note = "" if value is None or row.get("in_domain") else "out of the model's domain"
    return KnownVoltage(
        title="Predicted", voltage_v=value, std_v=_number(row, "voltage_std_v"),
        low_v=_number(row, "voltage_low_v"), high_v=_number(row, "voltage_high_v"),
        note=note if value is not None else str(row.get("voltage_error") or ""),
    )  # fmt: skip


def _compared(row: Row, name: str, title: str, std_v: float, note: str) -> KnownVoltage:
    """A value of standard deviation `std_v`, 0 for one that is true by definition, held against the prediction."""
    value, predicted, spread_v = _number(row, name), _number(row, "voltage_v"), _number(row, "voltage_std_v")
    if value is None:
        return KnownVoltage(title=title, voltage_v=None, note=note if NOT_SETTLED in note else "")
    half_v = HALF_WIDTH * std_v
    off_v = None if predicted is None else value - predicted
    agrees = None
    if off_v is not None and spread_v is not None:
        agrees = abs(off_v) <= HALF_WIDTH * math.hypot(spread_v, std_v)
    return KnownVoltage(
        title=title, voltage_v=value, std_v=std_v, low_v=value - half_v if std_v else None,
        high_v=value + half_v if std_v else None, off_v=off_v, agrees=agrees, note=note,
    )  # fmt: skip


def _paid(row: Row) -> list[KnownVoltage]:
    value = _number(row, "relaxed_redox_voltage_v")
    if value is None:
        return []
    half_v = HALF_WIDTH * RELAXED_SPREAD_V
    return [
        KnownVoltage(
            title=PAID, voltage_v=value, std_v=RELAXED_SPREAD_V, low_v=value - half_v,
            high_v=value + half_v, note="of fewer ions than the prediction counts",
        )
    ]  # fmt: skip


def _relaxed_note(row: Row) -> str:
    if row.get("framework") == NOT_SETTLED:
        return f"relaxation {NOT_SETTLED}"
    return "a second opinion, by an interatomic potential"


def _number(row: Row, name: str) -> float | None:
    value = row.get(name)
    return None if is_missing(value) else float(value)  # type: ignore[arg-type]
