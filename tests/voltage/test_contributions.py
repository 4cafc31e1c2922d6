"""The split of a voltage into atoms: it adds up to the model's own frozen-host voltage and moves with the crystal."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import ModelError, NoWorkingIonError, StructureError
from core.ions import WORKING_IONS
from core.records import Crystal
from core.voltage import load_voltage_model
from core.voltage.kinds.frozen_host.backbones import SevenNetBackbone, SevenNetState
from core.voltage.kinds.frozen_host.contributions import MAX_SITES, Contributions, explain, site_contributions
from core.voltage.kinds.frozen_host.features import frozen_host
from core.voltage.predict import VoltageModel
from tests.voltage.crystals import crystal_of, layered, rock_salt, spinel

METAL_EV = -1.5


def state(site_energies_ev: list[float]) -> SevenNetState:
    energies = np.array(site_energies_ev)
    return SevenNetState(
        energy_ev=float(energies.sum()), site_energies_ev=energies, vectors=np.zeros((len(energies), 1))
    )


@pytest.fixture(scope="module")
def probe() -> SevenNetBackbone:
    return SevenNetBackbone()


@pytest.fixture(scope="module")
def model() -> VoltageModel:
    return load_voltage_model("frozen-host")


@pytest.fixture(scope="module")
def spinel_split(probe: SevenNetBackbone, model: VoltageModel) -> Contributions:
    return explain(model, spinel(), "Mg", probe)


def test_shares_are_what_each_atom_gives_up_a_charge() -> None:
    found = site_contributions(rock_salt(), "Mg", state([-5.0, -6.0]), state([-2.0]), metal_ev=METAL_EV)
    magnesium, oxygen = found.sites
    assert (magnesium.element, magnesium.is_working_ion) == ("Mg", True)
    assert magnesium.contribution_v == pytest.approx((-1.5 + 5.0) / 2)
    assert oxygen.contribution_v == pytest.approx((-2.0 + 6.0) / 2)
    assert found.voltage_v == pytest.approx((-2.0 - 1.5 + 11.0) / 2)
    assert found.by_element() == pytest.approx({"O": 2.0, "Mg": 1.75})
    assert list(found.by_element()) == ["O", "Mg"]


def test_distances_are_to_the_nearest_other_ion() -> None:
    found = site_contributions(rock_salt(), "Mg", state([0.0, 0.0]), state([0.0]), metal_ev=0.0)
    magnesium, oxygen = found.sites
    assert oxygen.ion_distance_a == pytest.approx(4.21 / 2)
    assert magnesium.ion_distance_a == pytest.approx(4.21 / np.sqrt(2))


def test_shares_add_up_to_the_frozen_host_voltage(
    spinel_split: Contributions, probe: SevenNetBackbone, model: VoltageModel
) -> None:
    crystal = spinel()
    n_ions = crystal.count("Mg")
    metal_ev = float(model.network.featurizer.metals.sevennet_ev[WORKING_IONS.index("Mg")])
    change_ev = probe(frozen_host(crystal, "Mg")).energy_ev + n_ions * metal_ev - probe(crystal).energy_ev
    expected_v = change_ev / (2 * n_ions)
    assert spinel_split.voltage_v == pytest.approx(expected_v, abs=1e-9)
    assert sum(it.contribution_v for it in spinel_split.sites) == pytest.approx(expected_v, abs=1e-9)
    assert sum(spinel_split.by_element().values()) == pytest.approx(expected_v, abs=1e-9)


def test_equivalent_atoms_have_equal_shares(spinel_split: Contributions) -> None:
    for element in ("Mg", "Mn", "O"):
        shares = [it.contribution_v for it in spinel_split.sites if it.element == element]
        assert np.ptp(shares) < 1e-5


def test_a_supercell_has_the_same_shares_by_element(probe: SevenNetBackbone, model: VoltageModel) -> None:
    small = explain(model, layered(), "Mg", probe)
    structure = layered().to_pymatgen()
    structure.make_supercell((2, 1, 1))
    large = explain(model, crystal_of(structure), "Mg", probe)
    assert large.by_element() == pytest.approx(small.by_element(), abs=1e-6)


def test_states_of_another_crystal_are_refused() -> None:
    with pytest.raises(StructureError, match="of this very crystal"):
        site_contributions(rock_salt(), "Mg", state([0.0]), state([0.0]), metal_ev=0.0)


def unused(_crystal: Crystal) -> SevenNetState:
    raise AssertionError("refused before the potential runs")


def test_a_structure_without_the_ion_is_refused(model: VoltageModel) -> None:
    with pytest.raises(NoWorkingIonError):
        explain(model, rock_salt(), "Ca", unused)


def test_a_large_cell_is_refused(model: VoltageModel) -> None:
    n_sites = MAX_SITES + 1
    species = ("Mg",) + ("O",) * (n_sites - 1)
    large = replace(rock_salt(), species=species, frac=np.random.default_rng(0).random((n_sites, 3)))
    with pytest.raises(StructureError, match=f"{n_sites} sites"):
        explain(model, large, "Mg", unused)


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(ModelError, match="cannot be split into atoms"):
        explain(load_voltage_model("cgcnn"), rock_salt(), "Mg", unused)
