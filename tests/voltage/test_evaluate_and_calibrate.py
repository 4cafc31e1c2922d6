"""Error tables against hand-worked figures, and intervals that hold what they say."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import TrainingError
from core.ions import PAPER_IONS
from core.voltage.calibrate import (
    Domain,
    Held,
    coverage,
    cross_checked_coverage,
    cross_fitted_inside,
    fit_calibration,
)
from core.voltage.evaluation.errors import (
    ALL,
    PAPER_MAE_V,
    SEVEN,
    ErrorRow,
    baselines,
    error_table,
    format_table,
    resampled,
)
from core.voltage.groups import KNOWN, NEW, factors_of, fit_factors, framework, group
from tests.voltage.crystals import spinel
from tests.voltage.labelled import strained


def test_errors_by_ion_by_hand():
    labels = np.array([1.0, 2.0, 3.0, 5.0])
    predicted = np.array([1.5, 2.0, 2.0, 5.5])
    ions = ["Li", "Li", "Li", "Mg"]
    rows = error_table(labels, predicted, ions, (np.full(4, 2.0), np.full(4, 3.0)))
    assert [(row.working_ion, row.n) for row in rows] == [("Li", 3), ("Mg", 1), (ALL, 4)]
    assert rows[0].mae_v == pytest.approx(0.5)
    assert rows[0].mean_baseline_v == pytest.approx(2 / 3)
    assert rows[0].median_baseline_v == pytest.approx(1.0)
    assert rows[0].paper_v == 0.32
    assert rows[2].mae_v == pytest.approx(0.5)
    for row in rows:
        assert row.low_v <= row.mae_v <= row.high_v


def test_the_seven_ion_mean_weighs_ions_alike():
    ions = [ion for index, ion in enumerate(PAPER_IONS) for _ in range(index + 2)]
    errors = np.array([0.1 * PAPER_IONS.index(ion) for ion in ions])
    rows = error_table(np.zeros(len(ions)), errors, ions, (errors, errors))
    assert rows[-1].working_ion == SEVEN
    assert rows[-1].mae_v == pytest.approx(0.3)
    assert rows[-1].paper_v == pytest.approx(np.mean(list(PAPER_MAE_V.values())))
    assert rows[-1].n == len(ions)


def test_the_bootstrap_interval_covers_the_mean():
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(100):
        predicted = rng.exponential(1.0, size=80)
        zero = np.zeros(80)
        row = error_table(zero, predicted, ["Li"] * 80, (zero, zero), seed=trial)[0]
        hits += row.low_v <= 1.0 <= row.high_v
    assert 88 <= hits <= 99


def test_baselines_use_training_rows_alone():
    labels = np.array([1.0, 2.0, 6.0, 100.0, 5.0])
    means, medians = baselines(labels, ["Li", "Li", "Li", "Li", "Mg"], np.array([0, 1, 2]))
    np.testing.assert_allclose(means, 3.0)  # Mg was never trained on: the mean of all
    np.testing.assert_allclose(medians, 2.0)


def test_tables_of_unequal_lengths_are_refused():
    with pytest.raises(TrainingError, match="must agree"):
        error_table(np.zeros(3), np.zeros(2), ["Li"] * 3, (np.zeros(3), np.zeros(3)))


def test_a_row_survives_the_card_and_prints():
    row = error_table(np.zeros(3), np.ones(3), ["Li"] * 3, (np.zeros(3), np.zeros(3)))[0]
    assert ErrorRow(**row.to_dict()) == row
    text = format_table([row], "Errors")
    assert "Li" in text
    assert "1.000" in text
    assert "0.32" in text


def held_out(n: int, seed: int = 0, *, doubt: bool = False) -> tuple[np.ndarray, Held]:
    """Laplace errors whose scale grows with spread and distance, and with doubt where there is some."""
    rng = np.random.default_rng(seed)
    spread, distance = rng.gamma(2.0, 0.1, n), rng.gamma(3.0, 0.5, n)
    doubts = rng.gamma(2.0, 0.2, n) if doubt else np.zeros(n)
    scale = np.sqrt(0.1**2 + (0.8 * spread) ** 2 + (0.05 * distance) ** 2 + (0.5 * doubts) ** 2)
    held = Held(
        spread_v=spread, distance=distance, working_ions=["Mg"] * n, frameworks=[f"host {it}" for it in range(n)],
        framework_known=np.zeros(n, dtype=bool), doubt_v=doubts,
    )  # fmt: skip
    return rng.laplace(0.0, scale), held


def test_intervals_hold_for_nine_of_ten_new_errors():
    calibration = fit_calibration(*held_out(800))
    errors, held = held_out(4000, seed=1)
    std = calibration.std_v(held)
    assert calibration.doubt_weight == 0.0
    assert 0.88 <= coverage(errors, std) <= 0.92
    wide = std > np.median(std)
    assert 0.86 <= coverage(errors[wide], std[wide]) <= 0.94
    assert 0.86 <= coverage(errors[~wide], std[~wide]) <= 0.94
    assert 0.87 <= cross_checked_coverage(*held_out(800)) <= 0.92


def test_doubt_widens_the_interval():
    calibration = fit_calibration(*held_out(1500, doubt=True))
    errors, held = held_out(4000, seed=1, doubt=True)
    doubted = held.doubts_v > np.median(held.doubts_v)
    std = calibration.std_v(held)
    assert calibration.doubt_weight > 0.1
    assert std[doubted].mean() > 1.2 * std[~doubted].mean()
    assert 0.86 <= coverage(errors[doubted], std[doubted]) <= 0.94


def test_intervals_hold_in_each_group():
    errors, held = held_out(3000)
    scale = np.where(np.arange(3000) % 3 == 0, 2.0, 0.7)
    ions = np.where(np.arange(3000) % 3 == 0, "K", "Mg").tolist()
    held = replace(held, working_ions=ions)
    calibration = fit_calibration(errors * scale, held)
    new, asked = held_out(6000, seed=1)
    groups = np.arange(6000) % 3 == 0
    asked = replace(asked, working_ions=np.where(groups, "K", "Mg").tolist())
    std = calibration.std_v(asked)
    new = new * np.where(groups, 2.0, 0.7)
    for chosen in (groups, ~groups):
        assert 0.88 <= coverage(new[chosen], std[chosen]) <= 0.92
    assert calibration.factors[group("K", False)] > 2.0 * calibration.factors[group("Mg", False)]
    inside = cross_fitted_inside(
        errors * scale, held, calibration.plain_std_v(held), electrodes=np.arange(3000), folds=np.arange(3000) % 10
    )  # fmt: skip
    assert 0.88 <= inside[::3].mean() <= 0.92


def test_an_ion_of_few_rows_takes_the_factor_of_all():
    ions, known = ["Mg"] * 40 + ["Rb"] * 5, np.ones(45, dtype=bool)
    factors = fit_factors(np.linspace(0.1, 2.0, 45), ions, known, [str(it) for it in range(45)])
    assert set(factors) == {KNOWN, group("Mg", True)}
    np.testing.assert_array_equal(factors_of(factors, ["Rb", "Mg"], [True, True])[0], factors[KNOWN])
    assert factors_of(factors, ["Mg"], [False]) == 1.0
    assert factors_of({}, ["Mg"], [True]) == 1.0


def test_many_variants_of_one_framework_do_not_outvote_the_others():
    scores = np.concatenate([np.full(64, 0.1), np.linspace(0.5, 1.5, 36)])
    apart = fit_factors(scores, ["Mg"] * 100, np.zeros(100, dtype=bool), [str(it) for it in range(100)])
    together = fit_factors(
        scores, ["Mg"] * 100, np.zeros(100, dtype=bool), ["one"] * 64 + [str(it) for it in range(36)]
    )
    assert together[NEW] > apart[NEW]


def test_a_framework_is_the_formula_without_the_ion():
    assert framework(spinel(), "Mg") == framework(strained(spinel(), "Ca", 1.1), "Ca")
    assert "Mg" not in framework(spinel(), "Mg")


def test_too_few_errors_are_refused():
    with pytest.raises(TrainingError, match="at least 30"):
        fit_calibration(*held_out(29))


def test_a_domain_knows_its_elements_and_how_far_a_vector_is():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((200, 4)).astype(np.float32)
    rows = np.array([0, 50, 3, 9])
    domain = Domain(vectors, rows, 1.0)
    assert domain.unknown_elements([1, 3]) == []
    assert domain.unknown_elements([1, 2, 3, 94]) == [2, 94]
    far = domain.distance(vectors[:3] + 100.0)
    assert (far > 10.0 * domain.distance(vectors[:3], leave_out=True)).all()
    assert (domain.distance(vectors[:3]) < domain.distance(vectors[:3], leave_out=True)).all()


def test_intervals_are_percentiles_over_rows_drawn_with_replacement():
    errors = np.random.default_rng(0).exponential(size=40)
    picks = np.random.default_rng(1).integers(0, 40, size=(1000, 40))
    np.testing.assert_array_equal(resampled(errors, np.random.default_rng(1)), errors[picks].mean(axis=1))
    assert (resampled(errors[:1], np.random.default_rng(1)) == errors[0]).all()
