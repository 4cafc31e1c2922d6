"""Capacities worked by hand, and against what `electrodes.csv` reports for the same structures."""

from itertools import pairwise

import numpy as np
import pytest

from core.capacity import capacity, redox_limited_electrons, theoretical_electrons
from core.errors import NoWorkingIonError, RecordError
from core.ions import charge_number
from core.oxidation import REDOX_STATES, has_anion, redox_metals, removable_electrons
from core.records import Crystal
from core.settings import Settings


def crystal(counts: dict[str, int], volume_a3: float) -> Crystal:
    """Capacity reads species and volume only, so any positions do."""
    species = tuple(element for element, count in counts.items() for _ in range(count))
    return Crystal(
        id="hand-made", formula="".join(f"{e}{n}" for e, n in counts.items()), source="test", species=species,
        lattice_a=np.eye(3) * volume_a3 ** (1 / 3), frac=np.zeros((len(species), 3)),
    )  # fmt: skip


# Cell volumes of the discharged structures (Materials Project, CC BY 4.0) and what electrodes.csv reports for them.
REPORTED = [
    # battery_id mp-1003856_Mg, MgMn2O4 spinel mp-32006, two formula units: 44505 * 2 * 2 / 159.9158 = 1113.2
    ("Mg", {"Mg": 2, "Mn": 4, "O": 8}, 159.91582648953062, 1113.2081762183984, 270.47793225845265),
    # battery_id mvc-10873_Mg, MgCr2O4 spinel mp-19202: 44505 * 4 / 151.7494 = 1173.1
    ("Mg", {"Mg": 2, "Cr": 4, "O": 8}, 151.7493987955468, 1173.115927546618, 278.7540915765215),
    # battery_id mp-19017_Li, LiFePO4 olivine, four formula units: 44505 * 4 / 302.4235 = 588.6
    ("Li", {"Li": 4, "Fe": 4, "P": 4, "O": 16}, 302.4234502034952, 588.6436187581768, 169.89052558095162),
]


@pytest.mark.parametrize(("ion", "counts", "volume_a3", "vol_ah_per_l", "grav_mah_per_g"), REPORTED)
def test_reported_capacities(
    ion: str, counts: dict[str, int], volume_a3: float, vol_ah_per_l: float, grav_mah_per_g: float
) -> None:
    found = capacity(crystal(counts, volume_a3), ion, charge_number(ion))
    assert found.capacity_vol_ah_per_l == pytest.approx(vol_ah_per_l, rel=1e-5)
    assert found.capacity_grav_mah_per_g == pytest.approx(grav_mah_per_g, rel=1e-4)
    assert found.capacity_redox_vol_ah_per_l == pytest.approx(vol_ah_per_l, rel=1e-5)
    assert found.capacity_redox_grav_mah_per_g == pytest.approx(grav_mah_per_g, rel=1e-4)


@pytest.mark.parametrize(
    ("counts", "electrons"),
    [
        ({"Mg": 1, "Mn": 2, "O": 4}, 2),  # 2 Mn(3+ -> 4+)
        ({"Mg": 1, "Cr": 2, "O": 4}, 2),  # 2 Cr(3+ -> 4+)
        ({"Mg": 1, "Ti": 2, "S": 4}, 2),  # 2 Ti(3+ -> 4+)
        ({"Mg": 1, "V": 2, "O": 5}, 2),  # 2 V(4+ -> 5+)
        ({"Mg": 1, "Mn": 1, "Si": 1, "O": 4}, 2),  # Mn(2+ -> 4+)
        ({"Mg": 1, "Fe": 1, "Si": 1, "O": 4}, 1),  # Fe(2+ -> 3+) pays for half of the Mg
        ({"Mg": 1, "Fe": 2, "O": 4}, 0),  # Fe 3+ has no common higher state
        ({"Mg": 2, "Mn": 1, "O": 4}, 0),  # Mn is 4+ already
        ({"Mg": 1, "Cr": 1, "O": 4}, 0),  # chromate, 6+, above the state counted for charging
        ({"Mg": 1, "Fe": 1, "Mn": 1, "O": 3}, 2),  # Fe + Mn hold 4, can hold 7: capped by the Mg
        ({"Mg": 1, "O": 1}, 0),  # no redox metal, charges balance
        ({"Mg": 1, "Fe": 1, "P": 2, "S": 6}, 1),  # thiophosphate: P 4+, Fe(2+ -> 3+)
        ({"Mg": 3, "Fe": 1, "O": 3}, None),  # Fe would be 0
        ({"Mg": 2, "Se": 1, "Cl": 2, "O": 3}, 0),  # selenite, Se 4+
        ({"Mg": 1, "Fe": 1, "S": 2, "O": 8}, 1),  # sulfate, S 6+, Fe(2+ -> 3+)
        ({"Mg": 1, "Fe": 1, "C": 2, "O": 6}, 1),  # carbonate, C 4+
        ({"Mg": 2, "Fe": 1, "H": 6}, 1),  # hydride: H is the anion, Fe(2+ -> 3+)
        ({"Mg": 1, "Mn": 2, "O": 4, "H": 2}, 2),  # hydroxide: H 1+, 2 Mn 2+
        ({"Mg": 1, "O": 2}, None),  # peroxide
        ({"Mg": 1, "Cu": 2}, None),  # intermetallic
        ({"Mg": 1, "Co": 1, "P": 1}, None),  # metallic phosphide: Co would be 1+
        ({"Mg": 1, "Mn": 2, "Xx": 4}, None),  # unknown symbol
    ],
)
def test_redox_limit_by_hand(counts: dict[str, int], electrons: float | None) -> None:
    assert removable_electrons(counts, "Mg", 2) == electrons


def test_redox_limit_halves_mgfesio4() -> None:
    found = capacity(crystal({"Mg": 4, "Fe": 4, "Si": 4, "O": 16}, 300.0), "Mg", 2)
    assert found.capacity_vol_ah_per_l == pytest.approx(44505.0 * 8 / 300.0, rel=1e-4)
    assert found.capacity_redox_vol_ah_per_l == pytest.approx(found.capacity_vol_ah_per_l / 2)


def test_intermetallic_has_no_redox_capacity() -> None:
    found = capacity(crystal({"Mg": 2, "Sn": 1}, 80.0), "Mg", 2)
    assert found.capacity_vol_ah_per_l > 0
    assert found.capacity_redox_vol_ah_per_l is None
    assert found.capacity_redox_grav_mah_per_g is None


def test_supercell_keeps_capacity() -> None:
    one = capacity(crystal({"Mg": 1, "Mn": 2, "O": 4}, 80.0), "Mg", 2)
    eight = capacity(crystal({"Mg": 8, "Mn": 16, "O": 32}, 640.0), "Mg", 2)
    assert eight.capacity_vol_ah_per_l == pytest.approx(one.capacity_vol_ah_per_l)
    assert eight.capacity_grav_mah_per_g == pytest.approx(one.capacity_grav_mah_per_g)


def test_charge_number_is_an_argument() -> None:
    host = crystal({"Mg": 1, "Mn": 2, "O": 4}, 80.0)
    assert theoretical_electrons(host, "Mg", 2) == 2 * theoretical_electrons(host, "Mg", 1)


def test_refusals() -> None:
    host = crystal({"Mg": 1, "O": 1}, 20.0)
    with pytest.raises(NoWorkingIonError, match="holds no Li"):
        redox_limited_electrons(host, "Li", 1)
    with pytest.raises(RecordError, match="charge number 0"):
        capacity(host, "Mg", 0)
    with pytest.raises(RecordError, match="no chemical element"):
        capacity(crystal({"Mg": 1, "Xx": 1}, 20.0), "Mg", 2)


def test_states_are_ordered() -> None:
    for states in REDOX_STATES.values():
        assert all(low <= high for low, high in pairwise(states))


def test_flags() -> None:
    assert redox_metals(["O", "Mn", "Mg", "Co"]) == ["Co", "Mn"]
    assert has_anion(["Mg", "O"])
    assert not has_anion(["Mg", "Cu"])


def test_all_reported_capacities() -> None:
    data = Settings.from_environment().data
    if not (data / "electrodes.csv").exists():
        pytest.skip("reference data is not beside the repository")
    from core.sources.reference import read_electrode_structures, read_electrodes

    structures = read_electrode_structures(data)
    checked = 0
    for electrode in read_electrodes(data):
        host = structures.get(electrode.id_discharge)
        full = electrode.capacity_vol_ah_per_l
        if electrode.working_ion != "Mg" or host is None or full is None or "Mg" in electrode.formula_charge:
            continue
        assert capacity(host, "Mg", 2).capacity_vol_ah_per_l == pytest.approx(full, rel=1e-3), (
            electrode.battery_id
        )
        checked += 1
    assert checked > 200
