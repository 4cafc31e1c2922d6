"""The packages of both potentials as a stranger has them: nequip alone, in a folder and a process of its own."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from ase.io import write

from core.errors import ModelError
from core.potentials import package as packaging
from core.potentials.files import read_card_file, shipped_folder
from core.provenance import sha256_of_file
from tests.potentials.conftest import loaded
from tests.potentials.structures import rattled

ROOT = Path(__file__).resolve().parent.parent.parent
STRUCTURES = ("MgMn2O4", "MgTi2S4")
POTENTIALS = {"nequip-mp": "float64", "nequip-mg": "float32"}
STRANGER = """
import json, sys
sys.modules["core"] = sys.modules["sevenn"] = None  # may not be imported, wherever they are
from ase.io import read
from nequip.integrations.ase import NequIPCalculator
from nequip.model import ModelFromPackage

def numbers(atoms, calculator):
    atoms.calc = calculator
    return {
        "energy_ev": float(atoms.get_potential_energy()),
        "forces_ev_per_a": atoms.get_forces().tolist(),
        "stress_ev_per_a3": atoms.get_stress(voigt=False).tolist(),
    }

answers = []
for path in sys.argv[1:]:
    calculator = NequIPCalculator._from_saved_model(path, device="cpu")
    answers.append({
        "elements": list(ModelFromPackage(path)["sole_model"].type_names),
        "found": [numbers(atoms, calculator) for atoms in read("structures.extxyz", ":")],
    })
imported = [name for name, module in sys.modules.items() if module and name.split(".")[0] in ("core", "sevenn")]
print(json.dumps({"answers": answers, "imported": imported}))
"""


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What a process without this project, its folder and its search path finds."""
    folder = tmp_path_factory.mktemp("elsewhere")
    write(folder / "structures.extxyz", [rattled(name) for name in STRUCTURES])
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, *(str(shipped_folder() / f"{name}.nequip.zip") for name in POTENTIALS)],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["imported"] == []
    return dict(zip(POTENTIALS, answer["answers"], strict=True))


@pytest.mark.parametrize("name", POTENTIALS)
def test_a_stranger_gets_the_same_numbers(name: str, stranger: dict) -> None:
    ours = loaded(name, POTENTIALS[name])
    assert sorted(stranger[name]["elements"]) == sorted(ours.card.elements)
    for structure, theirs in zip(STRUCTURES, stranger[name]["found"], strict=True):
        atoms = rattled(structure)
        expected = ours.evaluate(atoms)
        assert theirs["energy_ev"] / len(atoms) == pytest.approx(expected.energy_ev / len(atoms), abs=1e-4)
        assert np.abs(expected.forces_ev_per_a - theirs["forces_ev_per_a"]).max() < 1e-4
        assert np.abs(expected.stress_ev_per_a3 - theirs["stress_ev_per_a3"]).max() < 1e-4


@pytest.mark.parametrize("name", POTENTIALS)
def test_the_shipped_package_is_the_cards_and_small(name: str) -> None:
    path = packaging.package_path(shipped_folder(), name)
    card = read_card_file(shipped_folder(), name)[1]
    assert sha256_of_file(path) == card["package_sha256"]
    assert path.stat().st_size < 20_000_000


@pytest.mark.parametrize("name", POTENTIALS)
def test_the_shipped_package_holds_licence_source_and_no_path_of_its_makers(name: str) -> None:
    with zipfile.ZipFile(packaging.package_path(shipped_folder(), name)) as archive:
        config = archive.read(f"{name}.nequip/model/config.yaml").decode()
        ours = [item for item in archive.namelist() if "/core/" in item]
        sources = [archive.read(item).decode() for item in ours]
    assert "MIT License" in config
    assert "file_path: example.extxyz" in config and "path: /" not in config
    modules = Path(packaging.modules.__file__)
    expected = [modules.read_text(encoding="utf-8")] if name == "nequip-mp" else []
    assert sources == expected and all(
        item.endswith("/core/potentials/nequip_mp/modules.py") for item in ours
    )


def test_the_entry_point_is_that_of_the_project() -> None:
    group, name, value = packaging.ENTRY_POINT
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"] == {group: {name: value}}


@pytest.mark.slow
def test_the_package_is_built_from_weights_card_and_licence_alone(tmp_path: Path) -> None:
    """A second build holds the same weights; only the names that torch gives its storages may differ."""
    for ending in ("json", "safetensors", "LICENSE.txt"):
        (tmp_path / f"nequip-mp.{ending}").write_bytes(
            (shipped_folder() / f"nequip-mp.{ending}").read_bytes()
        )
    before = read_card_file(tmp_path, "nequip-mp")[1]
    made = packaging.package("nequip-mp", tmp_path)
    card = read_card_file(tmp_path, "nequip-mp")[1]
    assert card == {**before, "package_sha256": sha256_of_file(made)}
    assert _storages(made) == _storages(packaging.package_path(shipped_folder(), "nequip-mp"))


def _storages(path: Path) -> list[int]:
    """Checksums of all tensors, sorted."""
    with zipfile.ZipFile(path) as archive:
        return sorted(item.CRC for item in archive.infolist() if item.filename.endswith(".storage"))


def test_a_failed_build_says_why_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho 'no such module' >&2\nexit 3\n", encoding="utf-8")
    failing.chmod(0o755)
    monkeypatch.setattr(packaging.sys, "executable", str(failing))
    (tmp_path / "made.nequip.zip").write_bytes(b"half an archive")
    with pytest.raises(ModelError, match="nequip-package ended with status 3: no such module"):
        packaging.package_checkpoint(tmp_path / "any.ckpt", tmp_path / "made.nequip.zip")
    assert not (tmp_path / "made.nequip.zip").exists()


def test_without_licence_nothing_is_packaged(tmp_path: Path) -> None:
    (tmp_path / "nequip-mp.json").write_bytes((shipped_folder() / "nequip-mp.json").read_bytes())
    with pytest.raises(ModelError, match=r"nequip-mp\.LICENSE\.txt is missing"):
        packaging.package("nequip-mp", tmp_path)
