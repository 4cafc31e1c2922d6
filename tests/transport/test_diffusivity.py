"""Diffusivities of known walks: value, error and interval; the same through every kind of cell; limits and verdicts."""

import numpy as np
import pytest

from core.errors import TransportError
from core.transport import Diffusivity, classify, diffusivity, measure
from core.units import CM2_PER_S_PER_A2_PER_PS
from tests.transport import walks

WALKS = 200
D_CM2_PER_S = 0.1 * CM2_PER_S_PER_A2_PER_PS


def hop_diffusivity(hops_per_ion):
    return 3.0**2 * hops_per_ion / (6 * walks.FRAMES * walks.FRAME_PS) * CM2_PER_S_PER_A2_PER_PS


@pytest.mark.parametrize(
    ("motion", "truth"),
    [
        (lambda rng: walks.brownian(rng) + walks.bound(rng), D_CM2_PER_S),
        (lambda rng: walks.brownian(rng, axes=(1, 0, 0)) + walks.bound(rng), D_CM2_PER_S / 3),
        (lambda rng: walks.hopping(rng, hops_per_ion=10) + walks.bound(rng), hop_diffusivity(10)),
        (lambda rng: walks.hopping(rng, hops_per_ion=1) + walks.bound(rng), hop_diffusivity(1)),
    ],
    ids=["free", "along x", "10 hops an ion", "1 hop an ion"],
)
def test_intervals_cover_the_truth_of_200_walks(motion, truth):
    curves = [walks.msd_of(motion(np.random.default_rng(seed))) for seed in range(WALKS)]
    for confidence, least, most in ((0.95, 0.90, 0.99), (0.90, 0.84, 0.96)):
        results = [diffusivity(msd, confidence=confidence) for msd in curves]
        found = [result for result in results if result.verdict == "diffusive"]
        assert len(found) >= 0.95 * WALKS
        assert least <= np.mean([r.d_low_cm2_per_s < truth < r.d_high_cm2_per_s for r in found]) <= most
    values = np.array([(r.d_cm2_per_s, r.d_std_cm2_per_s) for r in found])
    assert values[:, 0].mean() == pytest.approx(truth, rel=0.08)
    assert values[:, 1].mean() == pytest.approx(values[:, 0].std(), rel=0.2)


def test_a_90_percent_interval_lies_within_that_of_95():
    msd = walks.msd_of(walks.brownian(np.random.default_rng(0)) + walks.bound(np.random.default_rng(1)))
    narrow, wide = diffusivity(msd), diffusivity(msd, confidence=0.95)
    assert narrow.confidence == 0.90 and narrow.d_cm2_per_s == wide.d_cm2_per_s
    assert wide.d_low_cm2_per_s < narrow.d_low_cm2_per_s < narrow.d_cm2_per_s
    assert narrow.d_cm2_per_s < narrow.d_high_cm2_per_s < wide.d_high_cm2_per_s


def test_axes_of_a_one_dimensional_conductor():
    covered, n = np.zeros(3), 100
    for seed in range(n):
        rng = np.random.default_rng(seed)
        result = diffusivity(walks.msd_of(walks.brownian(rng, axes=(1, 0, 0)) + walks.bound(rng)))
        if result.verdict != "diffusive":
            n -= 1
            continue
        truth = np.array([D_CM2_PER_S, 0.0, 0.0])
        covered += [
            axis.d_low_cm2_per_s <= d <= axis.d_high_cm2_per_s
            for axis, d in zip(result.axes, truth, strict=True)
        ]
        assert result.axes[0].d_low_cm2_per_s > 3 * result.axes[1].d_high_cm2_per_s
    assert (covered / n >= 0.84).all()


@pytest.mark.parametrize("wrap", [True, False], ids=["wrapped", "unwrapped"])
@pytest.mark.parametrize("cell_a", [14.0 * np.eye(3), walks.TRICLINIC_A], ids=["cubic", "triclinic"])
@pytest.mark.parametrize("npt", [False, True], ids=["nvt", "npt"])
def test_one_walk_gives_one_diffusivity_in_every_cell(wrap, cell_a, npt):
    rng = np.random.default_rng(3)
    mobile, framework = walks.brownian(rng) + walks.bound(rng), walks.bound(rng, n_ions=24)
    drift = np.cumsum(rng.normal(0, 0.05, (walks.FRAMES, 3)), axis=0)
    strain = walks.bound(rng, n_ions=1, width_a=0.005, relax_ps=0.5)[:, 0, 0] if npt else None
    centre = framework.mean(axis=1, keepdims=True)
    truth = diffusivity(walks.msd_of(mobile - centre))
    trajectory = walks.in_cell(mobile, framework, cell_a, drift_a=drift, wrap=wrap, strain=strain)
    found = measure([trajectory], "Mg")
    assert found.verdict == truth.verdict == "diffusive"
    tolerance = 5e-3 if npt else 1e-8
    assert found.d_cm2_per_s == pytest.approx(truth.d_cm2_per_s, rel=tolerance)
    assert found.d_std_cm2_per_s == pytest.approx(truth.d_std_cm2_per_s, rel=2 * tolerance)


@pytest.mark.parametrize("hops_per_ion", [0.1, 0.3])
def test_few_hops_give_claims_that_hold(hops_per_ion):
    """Three or ten hops in all: whatever is claimed, an interval or a limit, holds as often as it says."""
    truth, held, limits = hop_diffusivity(hops_per_ion), 0, 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        moves = walks.hopping(rng, hops_per_ion=hops_per_ion, n_ions=32) + walks.bound(rng, n_ions=32)
        result = diffusivity(walks.msd_of(moves))
        held += (result.d_low_cm2_per_s or 0.0) < truth < result.d_high_cm2_per_s
        if result.verdict == "upper limit":
            limits += 1
            assert (result.d_cm2_per_s, result.d_low_cm2_per_s, result.axes) == (None, None, ())
    assert held >= 84
    assert limits >= 70 if hops_per_ion == 0.1 else limits <= 20


def test_a_limit_allows_for_a_hop_that_chance_did_not_show():
    """Not one hop in 16 ions and 40 ps: at 90 % confidence up to -ln(0.1) = 2.3 hops may be expected."""
    still = diffusivity(walks.msd_of(walks.bound(np.random.default_rng(1), width_a=0.05)))
    assert still.d_high_cm2_per_s == pytest.approx(hop_diffusivity(2.303 / 16), rel=0.01)


def test_seeds_narrow_the_interval():
    rng = np.random.default_rng(2)
    runs = [
        walks.in_cell(walks.brownian(rng) + walks.bound(rng), walks.bound(rng, n_ions=20), walks.TRICLINIC_A)
        for _ in range(3)
    ]
    one, three = measure(runs[:1], "Mg"), measure(runs, "Mg")
    assert three.n_ions == 48
    assert three.d_std_cm2_per_s == pytest.approx(one.d_std_cm2_per_s / np.sqrt(3), rel=0.2)
    with pytest.raises(TransportError, match="no trajectory"):
        measure([], "Mg")


def test_the_line_runs_through_the_points():
    msd = walks.msd_of(walks.brownian(np.random.default_rng(0)))
    result = diffusivity(msd)
    near = msd.lag_ps <= 5.0
    np.testing.assert_allclose(result.line_a2(msd.lag_ps[near]), msd.total_a2[near], rtol=0.2, atol=0.3)
    with pytest.raises(TransportError, match="has no line"):
        diffusivity(walks.msd_of(walks.bound(np.random.default_rng(0)))).line_a2(msd.lag_ps)


@pytest.mark.parametrize("confidence", [0.0, 0.4, 1.0, 95])
def test_confidence_out_of_range_is_refused(confidence):
    with pytest.raises(TransportError, match="is meant, for example"):
        diffusivity(walks.msd_of(walks.brownian(np.random.default_rng(0))), confidence=confidence)


def test_a_record_with_figures_that_its_verdict_forbids_is_refused():
    regime = classify(walks.msd_of(walks.brownian(np.random.default_rng(0))))
    common = {
        "species": "Mg",
        "reason": "",
        "regime": regime,
        "confidence": 0.9,
        "n_ions": 1,
        "duration_ps": 1.0,
    }
    for fields in (
        {"verdict": "fine"},
        {"verdict": "diffusive"},
        {"verdict": "too short", "d_cm2_per_s": 1e-5},
        {"verdict": "too short", "d_high_cm2_per_s": 1e-5},
        {"verdict": "upper limit"},
    ):
        with pytest.raises(TransportError):
            Diffusivity(**common, **fields)
