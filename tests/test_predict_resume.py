"""What `predict` has computed outlives a kill: it stands in FILE.part, and a second run goes on after it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.cli import main
from core.cli.growing import growing_output
from core.errors import SourceError
from core.service import predict
from core.settings import ROOT
from tests import counting_model
from tests.counting_model import Counting
from tests.test_cli import MGO

N: int = 60
COLUMNS = ("id", "formula")


@pytest.fixture
def structures(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(json.dumps(MGO | {"id": f"mgo-{number}"}) for number in range(N)))
    return path


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Counting:
    found = Counting()
    monkeypatch.setattr(predict, "load_model", lambda name: found)
    return found


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_a_killed_run_goes_on_after_its_rows(structures: Path, tmp_path: Path, model: Counting) -> None:
    output = tmp_path / "out.csv"
    part = tmp_path / "out.csv.part"
    command = [sys.executable, counting_model.__file__, "predict", str(structures), "-o", str(output)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 120.0
    while not (part.exists() and part.read_text().count("\n") > 1):
        assert process.poll() is None and time.monotonic() < deadline, "no row was written in time"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = part.read_text().count("\n") - 1
    assert 0 < there < N and not output.exists()

    assert main(["predict", str(structures), "-o", str(output)]) == 2  # nothing is written over
    assert main(["predict", str(structures), "-o", str(output), "--resume"]) == 0
    assert model.n_asked == N - there
    assert [row["id"] for row in rows_of(output)] == [f"mgo-{number}" for number in range(N)]
    assert {row["voltage_v"] for row in rows_of(output)} == {"3.500000"}
    assert sorted(it.name for it in tmp_path.iterdir()) == ["in.jsonl", "out.csv"]


def test_a_line_that_a_kill_cut_is_made_again(structures: Path, tmp_path: Path, model: Counting) -> None:
    output, part = tmp_path / "out.csv", tmp_path / "out.csv.part"
    assert main(["predict", str(structures), "-o", str(output)]) == 0
    whole = output.read_text()
    part.write_text(whole[: len(whole) // 2])
    model.n_asked = 0
    assert main(["predict", str(structures), "-o", str(output), "--resume"]) == 0
    assert 0 < model.n_asked < N and output.read_text() == whole


def test_rows_of_other_structures_are_refused_and_kept(
    structures: Path, tmp_path: Path, model: Counting, capsys: pytest.CaptureFixture[str]
) -> None:
    output, part = tmp_path / "out.csv", tmp_path / "out.csv.part"
    part.write_text(",".join(predict.COLUMNS) + "\n" + ",".join(["other", "", "Mg"] + [""] * 21) + "\n")
    before = part.read_text()
    assert main(["predict", str(structures), "-o", str(output), "--resume"]) == 2
    assert "Row 1 of the earlier run is other" in capsys.readouterr().err
    assert part.read_text() == before and not output.exists()


def test_resume_needs_a_file(structures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(structures), "--resume"]) == 2
    assert "name it with -o" in capsys.readouterr().err


def test_without_a_row_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(RuntimeError), growing_output(folder / "a.csv", COLUMNS, resume=False) as (stream, _):
        stream.write("id,formula\n")
        raise RuntimeError
    assert list(folder.iterdir()) == []


def test_rows_outlive_an_error_and_wait_for_resume(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    with pytest.raises(RuntimeError), growing_output(path, COLUMNS, resume=False) as (stream, _):
        stream.write("id,formula\na,MgO\n")
        raise RuntimeError
    assert "a.csv.part; go on with --resume" in capsys.readouterr().err
    with pytest.raises(SourceError, match="holds 1 rows of a run that was stopped"):
        growing_output(path, COLUMNS, resume=False).__enter__()
    with pytest.raises(SourceError, match="has other columns"):
        growing_output(path, ("id",), resume=True).__enter__()
    with growing_output(path, COLUMNS, resume=True) as (stream, rows):
        assert rows == [{"id": "a", "formula": "MgO"}]
        stream.write("b,CaO\n")
    assert path.read_text() == "id,formula\na,MgO\nb,CaO\n"


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with growing_output(path, COLUMNS, resume=False) as (stream, _):
        stream.write("id,formula\n")
        with pytest.raises(SourceError, match="Another process is writing"):
            growing_output(path, COLUMNS, resume=True).__enter__()
