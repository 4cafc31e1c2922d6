"""`pip install .` gives the command `mgcathodes`, which works outside a clone on the release in the package.

The wheel goes into a fresh environment that borrows the requirements of this one: only the package itself is new.
"""

import csv
import io
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

import core
from core.settings import Settings

pytestmark = pytest.mark.slow

SHIPPED = ("core", "precomputed", "pyproject.toml", "setup.py", "requirements.txt", "README.md", "LICENSE")
"""What a wheel is built from, copied out first: a build leaves its own folders beside the sources."""

LEFT_OUT = shutil.ignore_patterns("__pycache__", "previous", ".lock", ".building-*", "*.egg-info")
LIMIT_S = 240

LAYERED_MGTIS2 = """data_MgTiS2
_cell_length_a 3.50
_cell_length_b 3.50
_cell_length_c 6.20
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ti1 Ti 0 0 0
Mg1 Mg 0 0 0.5
S1 S 0.333333 0.666667 0.23
S2 S 0.666667 0.333333 0.77
"""


@dataclass(frozen=True, kw_only=True)
class Installed:
    """The environment with the package in it, and an empty folder and home to call it from."""

    environment: Path
    site_packages: Path
    folder: Path
    home: Path

    def run(self, *command: str, **variables: str) -> str:
        """Run a program of the environment away from any clone and return what it prints."""
        ours = {name: text for name, text in os.environ.items() if not name.startswith(("MGC_", "PYTHON"))}
        return _run(
            str(self.environment / "bin" / command[0]), *command[1:],
            cwd=self.folder, env=ours | {"HOME": str(self.home)} | variables,
        )  # fmt: skip

    def files(self) -> dict[str, tuple[int, int]]:
        """Every file of the installed package but compiled modules, with its size and time of change."""
        return {
            str(path.relative_to(self.site_packages)): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in self.site_packages.rglob("*")
            if path.is_file() and path.parent.name != "__pycache__"
        }


def _run(*command: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, f"{command} gave {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _copy_sources(root: Path, target: Path) -> None:
    target.mkdir()
    for name in SHIPPED:
        if (root / name).is_dir():
            shutil.copytree(root / name, target / name, ignore=LEFT_OUT)
        else:
            shutil.copy2(root / name, target / name)


def _files_below(folder: Path) -> set[str]:
    """Names of what ships; superseded releases and what a running build leaves do not."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {
        str(path)
        for path in paths
        if path.parts[0] not in {"previous", "__pycache__"} and not path.parts[0].startswith(".")
    }


@pytest.fixture(scope="module")
def installed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel of this tree, installed without its requirements, which come from this environment."""
    base = tmp_path_factory.mktemp("installed")
    _copy_sources(root, base / "sources")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    _run(
        *pip,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        "wheels",
        "./sources",
        cwd=base,
    )
    (wheel,) = (base / "wheels").glob("*.whl")
    environment = base / "environment"
    venv.create(environment, with_pip=False)
    variables = {"base": str(environment), "platbase": str(environment)}
    site_packages = Path(sysconfig.get_path("purelib", "venv", vars=variables))
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = str(environment / "bin" / "python")
    _run(*pip, "--python", python, "install", "--no-deps", "--no-index", str(wheel), cwd=base)
    for name in ("folder", "home"):
        (base / name).mkdir()
    return Installed(
        environment=environment, site_packages=site_packages, folder=base / "folder", home=base / "home"
    )


def test_the_command_answers(installed: Installed) -> None:
    assert installed.run("mgcathodes", "--version").strip() == core.__version__
    assert installed.run("mgcathodes", "--help").startswith("usage: mgcathodes ")
    assert "diffusion" in installed.run("mgcathodes", "runs", "kinds")


def test_the_release_is_found_inside_the_package(installed: Installed, root: Path) -> None:
    script = (
        "from core.settings import Settings; it = Settings.from_environment(); print(it.precomputed, it.runs)"
    )
    precomputed, runs = (Path(text) for text in installed.run("python", "-c", script).split())
    assert precomputed == installed.site_packages / "core" / "precomputed"
    assert runs.is_relative_to(installed.home)
    script = "import core; print(core.__file__)"
    assert not Path(installed.run("python", "-c", script).strip()).is_relative_to(root)


def test_it_holds_every_file_of_the_shipped_folder(installed: Installed, root: Path) -> None:
    folder = installed.site_packages / "core" / "precomputed"
    assert _files_below(folder) == _files_below(root / "precomputed")


def test_it_works_and_writes_nothing_into_its_own_folder(installed: Installed) -> None:
    before = installed.files()
    table = installed.run("mgcathodes", "export", "--min-voltage-v", "3", "--min-capacity-ah-per-l", "800")
    installed.run("mgcathodes", "runs", "list")
    assert len(list(csv.DictReader(io.StringIO(table)))) > 10
    assert installed.files() == before
    assert not list(installed.folder.iterdir())


def test_a_structure_is_predicted_far_from_a_clone(installed: Installed, tmp_path: Path) -> None:
    before = installed.files()
    (tmp_path / "mine.cif").write_text(LAYERED_MGTIS2)
    printed = installed.run("mgcathodes", "predict", str(tmp_path / "mine.cif"))
    (row,) = csv.DictReader(io.StringIO(printed))
    assert float(row["voltage_v"]) > 0
    assert not row["error"]
    assert installed.files() == before
    assert not list(installed.folder.iterdir())


def test_the_environment_wins(installed: Installed, tmp_path: Path) -> None:
    script = "from core.settings import Settings; print(Settings.from_environment().precomputed)"
    assert installed.run("python", "-c", script, MGC_PRECOMPUTED=str(tmp_path)).strip() == str(tmp_path)


def test_a_clone_is_not_taken_for_an_installed_package(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MGC_PRECOMPUTED", "MGC_RUNS"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings.from_environment()
    assert settings.precomputed == root / "precomputed" and settings.runs == root / "runs"
