"""`python -m core curve`: voltage curves from a terminal."""

import json
from pathlib import Path

import pytest

from core.calculations.kinds import relaxation
from core.cli import main
from tests.dynamics.toys import rocksalt
from tests.store.small_release import make_release

SMALL = ["--potential", "toy", "--device", "cpu", "--max-sites", "8", "--relaxed", "1"]


@pytest.fixture(autouse=True)
def no_potential_kept(runs) -> None:
    relaxation.loaded_potential.cache_clear()


@pytest.mark.parametrize(
    "arguments", [[], ["run"], ["campaign"], ["status"], ["cancel"], ["resume"], ["merge"]]
)
def test_help_explains_itself(arguments, capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["curve", *arguments, "--help"])
    assert stopped.value.code == 0 and "usage: python -m core curve" in capsys.readouterr().out


def test_one_structure_file_gives_its_steps(tmp_path: Path, capsys) -> None:
    path = tmp_path / "salt.cif"
    path.write_text(rocksalt().to_cif())
    assert main(["curve", "run", str(path), *SMALL]) == 0
    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert printed["kind"] == "curve" and printed["steps"] and "points" not in printed
    assert printed["verdict"] in captured.err and "result.json" in captured.err


def test_a_list_of_candidates_is_done_in_order_and_once(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path / "precomputed"))
    make_release(tmp_path / "precomputed", "1")
    ids = tmp_path / "ids.txt"
    ids.write_text("mp-1  # rock salt\n\nmp-1\n")
    command = ["curve", "campaign", "--ids-file", str(ids), *SMALL]
    assert main(command) == 0
    assert "1/1 mp-1-toy-curve" in capsys.readouterr().err
    assert main(command) == 0
    ids.write_text("# nothing\n")
    assert main(command) == 2
    assert "names no candidate" in capsys.readouterr().err


def test_one_that_fails_is_status_1(tmp_path: Path, monkeypatch, capsys) -> None:
    def broken(*_, **__):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("core.calculations.kinds.curve.work.screened", broken)
    path = tmp_path / "salt.cif"
    path.write_text(rocksalt().to_cif())
    assert main(["curve", "run", str(path), *SMALL]) == 1
    assert "failed, ZeroDivisionError" in capsys.readouterr().err
