"""Starting moments: d electrons by oxidation state, high or low spin."""

from dataclasses import replace

import pytest

from core.dft import starts
from core.dft.moments import high_spin_mu_b, low_spin_mu_b, oxidation_states
from core.relaxation import without
from tests.dft.crystals import layered, spinel


@pytest.mark.parametrize(
    ("symbol", "state", "high", "low"),
    [
        ("Cr", 3, 3, 3), ("Cr", 4, 2, 2), ("Mn", 3, 4, 2), ("Mn", 4, 3, 3), ("Mn", 2, 5, 1), ("Fe", 3, 5, 1),
        ("Fe", 2, 4, 0), ("Co", 3, 4, 0), ("Co", 4, 5, 1), ("Ni", 2, 2, 2), ("Ni", 4, 4, 0), ("V", 3, 2, 2),
        ("Ti", 4, 0.5, 0), ("Cu", 2, 1, 1), ("Mo", 4, 2, 2), ("Ru", 4, 2, 2), ("Mg", 2, 0, 0), ("O", -2, 0, 0),
        ("Gd", 3, 7, 7), ("Zn", 2, 0, 0), ("Fe", 2.5, 4.5, 0.5),
    ],
)  # fmt: skip
def test_spins_of_ions(symbol: str, state: float, high: float, low: float) -> None:
    assert high_spin_mu_b(symbol, state) == pytest.approx(high)
    assert low_spin_mu_b(symbol, state) == pytest.approx(low)


def test_a_metal_of_unknown_state_starts_as_the_materials_project_does() -> None:
    assert high_spin_mu_b("Fe", None) == 5.0


def test_states_change_as_the_ions_leave() -> None:
    full = spinel("Cr")
    empty = without(full, [site for site, symbol in enumerate(full.species) if symbol == "Mg"])
    assert oxidation_states(full)["Cr"] == pytest.approx(3)
    assert oxidation_states(empty)["Cr"] == pytest.approx(4)
    assert set(starts(full, "lowest")) == {"high"}
    assert sorted(set(starts(empty, "lowest")["high"])) == [0.0, 2.0]


def test_nickel_and_cobalt_are_tried_both_ways_where_they_could_be_either() -> None:
    full = layered("Ni")
    assert set(starts(full, "lowest")) == {"high"}, "divalent nickel has one spin"
    empty = without(full, [full.species.index("Mg")])
    tried = starts(empty, "lowest")
    assert max(tried["high"]) == 4.0 and max(tried["low"]) == 0.0
    assert set(starts(empty, "high")) == {"high"} and set(starts(empty, "low")) == {"low"}


def test_a_crystal_without_open_shells_has_no_moments() -> None:
    full = spinel("Al")
    assert starts(full, "lowest") == {"none": (0.0,) * full.n_sites}
    assert starts(replace(full, species=tuple("Mg" for _ in full.species)), "lowest").keys() == {"none"}
