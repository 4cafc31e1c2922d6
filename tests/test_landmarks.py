"""Measured cathodes: what is stated stands, what is not is unknown, and units come out right."""

import re

import pytest

from core.errors import RecordError
from core.landmarks import LANDMARKS, Landmark, capacity_vol_ah_per_l
from core.units import MAH_PER_MOL

BY_NAME = {it.name: it for it in LANDMARKS}


@pytest.mark.parametrize("landmark", LANDMARKS, ids=lambda it: it.name)
def test_each_names_its_source_and_holds_a_number(landmark: Landmark) -> None:
    assert re.fullmatch(r"10\.\d{4,5}/[\w.\-]+", landmark.doi)
    assert landmark.voltage_v is not None or landmark.capacity_grav_mah_per_g is not None
    assert landmark.voltage_v is None or 0.5 < landmark.voltage_v < 4.0
    assert landmark.temperature_k is None or 290.0 < landmark.temperature_k < 450.0
    assert "Mg" not in landmark.host


def test_the_usual_ones_are_there() -> None:
    assert 8 <= len(LANDMARKS) <= 12 and len(BY_NAME) == len(LANDMARKS)
    assert {"Mo6S8", "Ti2S4", "TiS2", "V2O5", "MoO3", "MgMn2O4", "MgFeSiO4"} <= set(BY_NAME)
    assert LANDMARKS[0].name == "Mo6S8"


def test_the_thiospinel_follows_from_what_its_abstract_states() -> None:
    """80 % of two electrons for each Ti2S4, and 230 Wh/kg."""
    spinel = BY_NAME["Ti2S4"]
    capacity = 0.8 * 2 * MAH_PER_MOL / float(spinel.host.weight)
    assert spinel.capacity_grav_mah_per_g == pytest.approx(capacity, abs=1.0)
    assert spinel.voltage_v == pytest.approx(230.0 / capacity, abs=0.05)


def test_no_cathode_gives_more_than_its_metals_can() -> None:
    for it in (it for it in LANDMARKS if it.capacity_grav_mah_per_g is not None and "Mg" not in it.weighed):
        ions_per_atom = (
            it.capacity_grav_mah_per_g * float(it.host.weight) / MAH_PER_MOL / 2 / it.host.num_atoms
        )
        assert ions_per_atom < 0.34, it.name


def test_capacity_a_litre_counts_the_mass_that_was_weighed() -> None:
    """One Mg of two in Mg2Mo6S8, written as MgMo3S4, whose two halves weigh 24.3 / 440.2 more than Mo6S8."""
    chevrel = BY_NAME["Mo6S8"]
    found = capacity_vol_ah_per_l(chevrel, "MgMo3S4", 5.0)
    assert found == pytest.approx(100.0 * 5.0 * 832.2 / 880.8, rel=1e-3)
    spinel = BY_NAME["MgV2O4"]
    assert capacity_vol_ah_per_l(spinel, "MgV2O4", 4.0) == pytest.approx(700.0)


def test_an_unknown_capacity_stays_unknown_and_another_host_is_refused() -> None:
    assert capacity_vol_ah_per_l(BY_NAME["MgCr2O4"], "MgCr2O4", 4.0) is None
    with pytest.raises(RecordError, match="MgMn2O4 is no discharged MgCr2O4: its host is MnO2"):
        capacity_vol_ah_per_l(BY_NAME["MgCr2O4"], "MgMn2O4", 4.0)
