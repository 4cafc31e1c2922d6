"""`python -m core dft`: the plan, VASP's folder and back, and words where something is missing."""

from pathlib import Path

import pytest

from core.cli import main
from core.dft import metal_crystal
from core.store import open_reader
from tests.dft.vasprun import write_vasprun


def test_the_plan_lists_crystals_with_time_and_memory(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dft", "campaign", "--plan", "--labelled", "2", "--candidates", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and all("minutes of one core" in line and " GB" in line for line in lines)


def test_a_folder_for_vasp_and_what_comes_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("dftd3", reason="dftd3 is not installed (make dft)")
    from core.service.dft import electrode_of

    runs = ["--output", str(tmp_path / "runs")]
    folder = tmp_path / "vasp"
    assert main(["dft", "prepare", "mp-1221953", "-o", str(folder), *runs]) == 0
    with open_reader() as reader:
        asked = electrode_of(reader.crystal("mp-1221953"), "Mg", reader, tmp_path / "runs")
    write_vasprun(folder / "metal-Mg", metal_crystal("Mg"), -3.0)
    assert main(["dft", "collect", str(folder), *runs]) == 1
    assert "Left out mp-1221953" in capsys.readouterr().err
    write_vasprun(folder / "mp-1221953" / "discharged", asked.discharged, -25.0)
    write_vasprun(folder / "mp-1221953" / "charged", asked.charged, -18.0)
    assert main(["dft", "collect", str(folder), *runs]) == 0
    assert "V with D3" in capsys.readouterr().err
    assert main(["runs", "list", "--kind", "dft", *runs]) == 0
    assert "DFT relaxed" in capsys.readouterr().out


def test_without_gpaw_a_run_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("core.dft.available.find_spec", lambda name: None)
    assert main(["dft", "run", "mp-1221953", "--as-given", "--output", str(tmp_path)]) == 2
    assert "make dft" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_level_out_of_range_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dft", "run", "mp-1221953", "--ecut", "5"]) == 2
    assert "ecut_ev is 5.0" in capsys.readouterr().err
