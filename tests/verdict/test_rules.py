"""Each criterion in each state, with the words that name its numbers; what is unknown never speaks for a candidate."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.thresholds import CHARGED_HULL_EV_PER_ATOM, DISCHARGED_HULL_EV_PER_ATOM, Thresholds
from core.verdict import (
    ELECTROLYTE_V,
    RELAXED_SPREAD_V,
    RULES,
    Criterion,
    judgement,
)

NAN = float("nan")
STATED, HULL, HULL_STD = (
    "e_above_hull_ev_per_atom",
    "discharged_e_above_hull_ev_per_atom",
    "discharged_e_above_hull_std_ev_per_atom",
)
CHARGED, CHARGED_STD = "charged_e_above_hull_ev_per_atom", "charged_e_above_hull_std_ev_per_atom"
PREDICTED = {
    "voltage_v": 3.2, "voltage_std_v": 0.1, "voltage_low_v": 3.0, "voltage_high_v": 3.4, "in_domain": True,
}  # fmt: skip


def criterion(key: str, row: dict[str, Any], thresholds: Thresholds | None = None) -> Criterion:
    """The criterion of that key on a row that holds nothing else."""
    (found,) = [it for it in judgement(row, thresholds or Thresholds()).criteria if it.key == key]
    return found


# key, what the row holds, state, words that must come out
CASES: list[tuple[str, dict[str, Any], str, tuple[str, ...]]] = [
    # redox
    ("redox", {"chemsys": "Mg-Mn-O", "capacity_redox_vol_ah_per_l": 1113.2}, "for", ("Mn can pay",)),
    ("redox", {"chemsys": "Co-Mg-Ni-O", "capacity_redox_vol_ah_per_l": 900.0}, "for", ("Co and Ni",)),
    ("redox", {"capacity_redox_vol_ah_per_l": 900.0}, "for", ("a redox metal can pay",)),
    ("redox", {"chemsys": "F-Mg", "capacity_redox_vol_ah_per_l": 0.0}, "against", ("no redox metal",)),
    ("redox", {"chemsys": "F-Mg"}, "against", ("no redox metal",)),
    ("redox", {"chemsys": "Mg-Ni"}, "against", ("no anion", "intermetallic")),
    ("redox", {"chemsys": "F-Fe-Mg", "capacity_redox_vol_ah_per_l": 0.0}, "against", ("Fe", "no electrons")),
    ("redox", {"chemsys": "Mg-Mn-P"}, "unknown", ("cannot be counted",)),
    ("redox", {}, "unknown", ("cannot be counted",)),
    # barrier
    ("barrier", {"barrier_ev": 0.5, "barrier_std_ev": 0.1}, "for", ("0.50 ± 0.10 eV", "up to 0.65 allowed")),
    ("barrier", {"barrier_ev": 1.36, "barrier_std_ev": 0.34}, "against", ("1.36 ± 0.34 eV", "up to 0.65 allowed")),
    ("barrier", {"barrier_ev": 0.6, "barrier_std_ev": 0.1}, "unknown", ("too near the 0.65",)),
    ("barrier", {"barrier_ev": 0.2}, "unknown", ("0.20 (error not known) eV",)),
    ("barrier", {}, "unknown", ("not known",)),
    # capacity
    ("capacity", {"capacity_redox_vol_ah_per_l": 1113.2}, "for", ("1,113 Ah/L", "800 Ah/L asked for")),
    ("capacity", {"capacity_redox_vol_ah_per_l": 556.6}, "against", ("557 Ah/L", "800 Ah/L asked for")),
    ("capacity", {"capacity_vol_ah_per_l": 1113.2}, "unknown", ("cannot be counted",)),
    # voltage
    ("voltage", PREDICTED, "for", ("3.20 V", "3.00 to 3.40 V", "3.00 V asked for")),
    ("voltage", {"voltage_v": 3.2, "in_domain": True}, "unknown", ("predicted 3.20 V (error not known), 3.00 V",)),
    (
        "voltage", {**PREDICTED, "voltage_high_v": None}, "unknown", ("predicted 3.20 V (error not known)",)
    ),
    ("voltage", {**PREDICTED, "in_domain": None}, "unknown", ("not known whether in the model's domain",)),
    ("voltage", {**PREDICTED, "in_domain": pd.NA}, "unknown", ("not known whether in the model's domain",)),
    ("voltage", {**PREDICTED, "in_domain": False}, "unknown", ("3.20 V", "out of the model's domain")),
    (
        "voltage", {"voltage_v": 2.9, "voltage_low_v": 2.6, "voltage_high_v": 3.2}, "unknown",
        ("2.90 V", "2.60 to 3.20 V"),
    ),
    (
        "voltage", {"voltage_v": 2.0, "voltage_low_v": 1.7, "voltage_high_v": 2.3}, "against",
        ("2.00 V", "1.70 to 2.30 V", "3.00 V asked for"),
    ),
    ("voltage", {"voltage_low_v": 3.1}, "unknown", ("no predicted voltage",)),
    (
        "voltage", {**PREDICTED, "relaxed_voltage_v": 3.1, "relaxed_redox_voltage_v": 2.7}, "unknown",
        ("predicted 3.20 V", "about 2.80 V as far as the redox metals pay", "3.00 V asked for"),
    ),
    (
        "voltage", {**PREDICTED, "relaxed_voltage_v": 3.1, "relaxed_redox_voltage_v": 2.3}, "against",
        ("predicted 3.20 V", "about 2.40 V as far as the redox metals pay"),
    ),
    (
        "voltage", {**PREDICTED, "relaxed_voltage_v": 3.1, "relaxed_redox_voltage_v": 3.0}, "for",
        ("predicted 3.20 V", "about 3.10 V as far as the redox metals pay"),
    ),
    # a second opinion
    ("agreement", {**PREDICTED, "relaxed_voltage_v": 3.3}, "for", ("3.30 V", "0.10 V off", "within")),
    ("agreement", {**PREDICTED, "relaxed_voltage_v": 4.3}, "against", ("4.30 V", "1.10 V off", "more than")),
    ("agreement", {**PREDICTED, "relaxed_voltage_v": 2.1}, "against", ("2.10 V", "1.10 V off", "more than")),
    ("agreement", {"relaxed_voltage_v": 3.3}, "unknown", ("3.30 V", "no prediction")),
    (
        "agreement", {**PREDICTED, "relaxed_voltage_v": 3.3, "voltage_std_v": None}, "unknown",
        ("3.30 V", "0.10 V off", "error is not known"),
    ),
    (
        "agreement", {**PREDICTED, "relaxed_voltage_v": 9.3, "voltage_std_v": pd.NA}, "unknown",
        ("9.30 V", "error is not known"),
    ),
    ("agreement", PREDICTED, "unknown", ("no relaxed voltage yet",)),
    (
        "agreement", PREDICTED | {"framework": "not converged"}, "unknown",
        ("no relaxed voltage", "relaxation had not settled"),
    ),
    # first principles
    ("first principles", {"dft_voltage_v": 3.2}, "for", ("3.20 V by first principles", "3.00 V asked for")),
    ("first principles", {"dft_voltage_v": 2.6}, "unknown", ("2.60 V by first principles",)),
    ("first principles", {"dft_voltage_v": 2.4}, "against", ("2.40 V by first principles",)),
    ("first principles", {"voltage_v": 3.2}, "unknown", ("not checked",)),
    # electrolyte
    ("electrolyte", PREDICTED, "for", ("3.20 V is within", "4.6 V")),
    (
        "electrolyte", {"voltage_v": 4.5, "voltage_low_v": 4.2, "voltage_high_v": 4.8}, "unknown",
        ("4.50 V (90 %: 4.20 to 4.80 V) is perhaps beyond", "4.6 V", "not known whether in the model's domain"),
    ),
    (
        "electrolyte", {**PREDICTED, "in_domain": False}, "unknown",
        ("3.20 V (90 %: 3.00 to 3.40 V) is not surely within", "out of the model's domain"),
    ),
    (
        "electrolyte", {"voltage_v": 3.2, "in_domain": True}, "unknown",
        ("3.20 V (error not known) is not surely within",),
    ),
    (
        "electrolyte", {"voltage_v": 5.0, "voltage_low_v": 4.7, "voltage_high_v": 5.3}, "against",
        ("5.00 V is beyond", "4.6 V"),
    ),
    ("electrolyte", {**PREDICTED, "working_ion": "Mg"}, "for", ("within",)),
    ("electrolyte", {**PREDICTED, "working_ion": "Ca"}, "unknown", ("electrolytes of Ca",)),
    ("electrolyte", {"voltage_v": 5.0, "working_ion": "Ca"}, "unknown", ("electrolytes of Ca",)),
    ("electrolyte", {**PREDICTED, "working_ion": None}, "unknown", ("working ion not known",)),
    ("electrolyte", {}, "unknown", ("no predicted voltage",)),
    # host
    (
        "host", {"framework": "topotactic", "volume_change": -0.042, "largest_move_a": 0.31}, "for",
        ("topotactic", "-4.2%", "0.31 Å"),
    ),
    ("host", {"framework": "topotactic"}, "for", ("host topotactic",)),
    (
        "host", {"framework": "collapsed", "volume_change": -0.31, "largest_move_a": 2.4}, "against",
        ("collapsed", "-31.0%", "2.40 Å"),
    ),
    (
        "host", {"framework": "distorted", "volume_change": 0.08}, "unknown",
        ("distorted", "+8.0%", "comes back is not known"),
    ),
    ("host", {"framework": "not converged"}, "unknown", ("had not settled", "survives charging is not known")),
    ("host", {"volume_change": 0.01}, "unknown", ("not relaxed yet",)),
    # charged end
    ("charged", {CHARGED: 0.12, CHARGED_STD: 0.03}, "for", ("0.120 ± 0.030 eV/atom", "0.2 allowed")),
    ("charged", {CHARGED: 0.12}, "unknown", ("0.120 (error not known) eV/atom",)),
    ("charged", {CHARGED: 0.5, CHARGED_STD: pd.NA}, "unknown", ("0.500 (error not known) eV/atom",)),
    ("charged", {CHARGED: -0.045, CHARGED_STD: 0.02}, "for", ("0.045 ± 0.020 eV/atom below the hull",)),
    ("charged", {CHARGED: -0.0001, CHARGED_STD: 0.02}, "for", ("end 0.000 ± 0.020 eV/atom above the hull",)),
    (
        "charged", {CHARGED: 0.19, CHARGED_STD: 0.03}, "unknown",
        ("0.190 ± 0.030 eV/atom", "too near the 0.2 allowed to tell"),
    ),
    ("charged", {CHARGED: 0.21, CHARGED_STD: 0.03}, "unknown", ("0.210 ± 0.030 eV/atom",)),
    ("charged", {CHARGED: 0.35, CHARGED_STD: 0.03}, "against", ("0.350 ± 0.030 eV/atom", "0.2 allowed")),
    ("charged", {CHARGED_STD: 0.03}, "unknown", ("not known",)),
    (
        "charged", {CHARGED: 0.35, CHARGED_STD: 0.03, "framework": "not converged"}, "unknown",
        ("at most 0.350 ± 0.030 eV/atom above the hull: it had not settled",),
    ),
    ("charged", {CHARGED: 0.12, CHARGED_STD: 0.03, "framework": "not converged"}, "for", ("0.120 ± 0.030",)),
    ("charged", {CHARGED: -0.15, CHARGED_STD: 0.03}, "unknown", ("0.150 ± 0.030", "too far to judge by")),
    # discharged compound
    ("discharged", {STATED: 0.02}, "for", ("0.020 eV/atom", "0.1 allowed", "stated by its source")),
    ("discharged", {STATED: 0.3}, "against", ("0.300 eV/atom", "stated by its source")),
    ("discharged", {HULL: 0.02, HULL_STD: 0.03}, "for", ("0.020 ± 0.030 eV/atom", "computed")),
    (
        "discharged", {HULL: 0.09, HULL_STD: 0.03}, "unknown",
        ("0.090 ± 0.030 eV/atom", "too near the 0.1 allowed to tell, computed"),
    ),
    ("discharged", {HULL: 0.3, HULL_STD: 0.03}, "against", ("0.300 ± 0.030 eV/atom", "computed")),
    ("discharged", {HULL: 0.02}, "unknown", ("0.020 (error not known) eV/atom", "computed")),
    ("discharged", {}, "unknown", ("not known",)),
    # insertion before conversion
    (
        "insertion", {"relaxed_voltage_v": 3.2, "conversion_voltage_v": 1.4}, "for",
        ("3.20 V", "above conversion at 1.40 V"),
    ),
    (
        "insertion", {"relaxed_voltage_v": 1.2, "conversion_voltage_v": 1.8}, "against",
        ("1.20 V", "below conversion at 1.80 V"),
    ),
    (
        "insertion", {"relaxed_voltage_v": 1.7, "conversion_voltage_v": 1.8}, "unknown",
        ("1.70 V", "within the error of conversion at 1.80 V"),
    ),
    (
        "insertion", {"relaxed_voltage_v": 2.0, "conversion_voltage_v": 1.8}, "unknown",
        ("2.00 V", "within the error of conversion at 1.80 V"),
    ),
    ("insertion", {"relaxed_voltage_v": 3.2}, "unknown", ("conversion voltage not known",)),
    ("insertion", {"conversion_voltage_v": 1.8}, "unknown", ("no relaxed voltage", "conversion at 1.80 V")),
    (
        "insertion", {"relaxed_redox_voltage_v": 2.54, "conversion_voltage_v": 1.52}, "for",
        ("2.54 V as far as the redox metals pay", "above conversion at 1.52 V"),
    ),
    # elements
    ("elements", {"chemsys": "Mg-Mn-O"}, "for", ("no radioactive or rare",)),
    ("elements", {"chemsys": "Mg-O-Tc"}, "against", ("Tc radioactive",)),
    ("elements", {"chemsys": "Mg-O-Pu-U"}, "against", ("Pu and U radioactive",)),
    ("elements", {"chemsys": "Au-Mg-O"}, "against", ("Au rare",)),
    ("elements", {"chemsys": "Ir-Mg-O-U"}, "against", ("U radioactive", "Ir rare")),
    ("elements", {}, "unknown", ("not known",)),
    ("elements", {"chemsys": NAN}, "unknown", ("not known",)),
    ("redox", {"chemsys": NAN, "capacity_redox_vol_ah_per_l": 0.0}, "against", ("no electrons to give",)),
    # dynamics
    (
        "dynamics",
        {"sigma_verdict": "diffusive", "sigma_ms_per_cm": 250.0, "sigma_low_ms_per_cm": 150.0,
         "sigma_high_ms_per_cm": 400.0, "sigma_temperature_k": 1200.0},
        "for", ("conducts 250 mS/cm at 1200 K", "100 asked for"),
    ),
    (
        "dynamics",
        {"sigma_verdict": "diffusive", "sigma_ms_per_cm": 20.0, "sigma_high_ms_per_cm": 40.0},
        "against", ("20 mS/cm", "100 asked for"),
    ),
    (
        "dynamics",
        {"sigma_verdict": "diffusive", "sigma_ms_per_cm": 80.0, "sigma_high_ms_per_cm": 140.0},
        "unknown", ("80 mS/cm", "100 asked for"),
    ),
    (
        "dynamics",
        {"sigma_verdict": "upper limit", "sigma_high_ms_per_cm": 12.0, "sigma_temperature_k": 1200.0},
        "against", ("less than 12 mS/cm at 1200 K",),
    ),
    (
        "dynamics", {"sigma_verdict": "framework melted", "sigma_temperature_k": 1200.0}, "against",
        ("the framework melts at 1200 K",),
    ),
    (
        "dynamics",
        {"sigma_verdict": "framework melted", "sigma_ms_per_cm": 500.0, "sigma_temperature_k": 1200.0},
        "against", ("the framework melts at 1200 K, and conducts 500 mS/cm, 100 asked for",),
    ),
    (
        "dynamics", {"sigma_verdict": "framework melted", "sigma_high_ms_per_cm": 12.0}, "against",
        ("the framework melts, and conducts less than 12 mS/cm",),
    ),
    ("dynamics", {"sigma_ms_per_cm": 500.0}, "unknown", ("conducts 500 mS/cm", "which does not decide it")),
    ("dynamics", {"sigma_verdict": "too short"}, "unknown", ("too short",)),
    ("dynamics", {}, "unknown", ("not simulated",)),
]  # fmt: skip


@pytest.mark.parametrize(("key", "row", "state", "words"), CASES)
def test_state_and_words(key: str, row: dict[str, Any], state: str, words: tuple[str, ...]) -> None:
    found = criterion(key, row)
    assert found.state == state
    for word in words:
        assert word in found.text


@pytest.mark.parametrize("key", [rule.key for rule in RULES])
def test_every_criterion_is_seen_in_all_three_states(key: str) -> None:
    assert {state for of, _, state, _ in CASES if of == key} == {"for", "against", "unknown"}


@pytest.mark.parametrize("missing", [None, NAN])
@pytest.mark.parametrize(("key", "row", "state", "words"), CASES)
def test_a_criterion_without_its_columns_is_unknown(
    key: str, row: dict[str, Any], state: str, words: tuple[str, ...], missing: Any
) -> None:
    assert criterion(key, dict.fromkeys(row, missing)).state == "unknown"


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        ("agreement", {"voltage_v": 3.2, "voltage_std_v": 0.1}, {"relaxed_voltage_v": 3.3}),
        ("insertion", {"relaxed_voltage_v": 3.2}, {"conversion_voltage_v": 1.4}),
    ],
)
def test_a_comparison_needs_both_sides(key: str, one: dict[str, Any], other: dict[str, Any]) -> None:
    assert criterion(key, {**one, **other}).state == "for"
    for row in (one, other, {**one, **dict.fromkeys(other, NAN)}, {**other, **dict.fromkeys(one, NAN)}):
        assert criterion(key, row).state == "unknown"


@pytest.mark.parametrize(
    ("key", "row"),
    [
        ("host", {"framework": "distorted", "volume_change": 0.0, "largest_move_a": 0.0}),
        ("voltage", {"voltage_v": 9.0, "voltage_low_v": 8.9, "voltage_high_v": 9.1, "in_domain": False}),
        ("dynamics", {"sigma_low_ms_per_cm": 900.0, "sigma_high_ms_per_cm": 1000.0}),
        ("redox", {"chemsys": "Mg-Mn-O"}),
    ],
    ids=[
        "distorted host",
        "voltage out of domain",
        "interval without a value",
        "redox metal without a count",
    ],
)
def test_good_numbers_that_prove_nothing_are_not_for(key: str, row: dict[str, Any]) -> None:
    assert criterion(key, row).state == "unknown"


def test_an_asked_for_value_has_to_be_exceeded() -> None:
    asked = Thresholds(voltage_v=3.0, capacity_vol_ah_per_l=800.0)
    assert criterion("capacity", {"capacity_redox_vol_ah_per_l": 800.0}, asked).state == "against"
    assert criterion("voltage", PREDICTED | {"voltage_v": 3.0}, asked).state == "unknown"


def test_limits_follow_the_thresholds_asked_for() -> None:
    lower = Thresholds(voltage_v=1.5, capacity_vol_ah_per_l=400.0, sigma_ms_per_cm=10.0)
    slow = {
        "sigma_verdict": "diffusive", "sigma_ms_per_cm": 20.0, "sigma_low_ms_per_cm": 12.0,
        "sigma_high_ms_per_cm": 40.0,
    }  # fmt: skip
    capacity = criterion("capacity", {"capacity_redox_vol_ah_per_l": 556.6}, lower)
    voltage = criterion("voltage", PREDICTED | {"voltage_v": 2.0}, lower)
    dynamics = criterion("dynamics", slow, lower)
    assert [capacity.state, voltage.state, dynamics.state] == ["for", "for", "for"]
    assert "400 Ah/L asked for" in capacity.text
    assert "1.50 V asked for" in voltage.text
    assert "10 asked for" in dynamics.text


def test_a_limit_of_nought_is_a_limit() -> None:
    slow = {
        "sigma_verdict": "diffusive", "sigma_ms_per_cm": 20.0, "sigma_low_ms_per_cm": 12.0,
        "sigma_high_ms_per_cm": 40.0,
    }  # fmt: skip
    assert criterion("dynamics", slow, Thresholds(sigma_ms_per_cm=0.0)).state == "for"


def test_a_slow_host_is_slow_when_no_conductivity_is_asked_for() -> None:
    slow = {
        "sigma_verdict": "diffusive", "sigma_ms_per_cm": 20.0, "sigma_low_ms_per_cm": 12.0,
        "sigma_high_ms_per_cm": 40.0,
    }  # fmt: skip
    found = criterion("dynamics", slow, Thresholds(sigma_ms_per_cm=None))
    assert found.state == "against" and found.text == "conducts 20 mS/cm, the paper asks for 100"


@pytest.mark.parametrize("spread_v", [0.0, 0.2, 0.5])
def test_two_voltages_agree_within_the_90_percent_interval_of_their_difference(spread_v: float) -> None:
    # 1.6449: the standard normal's 95th percentile
    allowed_v = 1.6449 * np.hypot(spread_v, RELAXED_SPREAD_V)
    row = {"voltage_v": 3.0, "voltage_std_v": spread_v}
    for sign in (-1.0, 1.0):
        inside, outside = 3.0 + sign * 0.999 * allowed_v, 3.0 + sign * 1.001 * allowed_v
        assert criterion("agreement", {**row, "relaxed_voltage_v": inside}).state == "for"
        assert criterion("agreement", {**row, "relaxed_voltage_v": outside}).state == "against"


@pytest.mark.parametrize(
    ("key", "value", "std", "limit"),
    [
        ("charged", CHARGED, CHARGED_STD, CHARGED_HULL_EV_PER_ATOM),
        ("discharged", HULL, HULL_STD, DISCHARGED_HULL_EV_PER_ATOM),
    ],
)
def test_what_lies_within_the_error_of_a_hull_limit_is_unknown(
    key: str, value: str, std: str, limit: float
) -> None:
    found = [
        criterion(key, {value: limit + factor * 0.03, std: 0.03}).state
        for factor in (-1.01, -0.99, 0.0, 0.99, 1.01)
    ]
    assert found == ["for", "unknown", "unknown", "unknown", "against"]


def test_what_the_source_states_stands_before_what_was_computed() -> None:
    found = criterion("discharged", {STATED: 0.01, HULL: 0.4, HULL_STD: 0.2})
    assert found.state == "for"
    assert "0.010 eV/atom" in found.text and "stated by its source" in found.text


def test_insertion_goes_down_to_the_ions_that_redox_metals_pay_for() -> None:
    row = {"relaxed_voltage_v": 3.2, "relaxed_redox_voltage_v": 1.2, "conversion_voltage_v": 1.8}
    found = criterion("insertion", row)
    assert found.state == "against"
    assert "1.20 V" in found.text and "3.20 V" not in found.text


def test_a_voltage_within_the_electrolyte_by_value_alone_is_not_enough() -> None:
    states = [
        criterion(
            "electrolyte",
            {"voltage_v": v, "voltage_low_v": v - 0.3, "voltage_high_v": v + 0.3, "in_domain": True},
        ).state
        for v in (ELECTROLYTE_V - 0.31, ELECTROLYTE_V - 0.1, ELECTROLYTE_V + 0.1, ELECTROLYTE_V + 0.31)
    ]
    assert states == ["for", "unknown", "unknown", "against"]


@pytest.mark.parametrize("sigma", [NAN, 500.0])
def test_a_melted_framework_is_against_whatever_it_conducts(sigma: float) -> None:
    found = criterion("dynamics", {"sigma_verdict": "framework melted", "sigma_ms_per_cm": sigma})
    assert found.state == "against"


def test_keys_are_unique_and_only_costly_checks_may_stay_unknown() -> None:
    assert len({rule.key for rule in RULES}) == len({rule.title for rule in RULES}) == len(RULES)
    assert [rule.key for rule in RULES if not rule.needed] == ["first principles", "barrier", "dynamics"]
    assert RULES[0].key == "redox"


def test_columns_of_other_sizes_of_number_are_read() -> None:
    row = pd.Series({"capacity_redox_vol_ah_per_l": np.float32(1113.2), "n_sites": np.int32(14)}).to_dict()
    assert criterion("capacity", row).state == "for"
