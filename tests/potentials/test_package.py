"""The packages of both potentials as a stranger has them: nequip alone, in a folder and a process of its own.

They are made on demand; so the tests make them, once, in a temporary folder.
"""

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

from core.cli import main
from core.errors import ModelError
from core.potentials import package as packaging
from core.potentials.files import shipped_folder
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
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each potential packaged, as the command does it."""
    folder = tmp_path_factory.mktemp("packages")
    made = {}
    for name in POTENTIALS:
        made[name] = folder / f"{name}.nequip.zip"
        assert main(["package-potential", name, "-o", str(made[name])]) == 0
    return made


@pytest.fixture(scope="module")
def stranger(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What a process without this project, its folder and its search path finds."""
    folder = tmp_path_factory.mktemp("elsewhere")
    write(folder / "structures.extxyz", [rattled(name) for name in STRUCTURES])
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, *(str(path) for path in packages.values())],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["imported"] == []
    return dict(zip(POTENTIALS, answer["answers"], strict=True))


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("name", POTENTIALS)
def test_a_package_holds_licence_source_and_no_path_of_its_makers(
    name: str, packages: dict[str, Path]
) -> None:
    assert packages[name].stat().st_size < 20_000_000
    with zipfile.ZipFile(packages[name]) as archive:
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


def test_each_potential_ships_once() -> None:
    """Weights and card; what nequip's own tools take is made of them on demand."""
    assert not list(shipped_folder().glob("*.zip"))
    assert len(list(shipped_folder().glob("*.safetensors"))) == len(POTENTIALS)


def test_the_entry_point_is_that_of_the_project() -> None:
    group, name, value = packaging.ENTRY_POINT
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"] == {group: {name: value}}


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
        packaging.package("nequip-mp", tmp_path / "nequip-mp.nequip.zip", folder=tmp_path)
    assert not (tmp_path / "nequip-mp.nequip.zip").exists()


def test_what_cannot_be_packaged_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["package-potential", "chgnet", "-o", str(tmp_path / "chgnet.nequip.zip")]) == 2
    assert "'chgnet' is no NequIP potential; packages are made of nequip-mp" in capsys.readouterr().err
    assert main(["package-potential", "nequip-mp", "-o", str(tmp_path / "nequip-mp.zip")]) == 2
    assert "by the ending '.nequip.zip'; 'nequip-mp.zip' lacks it" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
