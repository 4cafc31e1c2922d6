"""M3GNet by matgl: weights that the user has are read, absent ones are named; small random ones stand for them."""

import numpy as np
import pytest
import torch
from ase.build import bulk

from core.errors import ModelError, PotentialError
from core.potentials import load_potential, potential_card
from core.potentials.matgl import FOLDERS

STEP = 1e-4


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A folder of weights of a small untrained network, where the settings say that weights lie."""
    pytest.importorskip("matgl", reason="matgl is in requirements-matgl.txt, an environment of its own")
    from matgl.apps.pes import Potential
    from matgl.models import M3GNet

    torch.manual_seed(0)
    network = M3GNet(
        element_types=("O", "Mg"), dim_node_embedding=16, dim_edge_embedding=16, units=16, nblocks=2, cutoff=5.0,
        threebody_cutoff=4.0, is_intensive=False,
    )  # fmt: skip
    folder = tmp_path / "weights" / FOLDERS["m3gnet"]
    Potential(network, element_refs=np.array([-1.0, -2.0]), calc_stresses=True).save(folder)
    monkeypatch.setenv("MGC_DATA", str(tmp_path))
    return folder


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_absent_weights_say_where_they_go(name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MGC_DATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(PotentialError, match=f"does not ship.*{FOLDERS[name]} in .*use 'nequip-mp'"):
        load_potential(name)


def test_forces_and_stress_are_slopes_of_the_energy(weights) -> None:
    before = torch.get_default_dtype()
    potential = load_potential("m3gnet", device="cpu", dtype="float64")
    atoms = bulk("MgO", "rocksalt", a=4.2) * (2, 1, 1)
    atoms.rattle(0.05, seed=1)
    found = potential.evaluate(atoms)
    direction = np.random.default_rng(0).normal(size=(len(atoms), 3))
    energies = []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions += sign * STEP * direction
        energies.append(potential.evaluate(moved).energy_ev)
    slope = -(energies[0] - energies[1]) / (2 * STEP)
    assert slope == pytest.approx((found.forces_ev_per_a * direction).sum(), abs=1e-6)
    strained = []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.set_cell(atoms.cell * (1 + sign * STEP), scale_atoms=True)
        strained.append(potential.evaluate(moved).energy_ev)
    pressure = (strained[0] - strained[1]) / (2 * STEP) / atoms.get_volume()
    assert np.trace(found.stress_ev_per_a3) == pytest.approx(pressure, abs=1e-6)
    assert torch.get_default_dtype() == before


def test_the_card_tells_elements_and_cutoff(weights) -> None:
    card = potential_card("m3gnet")
    assert (card.elements, card.cutoff_a) == (("Mg", "O"), 5.0) and len(card.sha256) == 64


def test_weights_of_another_version_are_refused(weights) -> None:
    state = torch.load(weights / "state.pt", weights_only=True)
    lost = next(name for name in state if name.endswith("weight"))
    torch.save({name: value for name, value in state.items() if name != lost}, weights / "state.pt")
    with pytest.raises(ModelError, match="not those of this version"):
        potential_card("m3gnet")
