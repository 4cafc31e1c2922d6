"""The verdict: every criterion in every state, and what becomes of them together."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.supply import TOXIC, prices_usd_per_kg, shunned
from core.thresholds import Thresholds
from core.verdict import VERDICTS, judge, judgement, with_reasons

ASKED = Thresholds(sigma_ms_per_cm=None)
GOOD: dict[str, Any] = {
    "id": "c", "formula": "MgNi2O4", "chemsys": "Mg-Ni-O", "working_ion": "Mg", "license": "CC BY 4.0",
    "voltage_v": 3.5, "voltage_std_v": 0.2, "voltage_low_v": 3.2, "voltage_high_v": 3.8, "in_domain": True,
    "capacity_vol_ah_per_l": 1200.0, "capacity_redox_vol_ah_per_l": 1200.0, "e_above_hull_ev_per_atom": 0.0,
    "relaxed_voltage_v": 3.4, "relaxed_redox_voltage_v": None, "framework": "topotactic", "volume_change": -0.1,
    "largest_move_a": 0.2, "charged_e_above_hull_ev_per_atom": 0.1, "charged_e_above_hull_std_ev_per_atom": 0.02,
    "discharged_e_above_hull_ev_per_atom": 0.01, "discharged_e_above_hull_std_ev_per_atom": 0.02,
    "conversion_voltage_v": 2.5, "sigma_ms_per_cm": None, "sigma_high_ms_per_cm": None, "sigma_verdict": None,
    "sigma_temperature_k": None,
}  # fmt: skip


def state_of(key: str, **changes: Any) -> tuple[str, str]:
    (found,) = [it for it in judgement(GOOD | changes, ASKED).criteria if it.key == key]
    return found.state, found.text


def verdict_of(**changes: Any) -> str:
    row = pd.DataFrame([GOOD | changes])
    told = str(judge(row, ASKED)["verdict"].iloc[0])
    assert told == judgement(GOOD | changes, ASKED).verdict
    return told


@pytest.mark.parametrize(
    ("key", "changes", "state", "words"),
    [
        ("redox", {}, "for", "Ni"),
        ("redox", {"capacity_redox_vol_ah_per_l": 0.0}, "against", "no electrons"),
        ("redox", {"chemsys": "Al-Mg-O", "capacity_redox_vol_ah_per_l": 0.0}, "against", "no redox metal"),
        ("redox", {"chemsys": "Cu-Mg", "capacity_redox_vol_ah_per_l": None}, "against", "no anion"),
        ("redox", {"capacity_redox_vol_ah_per_l": None}, "unknown", "cannot be counted"),
        ("capacity", {}, "for", "1,200 Ah/L"),
        ("capacity", {"capacity_redox_vol_ah_per_l": 600.0}, "against", "600 Ah/L"),
        ("capacity", {"capacity_redox_vol_ah_per_l": None}, "unknown", "cannot be counted"),
        ("voltage", {}, "for", "3.50 V"),
        ("voltage", {"voltage_v": 2.0, "voltage_low_v": 1.7, "voltage_high_v": 2.3}, "against", "2.00 V"),
        ("voltage", {"voltage_v": 2.9, "voltage_low_v": 2.6, "voltage_high_v": 3.2}, "unknown", "2.90 V"),
        ("voltage", {"in_domain": False}, "unknown", "out of the model's domain"),
        ("agreement", {}, "for", "3.40 V"),
        ("agreement", {"relaxed_voltage_v": 2.5}, "against", "1.00 V off"),
        ("agreement", {"relaxed_voltage_v": None}, "unknown", "no relaxed voltage"),
        ("electrolyte", {}, "for", "within"),
        ("electrolyte", {"voltage_v": 5.4, "voltage_low_v": 5.0, "voltage_high_v": 5.8}, "against", "beyond"),
        ("electrolyte", {"voltage_v": 4.5, "voltage_low_v": 4.2, "voltage_high_v": 4.8}, "unknown", "perhaps"),
        ("host", {}, "for", "topotactic"),
        ("host", {"framework": "distorted"}, "unknown", "look at it"),
        ("host", {"framework": "collapsed"}, "against", "collapsed"),
        ("host", {"framework": None}, "unknown", "not relaxed"),
        ("charged", {}, "for", "0.100"),
        ("charged", {"charged_e_above_hull_ev_per_atom": 0.19}, "unknown", "0.190"),
        ("charged", {"charged_e_above_hull_ev_per_atom": 0.3}, "against", "0.300"),
        ("charged", {"charged_e_above_hull_ev_per_atom": None}, "unknown", "not known"),
        ("discharged", {}, "for", "stated by its source"),
        ("discharged", {"e_above_hull_ev_per_atom": 0.15}, "against", "0.150"),
        ("discharged", {"e_above_hull_ev_per_atom": None}, "for", "computed"),
        ("insertion", {}, "for", "above conversion at 2.50 V"),
        ("insertion", {"conversion_voltage_v": 3.5}, "unknown", "below conversion"),
        ("insertion", {"conversion_voltage_v": 3.9}, "against", "below conversion"),
        ("insertion", {"relaxed_redox_voltage_v": 2.0}, "against", "inserts at 2.00 V"),
        ("insertion", {"conversion_voltage_v": None}, "unknown", "not known"),
        ("elements", {}, "for", "no radioactive or rare"),
        ("elements", {"chemsys": "Mg-O-Tc"}, "against", "radioactive"),
        ("elements", {"chemsys": "Au-Mg-O"}, "against", "rare"),
        ("dynamics", {}, "unknown", "not simulated"),
        ("dynamics", {"sigma_verdict": "framework melted", "sigma_temperature_k": 1200.0}, "against", "melted"),
        ("dynamics", {"sigma_verdict": "diffusive", "sigma_ms_per_cm": 250.0}, "for", "250 mS/cm"),
        ("dynamics", {"sigma_verdict": "upper limit", "sigma_high_ms_per_cm": 40.0}, "against", "less than"),
        ("dynamics", {"sigma_verdict": "upper limit", "sigma_high_ms_per_cm": 300.0}, "unknown", "less than"),
    ],
)  # fmt: skip
def test_a_criterion_says_what_it_found(key: str, changes: dict[str, Any], state: str, words: str) -> None:
    found, text = state_of(key, **changes)
    assert found == state
    assert words in text


def test_the_verdict_follows_from_the_criteria() -> None:
    assert VERDICTS == ("make next", "open", "doubtful", "no cathode")
    assert verdict_of() == "make next"
    assert verdict_of(framework=None, relaxed_voltage_v=None) == "open"
    assert verdict_of(framework="collapsed") == "doubtful"
    assert verdict_of(sigma_verdict="framework melted") == "doubtful"
    assert verdict_of(framework="collapsed", capacity_redox_vol_ah_per_l=0.0) == "no cathode"


@pytest.mark.parametrize("missing", sorted(set(GOOD) - {"id", "formula"}))
def test_what_is_not_known_never_counts_for_it(missing: str) -> None:
    known = {it.key for it in judgement(GOOD, ASKED).of("for")}
    without = {it.key for it in judgement(GOOD | {missing: None}, ASKED).of("for")}
    assert without <= known


def test_nothing_known_is_open_or_no_cathode_and_never_for() -> None:
    empty = pd.DataFrame([dict.fromkeys(GOOD)])
    assert judge(empty, ASKED)["verdict"].astype(str).tolist() == ["open"]
    assert not judgement(dict.fromkeys(GOOD), ASKED).of("for")


def test_a_licence_is_a_remark_and_never_against() -> None:
    assert verdict_of(license="CC BY-NC 4.0") == "make next"
    assert "CC BY-NC" in " ".join(
        it.text for it in judgement(GOOD | {"license": "CC BY-NC 4.0"}, ASKED).of("remark")
    )


def test_reasons_stand_in_words_beside_each_row() -> None:
    frame = pd.DataFrame([GOOD, GOOD | {"framework": "collapsed"}])
    told = with_reasons(frame.assign(verdict=judge(frame, ASKED)["verdict"].astype(str)), ASKED)
    assert told["reasons_against"].tolist()[0] == "" and "collapsed" in told["reasons_against"].tolist()[1]
    assert "1,200 Ah/L" in told["reasons_for"].tolist()[0]


def test_prices_elements_and_what_is_shunned() -> None:
    cheap, dear, unknown = prices_usd_per_kg(pd.Series(["MgFeSiO4", "MgAuO2", "MgTc2O4"]))
    assert 0 < cheap < dear
    assert np.isnan(unknown) or unknown > 0
    assert shunned(["Mg", "Tc", "O"])[0] == ["Tc"] or tuple(shunned(["Mg", "Tc", "O"])[0]) == ("Tc",)
    assert {"As", "Cd", "Hg", "Pb"} <= set(TOXIC)
