"""Nequix in nequip's framework gives the numbers of its own package, recorded; its file may be absent or damaged."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal

from core.errors import ModelError, PotentialError
from core.potentials import Potential, load_potential, potential_card
from core.potentials.nequix.files import read_nqx
from core.potentials.nequix.potential import FILE, weights_path

RECORDED = json.loads((Path(__file__).parents[1] / "recorded" / "nequix-oam.json").read_text())["crystals"]


def crystals() -> Iterator[tuple[str, Atoms]]:
    """Ten crystals of two cells each, rattled."""
    made = {
        "MgO": bulk("MgO", "rocksalt", a=4.21), "ZnS": bulk("ZnS", "zincblende", a=5.41),
        "Mg": bulk("Mg", "hcp", a=3.2, c=5.2), "NiO": bulk("NiO", "rocksalt", a=4.18),
        "CaF2": bulk("CaF2", "fluorite", a=5.46), "NaCl": bulk("NaCl", "rocksalt", a=5.64),
        "CsCl": bulk("CsCl", "cesiumchloride", a=4.12), "Si": bulk("Si", "diamond", a=5.43),
        "Fe": bulk("Fe", "bcc", a=2.87),
        "LiCoO2": crystal(
            ["Li", "Co", "O"], [(0, 0, 0.5), (0, 0, 0), (0, 0, 0.26)], spacegroup=166,
            cellpar=[2.81, 2.81, 14.05, 90, 90, 120], primitive_cell=True,
        ),
    }  # fmt: skip
    for seed, (name, atoms) in enumerate(made.items()):
        atoms *= (2, 1, 1)
        atoms.rattle(0.08, seed=seed)
        yield name, atoms


@pytest.fixture(scope="module")
def potential() -> Potential:
    try:
        weights_path()
    except PotentialError as error:
        pytest.skip(str(error))
    return load_potential("nequix-oam", device="cpu", dtype="float64")


def test_ten_crystals_as_by_its_own_package(potential: Potential) -> None:
    for (name, atoms), known in zip(crystals(), RECORDED, strict=True):
        found = potential.evaluate(atoms)
        assert name == known["crystal"]
        assert found.energy_ev == pytest.approx(known["energy_ev"], abs=1e-6)
        np.testing.assert_allclose(found.forces_ev_per_a[0], known["first_force_ev_per_a"], atol=1e-6)


def test_single_precision_is_near(potential: Potential) -> None:
    single = load_potential("nequix-oam", device="cpu", dtype="float32")
    for _, atoms in list(crystals())[:3]:
        one, two = potential.evaluate(atoms), single.evaluate(atoms)
        assert one.energy_ev == pytest.approx(two.energy_ev, abs=1e-3)
        np.testing.assert_allclose(one.forces_ev_per_a, two.forces_ev_per_a, atol=1e-3)


def test_an_absent_file_says_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGC_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(PotentialError, match=rf"{FILE}.*data/weights.*use 'nequip-mp'"):
        potential_card("nequix-oam")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x00\x01", "damaged"),
        (b'{"index_weights": true, "layer_norm": true}\n', "index_weights"),
        (b'{"index_weights": false, "layer_norm": true, "lmax": 3, "n_layers": 1}\n', "damaged"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / FILE
    path.write_bytes(content)
    with pytest.raises(ModelError, match=said):
        read_nqx(path)
