"""Conversion against insertion: voltages by hand on made phases, known cases on the shipped ones."""

import pytest

from core.errors import HullError
from core.stability import Hull, Phase, Phases, conversion, shipped_hull
from core.stability.conversion import full_conversion_voltage_v


@pytest.fixture
def hull() -> Hull:
    phases = [
        Phase(formula="MgO", formation_energy_ev_per_atom=-3.0),
        Phase(formula="VO", formation_energy_ev_per_atom=-2.2),
        Phase(formula="MgV2O4", formation_energy_ev_per_atom=-2.4),
    ]
    return Hull(Phases(phases, version="made"))


def test_voltages_by_hand(hull: Hull) -> None:
    """MgV2O4 + Mg -> 2 MgO + 2 VO, then VO + Mg -> MgO + V, two electrons each."""
    steps = conversion(hull, {"Mg": 1, "V": 2, "O": 4}, "Mg", 2).steps
    assert [step.ions for step in steps] == pytest.approx([1.0, 3.0])
    assert steps[0].voltage_v == pytest.approx((7 * -2.4 - 4 * -3.0 - 4 * -2.2) / 2)
    assert steps[1].voltage_v == pytest.approx(2 * (-3.0 - -2.2) / -2)
    assert {it.formula: it.amount for it in steps[0].products.products} == pytest.approx({"MgO": 2, "VO": 2})


def test_what_does_not_convert_holds_down_to_plating(hull: Hull) -> None:
    found = conversion(hull, {"Mg": 1, "O": 1}, "Mg", 2)
    assert found.first is None and found.voltage_v == 0.0


def test_a_host_that_takes_more_ions_in_is_not_converting() -> None:
    phases = [
        Phase(formula="TiS2", formation_energy_ev_per_atom=-1.4),
        Phase(formula="LiTiS2", formation_energy_ev_per_atom=-1.7),
        Phase(formula="Li2S", formation_energy_ev_per_atom=-1.5),
    ]
    steps = conversion(Hull(Phases(phases, version="made")), {"Ti": 1, "S": 2}, "Li", 1).steps
    assert not steps[0].is_conversion and str(steps[0].products) == "LiTiS2"
    assert steps[1].is_conversion and steps[0].voltage_v > steps[1].voltage_v


@pytest.mark.parametrize(
    ("composition", "ion", "charge", "products", "low", "high"),
    [
        ({"Mg": 1, "Cr": 2, "O": 4}, "Mg", 2, {"MgO", "Cr"}, 0.8, 1.3),
        ({"Mg": 1, "Ti": 2, "S": 4}, "Mg", 2, {"MgS", "TiS"}, 0.6, 1.1),
        ({"Mg": 1, "Mn": 2, "O": 4}, "Mg", 2, {"Mn3O4", "Mg6MnO8"}, 2.0, 2.6),
        ({"Li": 1, "Co": 1, "O": 2}, "Li", 1, {"Li6CoO4", "Co"}, 1.5, 2.1),
        ({"Zn": 1, "Mn": 2, "O": 4}, "Zn", 2, {"ZnO"}, 0.5, 2.0),
        ({"Al": 1, "V": 2, "O": 4}, "Al", 3, {"Al2O3"}, 0.0, 2.0),
        ({"Ca": 1, "Mn": 2, "O": 4}, "Ca", 2, {"CaO"}, 0.5, 3.0),
    ],
)
def test_known_hosts(
    composition: dict[str, float], ion: str, charge: int, products: set[str], low: float, high: float
) -> None:
    found = conversion(shipped_hull(), composition, ion, charge)
    assert low < found.voltage_v < high
    voltages = [step.voltage_v for step in found.steps]
    assert voltages == sorted(voltages, reverse=True), "the hull is convex"
    named = {it.formula for step in found.steps for it in step.products.products}
    assert products <= named


def test_full_conversion_is_insertion_and_what_the_discharged_end_is_above_the_hull() -> None:
    """V_full - V_insertion = E_above N / (n z), whatever the charged end is."""
    hull, discharged = shipped_hull(), {"Mg": 2, "Mn": 4, "O": 8}
    on_hull = hull.decompose(discharged).energy_ev_per_atom
    above, charged_ev = 0.031, -2.0 * 12
    insertion_v = (charged_ev - (on_hull + above) * 14) / (2 * 2)
    full_v = full_conversion_voltage_v(hull, charged_ev, discharged, 2, 2)
    assert full_v - insertion_v == pytest.approx(above * 14 / (2 * 2))


def test_what_is_no_host_is_refused(hull: Hull) -> None:
    with pytest.raises(HullError, match="other elements than the ion"):
        conversion(hull, {"Mg": 2}, "Mg", 2)
    with pytest.raises(HullError, match="charge of 1 or more"):
        conversion(hull, {"Mg": 1, "O": 1}, "Mg", 0)
