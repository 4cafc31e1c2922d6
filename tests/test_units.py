"""Every conversion factor against CODATA as scipy has it, and the rounded figures of the literature."""

import pytest
from scipy import constants

from core import units


def test_constants_are_codata() -> None:
    assert constants.e == units.ELEMENTARY_CHARGE_C
    assert units.AVOGADRO_PER_MOL == constants.N_A
    assert pytest.approx(constants.k / constants.e, rel=1e-9) == units.BOLTZMANN_EV_PER_K
    assert constants.hour == units.SECONDS_PER_HOUR
    assert (
        pytest.approx(constants.angstrom**3 / constants.liter, rel=1e-12) == units.LITRES_PER_CUBIC_ANGSTROM
    )


def test_capacity_factors() -> None:
    faraday_c_per_mol = constants.physical_constants["Faraday constant"][0]
    assert pytest.approx(faraday_c_per_mol / 3.6, rel=1e-9) == units.MAH_PER_MOL
    assert pytest.approx(26801.0, abs=1.0) == units.MAH_PER_MOL
    assert pytest.approx(44505.0, abs=1.0) == units.AH_PER_L_PER_ELECTRON_PER_A3
