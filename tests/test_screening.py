"""Thresholds, pass probabilities, Pareto front, funnel and order on frames small enough to work out by hand."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import RecordError
from core.probability import pass_probability
from core.records import CONFIDENCE
from core.screening import (
    Funnel,
    OutcomeCounts,
    Thresholds,
    eligible,
    funnel,
    objectives_of,
    pareto_front,
    passes,
    rank_for_dynamics,
    ranked,
)

NAN = math.nan
NO_SIGMA = Thresholds(sigma_ms_per_cm=None, definition="paper")
PAPER = Thresholds(definition="paper")


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["a", "b", "c", "d", "e"],
            "formula": ["MgMn2O4", "=cmd()", "MgO", "Mg2Sn", "-x"],
            "voltage_v": [3.2, 3.5, 2.0, NAN, 3.1],
            "voltage_std_v": [0.2, 0.5, 0.3, NAN, 0.0],
            "capacity_vol_ah_per_l": [1100.0, 700.0, 2000.0, 2500.0, 900.0],
            "sigma_ms_per_cm": [150.0, NAN, NAN, NAN, 20.0],
            "sigma_low_ms_per_cm": [100.0, NAN, NAN, NAN, 10.0],
            "sigma_high_ms_per_cm": [225.0, NAN, NAN, NAN, 40.0],
        }
    )


def test_default_thresholds_are_the_papers() -> None:
    assert Thresholds().as_dict() == {
        "definition": "cathode",
        "voltage_v": 3.0,
        "voltage_max_v": None,
        "capacity_vol_ah_per_l": 800.0,
        "sigma_ms_per_cm": 100.0,
        "barrier_ev": None,
    }


def test_threshold_must_be_finite_and_its_definition_known() -> None:
    with pytest.raises(RecordError, match="voltage_v is nan"):
        Thresholds(voltage_v=NAN)
    with pytest.raises(RecordError, match="'anode' is none of cathode, paper"):
        Thresholds(definition="anode")  # type: ignore[arg-type]


def test_passes_and_funnel(frame: pd.DataFrame) -> None:
    assert passes(frame, NO_SIGMA).tolist() == [True, False, False, False, True]
    assert funnel(frame, NO_SIGMA) == Funnel(all=5, voltage=3, capacity=2)
    wide = replace(PAPER, sigma_ms_per_cm=90.0)
    assert passes(frame, wide).tolist() == [True, False, False, False, False]
    found = funnel(frame, wide).conductivity
    assert found == OutcomeCounts(passed=1, undecided=0, untested=0, failed=1) and found.tested == 2


def test_an_interval_on_both_sides_of_the_limit_is_undecided_and_no_pass(frame: pd.DataFrame) -> None:
    """150 mS/cm, of which 100 to 225 is the 90 % interval, does not pass 110 though its mean lies above."""
    asked = replace(PAPER, sigma_ms_per_cm=110.0)
    assert not passes(frame, asked).any()
    assert funnel(frame, asked).conductivity == OutcomeCounts(passed=0, undecided=1, untested=0, failed=1)


def test_limit_melt_and_nothing_are_undecided_undecided_untested() -> None:
    """Below 270 mS/cm after an ion hardly moved, and a melt: both were simulated, neither passes 100."""
    rows = pd.DataFrame(
        {
            "voltage_v": [3.5] * 4,
            "voltage_std_v": [0.0] * 4,
            "capacity_vol_ah_per_l": [900.0] * 4,
            "sigma_verdict": ["upper limit", "framework melted", None, "upper limit"],
            "sigma_ms_per_cm": [NAN] * 4,
            "sigma_low_ms_per_cm": [NAN] * 4,
            "sigma_high_ms_per_cm": [270.0, NAN, NAN, 60.0],
        }
    )
    assert funnel(rows, PAPER).conductivity == OutcomeCounts(passed=0, undecided=2, untested=1, failed=1)
    chances = pass_probability(rows, PAPER)
    assert chances.p_all.tolist() == pytest.approx([1.0, 1.0 - CONFIDENCE, 1.0, 1.0 - CONFIDENCE])
    assert chances.p_all_without.tolist() == ["conductivity undecided", "", "conductivity untested", ""]
    assert set(pass_probability(rows, NO_SIGMA).p_all_without) == {""}


def test_an_upper_end_of_the_voltage_is_a_window(frame: pd.DataFrame) -> None:
    asked = replace(NO_SIGMA, voltage_max_v=3.15)
    assert passes(frame, asked).tolist() == [False, False, False, False, True]
    p_voltage = pass_probability(frame, asked).p_voltage
    assert p_voltage[0] == pytest.approx(0.8413447460685429 - 0.5987063256829237)  # 3.0 to 3.15 of 3.2 +- 0.2
    assert p_voltage[4] == 1.0 and math.isnan(p_voltage[3])
    with pytest.raises(RecordError, match="voltage_max_v is 2 V; it must lie above voltage_v, 3 V"):
        replace(NO_SIGMA, voltage_max_v=2.0)


def test_a_barrier_must_be_known_and_below_its_limit(frame: pd.DataFrame) -> None:
    known = frame.assign(barrier_ev=[0.5, 0.3, NAN, NAN, NAN], barrier_std_ev=[0.15, NAN, NAN, NAN, NAN])
    asked = Thresholds(sigma_ms_per_cm=None, barrier_ev=0.65, definition="paper")
    assert passes(known, asked).tolist() == [True, False, False, False, False]
    counts = funnel(known, asked)
    assert counts.capacity == 2 and counts.conductivity is None
    assert counts.barrier == OutcomeCounts(passed=1, undecided=0, untested=1, failed=0)
    chances = pass_probability(known, asked)
    assert chances.p_barrier[0] == pytest.approx(0.8413447460685429)  # one standard deviation below
    assert chances.p_barrier[1] == 1.0  # no error: a step
    assert chances.p_barrier[2:].isna().all()
    assert chances.p_all[0] == pytest.approx(0.8413447460685429**2)
    assert pass_probability(known, NO_SIGMA).p_barrier.isna().all()
    with pytest.raises(RecordError, match="barrier_ev is nan"):
        Thresholds(barrier_ev=NAN)


def test_value_at_the_threshold_does_not_pass() -> None:
    edge = pd.DataFrame({"voltage_v": [3.0], "capacity_vol_ah_per_l": [800.0]})
    assert not passes(edge, NO_SIGMA).any()


def test_pass_probability_by_hand(frame: pd.DataFrame) -> None:
    chances = pass_probability(frame, PAPER)
    assert chances.p_voltage[0] == pytest.approx(0.8413447460685429)  # one standard deviation above
    assert chances.p_voltage[1] == pytest.approx(0.8413447460685429)
    assert chances.p_voltage[4] == 1.0  # no spread: a step
    assert math.isnan(chances.p_voltage[3])
    assert chances.p_capacity.tolist() == [1.0, 0.0, 1.0, 1.0, 1.0]
    # sigma 150 within a factor 1.5 at 90 %: ln 1.5 / (ln 1.5 / 1.645) = 1.645 standard deviations above 100
    assert chances.p_conductivity[0] == pytest.approx(0.95, abs=1e-6)
    # 20 within a factor 2: ln(0.2) / (ln 2 / 1.645) = -3.82
    assert chances.p_conductivity[4] == pytest.approx(6.7e-5, rel=0.05)
    assert chances.p_conductivity[1:4].isna().all()
    assert chances.p_all[0] == pytest.approx(0.8413447460685429 * 0.95, abs=1e-6)
    assert chances.p_all[2] == chances.p_voltage[2]  # conductivity not known: left out
    assert math.isnan(chances.p_all[3])


def test_conductivity_probability_edges(frame: pd.DataFrame) -> None:
    assert pass_probability(frame, NO_SIGMA).p_conductivity.isna().all()
    zero = pass_probability(frame, Thresholds(sigma_ms_per_cm=0.0)).p_conductivity
    assert zero.dropna().tolist() == [1.0, 1.0]
    sharp = frame.assign(sigma_low_ms_per_cm=NAN, sigma_high_ms_per_cm=NAN)
    assert pass_probability(sharp, PAPER).p_conductivity.dropna().tolist() == [1.0, 0.0]


def test_an_upper_limit_below_the_threshold_leaves_one_in_ten(frame: pd.DataFrame) -> None:
    limits = frame.assign(sigma_ms_per_cm=NAN, sigma_low_ms_per_cm=NAN, sigma_high_ms_per_cm=60.0)
    assert pass_probability(limits, PAPER).p_conductivity.tolist() == pytest.approx([1.0 - CONFIDENCE] * 5)
    above = limits.assign(sigma_high_ms_per_cm=300.0)
    assert pass_probability(above, PAPER).p_conductivity.isna().all()


def test_probability_agrees_with_sampling(frame: pd.DataFrame) -> None:
    rng = np.random.default_rng(1)
    draws = rng.normal(frame.voltage_v[1], frame.voltage_std_v[1], 40_000)
    assert pass_probability(frame, NO_SIGMA).p_voltage[1] == pytest.approx((draws > 3.0).mean(), abs=0.01)


def test_pareto_front_by_hand(frame: pd.DataFrame) -> None:
    two = pareto_front(frame, ("voltage_v", "capacity_vol_ah_per_l"))
    assert two.tolist() == [True, True, True, False, False]
    assert pareto_front(frame).tolist() == [
        True,
        False,
        False,
        False,
        False,
    ]  # three objectives: only a and e have all
    assert pareto_front(frame.drop(columns="sigma_ms_per_cm")).tolist() == two.tolist()
    assert pareto_front(frame.iloc[:0]).tolist() == []
    assert objectives_of(NO_SIGMA) == ("voltage_v", "capacity_vol_ah_per_l")
    assert objectives_of(PAPER)[2] == "sigma_ms_per_cm"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("columns", [1, 2, 3])
def test_pareto_front_is_the_definition(seed: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 8, size=(60, columns)).astype(float)  # ties on purpose
    values[rng.random(values.shape) < 0.05] = np.nan
    names = tuple("xyz"[:columns])
    front = pareto_front(pd.DataFrame(values, columns=list(names)), names)
    known = [row for row in values if np.isfinite(row).all()]
    for row, on_front in zip(values, front, strict=True):
        dominated = any((other >= row).all() and (other > row).any() for other in known)
        assert on_front == (np.isfinite(row).all() and not dominated)


def test_the_likeliest_come_first_then_the_higher_voltage_then_the_id() -> None:
    twins = pd.DataFrame(
        {
            "id": ["c", "b", "a", "d"],
            "voltage_v": [3.5, 4.0, 4.0, NAN],
            "voltage_std_v": [0.0, 0.0, 0.0, NAN],
            "capacity_vol_ah_per_l": [900.0] * 4,
        }
    )
    ordered = ranked(twins, NO_SIGMA)
    assert ordered.id.tolist() == ["a", "b", "c", "d"]
    assert ordered.p_all.tolist()[:3] == [1.0] * 3 and math.isnan(ordered.p_all[3])


def test_dynamics_is_spent_on_redox_capacity_first_then_on_chance(frame: pd.DataFrame) -> None:
    redox = [900.0, NAN, 850.0, 900.0, 100.0]
    ordered = rank_for_dynamics(frame.assign(capacity_redox_vol_ah_per_l=redox), Thresholds())
    assert len(ordered) == len(frame)
    ids = frame.id.tolist()
    assert set(ordered.id[:3]) == {ids[0], ids[2], ids[3]}
    chances = pass_probability(ordered, NO_SIGMA).p_all
    assert chances[:2].is_monotonic_decreasing


@pytest.fixture
def salts() -> pd.DataFrame:
    """Two that the paper's definition lets pass, of which the first has nothing to give, and a spinel."""
    return pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "formula": ["MgFeF5", "MgCrF4", "MgCr2O4"],
            "chemsys": ["F-Fe-Mg", "Cr-F-Mg", "Cr-Mg-O"],
            "voltage_v": [4.5, 4.0, 3.6],
            "voltage_std_v": [0.1, 0.2, 0.2],
            "capacity_vol_ah_per_l": [900.0, 1200.0, 1173.0],
            "capacity_redox_vol_ah_per_l": [0.0, 1200.0, 1173.0],
            "sigma_verdict": [None, "framework melted", None],
        }
    )


CATHODES = Thresholds(sigma_ms_per_cm=None)


def test_as_cathodes_only_what_redox_pays_for_counts(salts: pd.DataFrame) -> None:
    assert passes(salts, NO_SIGMA).tolist() == [True, True, True]
    assert passes(salts, CATHODES).tolist() == [False, True, True]
    assert pass_probability(salts, CATHODES).p_all[0] == 0.0 < pass_probability(salts, NO_SIGMA).p_all[0]
    assert objectives_of(CATHODES) == ("voltage_v", "capacity_redox_vol_ah_per_l")
    counts = funnel(salts, CATHODES)
    assert (counts.voltage, counts.capacity, counts.verdict) == (3, 2, 1)
    assert funnel(salts, CATHODES, ("open", "doubtful")).verdict == 2
    assert funnel(salts, NO_SIGMA).verdict is None


def test_the_verdict_orders_before_the_chance_but_not_by_the_papers_definition(salts: pd.DataFrame) -> None:
    assert ranked(salts, CATHODES).formula.tolist() == ["MgCr2O4", "MgCrF4", "MgFeF5"]
    assert ranked(salts, CATHODES).verdict.tolist() == ["open", "doubtful", "no cathode"]
    assert ranked(salts, NO_SIGMA).formula.tolist() == ["MgCr2O4", "MgFeF5", "MgCrF4"]  # which melts
    likelier = salts.assign(voltage_std_v=[0.1, 1.0, 1.0])
    assert ranked(likelier, NO_SIGMA).formula.tolist() == ["MgFeF5", "MgCrF4", "MgCr2O4"]


def test_what_redox_cannot_count_has_no_chance_stated(salts: pd.DataFrame) -> None:
    unknown = salts.assign(capacity_redox_vol_ah_per_l=NAN)
    assert pass_probability(unknown, CATHODES).p_all.isna().all()
    assert not passes(unknown, CATHODES).any() and eligible(unknown, NO_SIGMA).all()
