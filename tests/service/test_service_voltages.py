"""The voltages of one candidate beside each other: intervals, and what contradicts the prediction."""

import math
from typing import Any

import pytest

from core.service.voltages import PAID, contradictions, energy_density, voltages

ROW: dict[str, Any] = {
    "voltage_v": 3.0, "voltage_std_v": 0.1, "voltage_low_v": 2.8, "voltage_high_v": 3.2, "in_domain": True,
    "relaxed_voltage_v": 3.1, "dft_voltage_v": 2.2, "mp_average_voltage_v": 3.05,
}  # fmt: skip


def test_each_has_its_interval_and_its_distance_from_the_prediction() -> None:
    predicted, relaxed, computed, label = voltages(ROW)
    assert (predicted.low_v, predicted.high_v, predicted.off_v) == (2.8, 3.2, None)
    assert relaxed.low_v == pytest.approx(3.1 - 1.645 * 0.25, abs=1e-3) and relaxed.agrees is True
    assert computed.off_v == pytest.approx(-0.8) and computed.agrees is False
    assert (label.low_v, label.agrees) == (None, True)
    assert contradictions([predicted, relaxed, computed, label]) == [
        f"{one} and first principles, here (2.20 V) are {apart} V apart: more than their errors explain."
        for one, apart in (("Predicted (3.00 V)", "0.80"), ("Relaxed ends (3.10 V)", "0.90"))
    ] + [
        "First principles, here (2.20 V) and public label (3.05 V) are 0.85 V apart: more than their errors explain."
    ]


def test_a_label_outside_the_interval_is_a_contradiction() -> None:
    assert contradictions(voltages(ROW | {"mp_average_voltage_v": 3.3, "dft_voltage_v": None}))


def test_what_is_absent_is_none_and_never_agrees() -> None:
    known = voltages({"voltage_v": None, "voltage_error": "no neighbours", "relaxed_voltage_v": 3.0})
    assert [it.voltage_v for it in known] == [None, 3.0, None, None] and known[0].note == "no neighbours"
    assert all(it.agrees is None and it.off_v is None for it in known) and contradictions(known) == []


def test_a_relaxation_that_did_not_settle_says_so() -> None:
    relaxed = voltages({"voltage_v": 3.0, "framework": "not converged"})[1]
    assert (relaxed.voltage_v, relaxed.note) == (None, "relaxation not converged")


def test_what_the_redox_metals_pay_for_stands_apart() -> None:
    (paid,) = [it for it in voltages(ROW | {"relaxed_redox_voltage_v": 2.5}) if it.title == PAID]
    assert paid.voltage_v == 2.5 and paid.off_v is None


def test_energy_is_voltage_times_what_the_redox_metals_pay_for() -> None:
    row = ROW | {"capacity_redox_vol_ah_per_l": 900.0, "capacity_redox_grav_mah_per_g": None}
    found = energy_density(row)
    assert found["energy_vol_wh_per_l"] == 2700.0 and math.isnan(found["energy_grav_wh_per_kg"])
