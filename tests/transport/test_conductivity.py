"""Nernst-Einstein: units exact against scipy.constants, charge an argument, the interval that of the diffusivity."""

import numpy as np
import pytest
from scipy import constants

from core import units
from core.errors import TransportError
from core.transport import conductivity, diffusivity, nernst_einstein_ms_per_cm
from tests.transport import walks


def test_transport_units_are_codata():
    assert constants.k == units.BOLTZMANN_J_PER_K
    assert pytest.approx(constants.pico / constants.femto) == units.FS_PER_PS
    assert pytest.approx(constants.pico) == units.SECONDS_PER_PS
    assert pytest.approx(1 / constants.milli) == units.MS_PER_S
    assert pytest.approx(constants.angstrom / constants.centi, rel=1e-14) == units.CM_PER_ANGSTROM
    assert (
        pytest.approx((constants.angstrom / constants.centi) ** 2 / constants.pico, rel=1e-14)
        == units.CM2_PER_S_PER_A2_PER_PS
    )


@pytest.mark.parametrize("charge_number", [1, 2, 3, -1])
def test_sigma_in_si_units(charge_number):
    found = nernst_einstein_ms_per_cm(
        1.3e-5, n_ions=26, charge_number=charge_number, volume_a3=5123.0, temperature_k=1200.0
    )
    density_per_m3 = 26 / (5123.0 * constants.angstrom**3)
    charge_c = charge_number * constants.e
    siemens_per_m = density_per_m3 * charge_c**2 * 1.3e-5 * constants.centi**2 / (constants.k * 1200.0)
    assert found == pytest.approx(siemens_per_m / (constants.milli / constants.centi), rel=1e-12)


def test_sigma_carries_the_interval_of_d():
    found = diffusivity(walks.msd_of(walks.brownian(np.random.default_rng(0))))
    cell = {"n_ions": 16, "charge_number": 2, "volume_a3": 2000.0, "temperature_k": 1200.0}
    sigma = conductivity(found, **cell)
    for name in ("", "_std", "_low", "_high"):
        d = getattr(found, f"d{name}_cm2_per_s")
        assert getattr(sigma, f"sigma{name}_ms_per_cm") == pytest.approx(nernst_einstein_ms_per_cm(d, **cell))
    assert sigma.confidence == found.confidence and sigma.charge_number == 2


def test_a_limit_stays_a_limit():
    bound = diffusivity(walks.msd_of(walks.bound(np.random.default_rng(0))))
    sigma = conductivity(bound, n_ions=16, charge_number=2, volume_a3=2000.0, temperature_k=1200.0)
    assert sigma.sigma_ms_per_cm is None and sigma.sigma_low_ms_per_cm is None
    assert sigma.sigma_high_ms_per_cm > 0


@pytest.mark.parametrize(
    "wrong",
    [{"d_cm2_per_s": -1e-9}, {"d_cm2_per_s": np.nan}, {"n_ions": 0}, {"charge_number": 0}, {"volume_a3": 0.0},
     {"temperature_k": -1.0}],
)  # fmt: skip
def test_impossible_figures_are_refused(wrong):
    figures = {
        "d_cm2_per_s": 1e-5,
        "n_ions": 4,
        "charge_number": 2,
        "volume_a3": 100.0,
        "temperature_k": 300.0,
    }
    with pytest.raises(TransportError, match="may not be negative"):
        nernst_einstein_ms_per_cm(**(figures | wrong))
