"""The level of theory: U of the Materials Project, in the one form that GPAW must get it in."""

import pytest

from core.dft import Level, gpaw_setups, metal_level
from core.errors import RecordError


def test_u_goes_to_metals_of_oxides_and_fluorides_alone() -> None:
    level = Level()
    assert level.hubbard_u_ev(["Mg", "Cr", "O"]) == {"Cr": 3.7}
    assert level.hubbard_u_ev(["Mg", "V", "F"]) == {"V": 3.25}
    assert level.hubbard_u_ev(["Mg", "Ni", "P", "O"]) == {"Ni": 6.2}
    assert level.hubbard_u_ev(["Mg", "Ti", "O"]) == {}
    assert level.hubbard_u_ev(["Mg", "V", "S"]) == {}
    assert level.hubbard_u_ev(["Mg"]) == {}
    assert Level(hubbard="none").hubbard_u_ev(["Mg", "Cr", "O"]) == {}


def test_u_is_written_with_three_fields_and_scale_zero() -> None:
    """With two fields GPAW scales U by what lies in its PAW sphere: MgCr2O4 then comes out at 4.17 V, not 3.70."""
    setups = gpaw_setups(Level().hubbard_u_ev(["Mg", "Cr", "Mn", "Fe", "Co", "Ni", "V", "Mo", "W", "O"]))
    assert setups["Cr"] == ":d,3.7,0"
    assert len(setups) == 8
    for text in setups.values():
        shell, u_ev, scale = text.removeprefix(":").split(",")
        assert shell == "d" and float(u_ev) > 3 and scale == "0"


def test_the_metal_shares_the_cutoff_and_has_no_u() -> None:
    level = metal_level(Level(ecut_ev=400, spin="low", relax=True))
    assert (level.ecut_ev, level.hubbard, level.relax) == (400, "none", False)
    assert level == metal_level(Level(ecut_ev=400, k_spacing_per_a=0.3)), (
        "one metal for all compounds of a cutoff"
    )


@pytest.mark.parametrize(
    "wrong",
    [{"ecut_ev": 20}, {"k_spacing_per_a": 0}, {"smearing_ev": 3}, {"hubbard": "mine"}, {"spin": "up"}],
)
def test_a_level_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RecordError, match=next(iter(wrong))):
        Level(**wrong)


def test_the_words_name_all_that_decides() -> None:
    words = Level().words(["Mg", "Cr", "O"], "GPAW 1.0")
    for part in ("GPAW 1.0", "PBE", "U(Cr) 3.7 eV", "520 eV", "0.5 per angstrom", "0.05 eV", "ferromagnetic"):
        assert part in words
