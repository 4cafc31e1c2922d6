"""The regime test: how often it errs on motion that is diffusive, and on motion that is not. Rates over fixed seeds.

Over 300 walks of 16 ions and 40 ps it calls diffusive: 98 % of free walks and hops (3 hops an ion); none of cage motion
forgotten within 2 ps, 3 % within 10 ps; 11 % of subdiffusion with exponent 0.5, 30 % with 0.7; 3 % of flights with 2 ps
of memory, none with 10.
"""

from collections import Counter

import numpy as np
import pytest

from core.errors import TransportError
from core.transport import classify, has_melted
from core.transport.regime import _kind
from tests.transport import walks

SEEDS = 100


def kinds(motion, *, n=SEEDS):
    return Counter(classify(walks.msd_of(motion(np.random.default_rng(seed)))).kind for seed in range(n))


@pytest.mark.parametrize(
    "motion",
    [
        walks.brownian,
        lambda rng: walks.brownian(rng) + walks.bound(rng),
        lambda rng: walks.brownian(rng, axes=(1, 0, 0)) + walks.bound(rng),
        lambda rng: walks.hopping(rng) + walks.bound(rng),
        lambda rng: walks.hopping(rng, hops_per_ion=1) + walks.bound(rng),
    ],
    ids=["free", "free and vibrating", "along x", "3 hops an ion", "1 hop an ion"],
)
def test_diffusion_is_called_so(motion):
    assert kinds(motion)["diffusive"] >= 0.95 * SEEDS


@pytest.mark.parametrize("relax_ps", [0.1, 0.5, 2.0, 10.0])
def test_bounded_motion_is_not_diffusion(relax_ps):
    found = kinds(lambda rng: walks.bound(rng, width_a=0.4, relax_ps=relax_ps))
    assert found["diffusive"] <= 0.05 * SEEDS
    assert found["bounded"] + found["subdiffusive"] >= 0.95 * SEEDS


def test_a_slow_cage_is_caught_by_its_size():
    found = kinds(lambda rng: walks.bound(rng, width_a=0.3, relax_ps=40.0))
    assert found["diffusive"] <= 0.05 * SEEDS


@pytest.mark.parametrize(("exponent", "most"), [(0.5, 0.2), (0.7, 0.4)])
def test_subdiffusion_is_mostly_seen(exponent, most):
    found = kinds(lambda rng: walks.subdiffusive(rng, exponent=exponent))
    assert found["diffusive"] <= most * SEEDS and found["subdiffusive"] >= (1 - most) * SEEDS


def test_a_line_bent_by_late_hops_is_no_free_flight():
    assert _kind(-4.0, 0.95, rises=True) == "diffusive"
    assert _kind(-4.5, 0.0, rises=False) == "bounded"
    assert _kind(-4.0, 1.4, rises=True) == "ballistic"


@pytest.mark.parametrize("memory_ps", [2.0, 10.0, 40.0])
def test_ballistic_motion_is_not_diffusion(memory_ps):
    assert kinds(lambda rng: walks.ballistic(rng, memory_ps=memory_ps))["ballistic"] >= 0.95 * SEEDS


def test_the_exponent_tells_the_regimes_apart():
    def median(motion):
        found = [classify(walks.msd_of(motion(np.random.default_rng(seed)))).exponent for seed in range(15)]
        return np.median(found)

    assert median(walks.brownian) == pytest.approx(1.0, abs=0.1)
    assert median(walks.subdiffusive) == pytest.approx(0.5, abs=0.15)
    assert median(walks.bound) == pytest.approx(0.0, abs=0.05)
    assert median(walks.ballistic) > 1.5


def test_a_straight_line_may_be_asked_for_from_later_on():
    msd = walks.msd_of(walks.brownian(np.random.default_rng(0)))
    assert msd.lag_ps[classify(msd).start] == pytest.approx(2.0, abs=0.11)
    assert msd.lag_ps[classify(msd, start_ps=3.0).start] == pytest.approx(3.0, abs=0.15)
    with pytest.raises(TransportError, match=r"start at 3\.33 ps or earlier"):
        classify(msd, start_ps=5.0)


@pytest.mark.parametrize(("n_frames", "n_ions"), [(50, 16), (99, 16), (400, 1)])
def test_little_data_is_too_short(n_frames, n_ions):
    regime = classify(
        walks.msd_of(walks.brownian(np.random.default_rng(0), n_frames=n_frames, n_ions=n_ions))
    )
    assert regime.kind == "too short" and regime.fit is None


def test_motionless_atoms_are_bounded():
    regime = classify(walks.msd_of(np.zeros((400, 4, 3))))
    assert regime.kind == "bounded" and np.isfinite([regime.bend_z, regime.exponent]).all()


def test_a_framework_melts_when_it_leaves_its_sites():
    rng = np.random.default_rng(0)
    assert has_melted(walks.msd_of(walks.brownian(rng)))
    assert has_melted(walks.msd_of(walks.subdiffusive(rng)))
    assert not has_melted(walks.msd_of(walks.bound(rng, width_a=0.4)))
    assert not has_melted(walks.msd_of(walks.brownian(rng, n_frames=50)))
