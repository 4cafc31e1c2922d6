"""What a host goes through when its ions leave: moves, bonds, verdict."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import RelaxationError
from core.records import Crystal
from core.relaxation import host_change, without
from tests.potentials.structures import rattled


def as_crystal(name: str) -> Crystal:
    atoms = rattled(name, displacement_a=0.0)
    return Crystal(
        id=name, formula=name, lattice_a=np.array(atoms.cell.array), species=tuple(atoms.get_chemical_symbols()),
        frac=atoms.get_scaled_positions(), source="test",
    )  # fmt: skip


@pytest.fixture
def spinel() -> Crystal:
    return as_crystal("MgMn2O4")


def ions(crystal: Crystal) -> list[int]:
    return [site for site, element in enumerate(crystal.species) if element == "Mg"]


def test_a_crystal_without_its_ions_keeps_cell_and_order(spinel: Crystal) -> None:
    host = without(spinel, ions(spinel))
    assert host.species == tuple(element for element in spinel.species if element != "Mg")
    assert np.array_equal(host.lattice_a, spinel.lattice_a)
    assert host.formula == "MnO2"
    assert host.e_above_hull_ev_per_atom is None and host.spacegroup is None


def test_the_unrelaxed_host_is_topotactic_with_no_change(spinel: Crystal) -> None:
    change = host_change(spinel, without(spinel, ions(spinel)), "Mg")
    assert change.framework == "topotactic" and change.matches
    assert (change.volume_change, change.bonds_changed, change.coordination_changed) == (0.0, 0.0, 0)
    assert change.largest_move_a == pytest.approx(0.0, abs=1e-12)
    assert change.n_host_cations == 4


def test_volume_counts_charged_over_discharged(spinel: Crystal) -> None:
    host = without(spinel, ions(spinel))
    change = host_change(spinel, replace(host, lattice_a=host.lattice_a * 0.97), "Mg")
    assert change.volume_change == pytest.approx(0.97**3 - 1)
    assert change.framework == "topotactic"


def test_a_shift_of_the_whole_host_is_no_move(spinel: Crystal) -> None:
    host = without(spinel, ions(spinel))
    change = host_change(spinel, replace(host, frac=host.frac + np.array([0.31, 0.9, -0.2])), "Mg")
    assert change.largest_move_a == pytest.approx(0.0, abs=1e-9)


def test_one_atom_moved_is_told_in_angstrom(spinel: Crystal) -> None:
    host = without(spinel, ions(spinel))
    frac = host.frac.copy()
    frac[0] += np.array([0.8, 0.0, 0.0]) @ np.linalg.inv(host.lattice_a)
    change = host_change(spinel, replace(host, frac=frac), "Mg")
    n_host = host.n_sites
    assert change.largest_move_a == pytest.approx(0.8 * (1 - 1 / n_host), abs=1e-6)
    assert change.framework != "topotactic"


def test_a_scrambled_host_is_collapsed(spinel: Crystal) -> None:
    host = without(spinel, ions(spinel))
    scrambled = np.random.default_rng(0).random(host.frac.shape)
    change = host_change(spinel, replace(host, frac=scrambled), "Mg")
    assert change.framework == "collapsed" and not change.matches
    assert change.bonds_changed > 0.2
    assert "collapsed" in change.words


def test_a_third_of_the_volume_is_a_collapse(spinel: Crystal) -> None:
    host = without(spinel, ions(spinel))
    assert host_change(spinel, replace(host, lattice_a=host.lattice_a * 0.88), "Mg").framework == "collapsed"


def test_the_metal_centre_of_a_phosphate_like_group_is_a_cation() -> None:
    silicate = as_crystal("MgFeSiO4")
    change = host_change(silicate, without(silicate, ions(silicate)), "Mg")
    assert change.n_host_cations == 8  # four Fe, four Si


def test_two_different_hosts_are_refused(spinel: Crystal) -> None:
    other = without(as_crystal("MgTi2S4"), [])
    with pytest.raises(RelaxationError, match="the host atoms of MgMn2O4 and"):
        host_change(spinel, other, "Mg")


def test_the_metal_alone_has_no_host() -> None:
    metal = as_crystal("Mg")
    with pytest.raises(RelaxationError, match="no host beside its Mg"):
        host_change(metal, metal, "Mg")
