"""Arrhenius fits: known barriers back within their intervals, and errors that grow where nothing was measured."""

import numpy as np
import pytest

from core.errors import TransportError
from core.transport import arrhenius
from core.units import BOLTZMANN_EV_PER_K

SERIES_K = (800.0, 1000.0, 1200.0, 1500.0)


def diffusivities(barrier_ev, temperature_k, relative_error=0.0, rng=None, d0=1e-3):
    d = d0 * np.exp(-barrier_ev / (BOLTZMANN_EV_PER_K * np.asarray(temperature_k)))
    return d if rng is None else d * np.exp(rng.normal(0, relative_error, d.shape))


def test_an_exact_line_gives_its_barrier_back():
    d = diffusivities(0.36, SERIES_K)
    fit = arrhenius(SERIES_K, d, 0.1 * d)
    assert fit.barrier_ev == pytest.approx(0.36, rel=1e-9)
    assert np.exp(fit.ln_d0_cm2_per_s) == pytest.approx(1e-3, rel=1e-9)
    assert fit.barrier_low_ev < 0.36 < fit.barrier_high_ev and fit.scatter < 1e-6
    assert fit.at(1100.0).d_cm2_per_s == pytest.approx(diffusivities(0.36, 1100.0), rel=1e-9)


def test_intervals_cover_barrier_and_room_temperature():
    rng, n, errors = np.random.default_rng(0), 400, np.array([0.4, 0.3, 0.2, 0.1])
    room, covered = diffusivities(0.4, 300.0), np.zeros(2)
    for _ in range(n):
        d = diffusivities(0.4, SERIES_K, errors, rng)
        fit = arrhenius(SERIES_K, d, errors * d)
        far = fit.at(300.0)
        covered += (
            fit.barrier_low_ev < 0.4 < fit.barrier_high_ev,
            far.d_low_cm2_per_s < room < far.d_high_cm2_per_s,
        )
    assert (covered / n >= 0.88).all() and (covered / n <= 0.98).all()


def test_precise_points_weigh_more():
    d = diffusivities(0.36, SERIES_K) * np.array([3.0, 1.0, 1.0, 1.0])
    trusted, doubted = (
        arrhenius(SERIES_K, d, 0.1 * d),
        arrhenius(SERIES_K, d, np.array([3.0, 0.1, 0.1, 0.1]) * d),
    )
    assert abs(doubted.barrier_ev - 0.36) < 0.1 * abs(trusted.barrier_ev - 0.36)


def test_points_off_the_line_widen_the_errors():
    d = diffusivities(0.36, SERIES_K)
    bent = d * np.array([1.0, 2.0, 2.0, 1.0])
    straight, off = arrhenius(SERIES_K, d, 0.1 * d), arrhenius(SERIES_K, bent, 0.1 * bent)
    assert off.scatter > 3
    assert off.barrier_std_ev == pytest.approx(off.scatter * straight.barrier_std_ev, rel=1e-6)


def test_extrapolation_says_so_and_grows_wide():
    d = diffusivities(0.36, SERIES_K)
    fit = arrhenius(SERIES_K, d, 0.2 * d)
    inside, room = fit.at(1100.0), fit.at(300.0)
    assert not inside.extrapolated and room.extrapolated
    assert (
        room.d_high_cm2_per_s / room.d_low_cm2_per_s > 10 * inside.d_high_cm2_per_s / inside.d_low_cm2_per_s
    )
    with pytest.raises(TransportError, match="a positive one"):
        fit.at(0.0)


def test_lists_that_do_not_fit_are_refused():
    d = diffusivities(0.36, SERIES_K)
    with pytest.raises(TransportError, match="each point has one of each"):
        arrhenius(SERIES_K, d[:3], d[:3])
    for wrong in (0.0, -1e-6, np.nan):
        with pytest.raises(TransportError, match="leave upper limits out"):
            arrhenius(SERIES_K, [*d[:3], wrong], 0.1 * d)
    with pytest.raises(TransportError, match="is meant, for example"):
        arrhenius(SERIES_K, d, 0.1 * d, confidence=1.0)
