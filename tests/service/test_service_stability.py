"""Stability on demand: the same numbers as the kind of calculation gives, for ends that anyone brings."""

import numpy as np
import pytest

from core.errors import HullError, PotentialError
from core.records import Crystal
from core.service.stability import stability_of_ends


def crystal(species: tuple[str, ...], above: float | None = None) -> Crystal:
    return Crystal(
        id="upload", formula="".join(species), lattice_a=np.eye(3) * 5.0, species=species,
        frac=np.linspace(0.0, 0.9, 3 * len(species)).reshape(-1, 3), source="file", e_above_hull_ev_per_atom=above,
    )  # fmt: skip


HOST = ("Ni", "O", "O")
FULL_EV, EMPTY_EV = -22.0, -14.0


def test_volts_follow_from_the_energies() -> None:
    found = stability_of_ends(crystal(("Mg", *HOST)), FULL_EV, crystal(HOST), EMPTY_EV, "Mg")
    # The metal's energy under the potential is -1.60 eV, which is what the fit found too.
    assert found.insertion_voltage_v == pytest.approx((EMPTY_EV - 1.60 - FULL_EV) / 2, abs=0.01)
    above = found.discharged.by_potential_ev_per_atom
    assert found.full_conversion_voltage_v - found.insertion_voltage_v == pytest.approx(above * 4 / 2)
    assert found.charged.formula == "NiO2" and found.verdict and found.reason


def test_a_stated_distance_is_told() -> None:
    found = stability_of_ends(crystal(("Mg", *HOST), above=0.01), FULL_EV, crystal(HOST), EMPTY_EV, "Mg")
    assert found.discharged.e_above_hull_ev_per_atom == 0.01 and found.discharged.std_ev_per_atom is None


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(HullError, match="scale"):
        stability_of_ends(crystal(("Mg", *HOST)), FULL_EV, crystal(HOST), EMPTY_EV, "Mg", potential="chgnet")
    with pytest.raises(PotentialError, match="is not a potential"):
        stability_of_ends(crystal(("Mg", *HOST)), FULL_EV, crystal(HOST), EMPTY_EV, "Mg", potential="none")
