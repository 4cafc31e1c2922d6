"""The command line: what it writes, in which order, with which exit status."""

import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.cli import main
from core.cli.output import StageBars, open_output
from core.csv_text import cell, write_rows
from core.errors import ExplorerError
from core.service.predict import COLUMNS
from tests.store.small_release import make_release

MGO = {
    "id": "mgo", "formula": "MgO", "lattice": [[0, 2.105, 2.105], [2.105, 0, 2.105], [2.105, 2.105, 0]],
    "species": ["Mg", "O"], "frac": [[0, 0, 0], [0.5, 0.5, 0.5]], "source": "hand-made",
}  # fmt: skip
MGS = MGO | {"id": "mgs", "formula": "MgS", "species": ["Mg", "S"],
             "lattice": [[0, 2.6, 2.6], [2.6, 0, 2.6], [2.6, 2.6, 0]]}  # fmt: skip
CAO = MGO | {"id": "cao", "formula": "CaO", "species": ["Ca", "O"], "working_ion": "Ca",
             "lattice": [[0, 2.4, 2.4], [2.4, 0, 2.4], [2.4, 2.4, 0]]}  # fmt: skip
FEO = MGO | {"id": "feo", "formula": "FeO", "species": ["Fe", "O"]}
POSCAR = "MgO\n4.21\n0 0.5 0.5\n0.5 0 0.5\n0.5 0.5 0\nMg O\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n"


def lines_file(folder: Path, *records: dict, name: str = "in.jsonl") -> Path:
    path = folder / name
    text = "".join(json.dumps(record) + "\n" for record in records)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(
    "arguments", [[], ["predict"], ["export"], ["build"], ["train-voltage"], ["evaluate-voltage"]]
)
def test_help_explains_itself(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert "usage: python -m core" in text and len(text.splitlines()) > 8


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys, core.cli; core.cli.build_parser().format_help();"
        "print(sorted({'torch', 'numpy', 'pandas', 'duckdb', 'pymatgen'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "required: COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["predict"], "required: PATH"),
        (["predict", "x.cif", "--ion", "Fe"], "'Fe' is not a known working ion; choose one of Li, Na"),
        (["export", "--min-voltage-v", "high"], "invalid float value"),
        (["export", "--min-voltage-v", "nan"], "finite number"),
        (["train-voltage", "--epochs", "0"], "0 is below 1"),
    ],
)
def test_wrong_usage_is_refused_in_one_line(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    error = capsys.readouterr().err
    assert stopped.value.code == 2
    assert reason in error and error.count("\n") == 1


def test_an_absent_input_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(tmp_path / "none.cif")]) == 2
    captured = capsys.readouterr()
    assert "none.cif is not there" in captured.err and captured.err.count("\n") == 1
    assert captured.out == ""


def test_a_folder_without_structures_says_so_in_its_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert main(["predict", str(folder)]) == 1
    (row,) = rows_of(capsys.readouterr().out)
    assert row["error"] and row["voltage_v"] == ""


@pytest.mark.parametrize("command", ["build", "train-voltage", "evaluate-voltage"])
def test_absent_reference_data_is_status_2(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--data", str(tmp_path / "none")]) == 2
    assert "No reference data in" in capsys.readouterr().err


def test_incomplete_reference_data_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "lacks mg_candidates.jsonl.gz" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_unknown_model_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = lines_file(tmp_path, MGO)
    assert main(["predict", str(path), "--model", "no-such-model"]) == 2
    assert "no-such-model" in capsys.readouterr().err


def test_predict_writes_a_row_a_structure_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lines_file(tmp_path, MGS, MGO, CAO, name="in.jsonl.gz")
    assert main(["predict", str(path)]) == 0
    rows = rows_of(capsys.readouterr().out)
    assert tuple(rows[0]) == COLUMNS
    assert [(row["id"], row["working_ion"]) for row in rows] == [("mgs", "Mg"), ("mgo", "Mg"), ("cao", "Ca")]
    for row in rows:
        low, middle, high = (float(row[name]) for name in ("voltage_low_v", "voltage_v", "voltage_high_v"))
        assert low <= middle <= high and float(row["voltage_std_v"]) > 0
        assert row["in_domain"] in {"true", "false"} and row["error"] == ""
    # MgO: 2 electrons in 2 x 2.105^3 cubic angstrom, 40.304 g/mol
    assert float(rows[1]["capacity_vol_ah_per_l"]) == pytest.approx(44505 * 2 / (2 * 2.105**3), rel=1e-4)
    assert float(rows[1]["capacity_grav_mah_per_g"]) == pytest.approx(26801 * 2 / 40.304, rel=1e-4)


def test_predict_keeps_the_row_of_a_structure_that_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lines_file(tmp_path, MGO, FEO, MGS)
    output = tmp_path / "out.csv"
    assert main(["predict", str(path), "-o", str(output)]) == 1
    rows = rows_of(output.read_text())
    assert [row["id"] for row in rows] == ["mgo", "feo", "mgs"]
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert "Mg" in rows[1]["error"] and rows[1]["voltage_v"] == "" and rows[1]["formula"] == "FeO"
    assert "1 of 3 structures" in capsys.readouterr().err


def test_predict_reads_poscar_and_folder_and_survives_rubbish(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "structures"
    folder.mkdir()
    (folder / "a.vasp").write_text(POSCAR)
    (folder / "b.cif").write_text("<html>not a crystal</html>")
    assert main(["predict", str(folder)]) == 1
    rows = rows_of(capsys.readouterr().out)
    assert len(rows) == 2
    assert rows[0]["error"] == "" and rows[0]["formula"] == "MgO"
    assert rows[1]["error"] and rows[1]["voltage_v"] == ""


def test_predict_takes_the_ion_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = lines_file(tmp_path, CAO | {"working_ion": "Ca"}, MGO)
    assert main(["predict", str(path), "--ion", "Ca"]) == 1
    rows = rows_of(capsys.readouterr().out)
    assert [row["working_ion"] for row in rows] == ["Ca", "Ca"]
    assert rows[0]["error"] == "" and rows[1]["error"]


def test_a_failed_command_leaves_the_old_output(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    output.write_text("old")

    def stopped() -> None:
        with open_output(output) as stream:
            stream.write("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stopped()
    assert output.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_output_into_nowhere_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent" / "out.csv"):
        with pytest.raises(ExplorerError, match="file name in a folder that exists"), open_output(path):
            pass


def test_output_follows_links_and_never_replaces_a_device(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    link.symlink_to(real)
    with open_output(link) as stream:
        stream.write("new")
    assert link.is_symlink() and real.read_text() == "new"
    with open_output(Path("/dev/null")) as stream:
        stream.write("gone")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (float("nan"), ""), (1.5, "1.500000"), (True, "true"), (np.bool_(False), "false"),
        (np.float32(0.25), "0.250000"), (3, "3"), (["Mg", "O"], "Mg O"), (np.array(["Mn"]), "Mn"), ("a,b", "a,b"),
        ("=cmd()", "'=cmd()"), (-3, "-3"), (-0.5, "-0.500000"),
    ],
)  # fmt: skip
def test_cells(value: object, text: str) -> None:
    assert cell(value) == text


def test_rows_quote_what_needs_it() -> None:
    stream = io.StringIO()
    assert write_rows(stream, ["a", "b"], [{"a": 'x,"y"\n'}, {"b": 1}]) == 2
    assert rows_of(stream.getvalue()) == [{"a": 'x,"y"\n', "b": ""}, {"a": "", "b": "1"}]


def test_stage_bars_take_stages_one_after_the_other() -> None:
    with StageBars() as bars:
        bars.update("read", 1, 2)
        bars.update("predict", 5, 10)
        bars.update("predict", 10, 10)


@pytest.fixture
def small_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "precomputed"
    make_release(folder)
    monkeypatch.setenv("MGC_PRECOMPUTED", str(folder))
    return folder


def test_export_writes_what_passes_and_a_side_car(small_release: Path, tmp_path: Path) -> None:
    output = tmp_path / "shortlist.csv"
    limits = ["--min-voltage-v", "2.0", "--min-capacity-ah-per-l", "600"]
    assert main(["export", "--paper", *limits, "-o", str(output)]) == 0
    rows = rows_of(output.read_text())
    assert [row["id"] for row in rows] == [
        "mp-32006",
        "gnome-3",
        "mp-2",
    ]  # nothing is known of gnome-3's hull
    for row in rows:
        assert float(row["voltage_v"]) > 2.0 and float(row["capacity_vol_ah_per_l"]) > 600.0
        assert row["license"] and row["provenance_id"]
    assert [row["on_pareto_front"] for row in rows] == ["False", "True", "False"]
    side_car = json.loads((tmp_path / "shortlist.csv.json").read_text())
    assert side_car["verdicts"] is None
    assert side_car["thresholds"] == {
        "definition": "paper",
        "voltage_v": 2.0,
        "voltage_max_v": None,
        "capacity_vol_ah_per_l": 600.0,
        "sigma_ms_per_cm": None,
        "barrier_ev": None,
    }
    assert side_car["rows"] == len(rows) and side_car["weights"]["price"] == 0.5
    assert len(side_car["release"]["model_sha256"]) == 64


def test_export_writes_by_default_what_one_would_make_next(
    small_release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "next.csv"
    assert main(["export", "-o", str(output)]) == 0
    rows = rows_of(output.read_text())
    assert [row["id"] for row in rows] == ["mp-32006", "gnome-3"]
    first = ["id", "formula", "verdict", "score", "reasons_for", "reasons_against", "unknown"]
    assert list(rows[0])[:7] == first
    for row in rows:
        assert row["verdict"] == "open" and row["reasons_against"] == ""
        assert (
            "can pay for ions that leave" in row["reasons_for"] and "host not relaxed yet" in row["unknown"]
        )
        assert float(row["capacity_redox_vol_ah_per_l"]) > 800.0 and row["price_usd_per_kg"]
    side_car = json.loads((tmp_path / "next.csv.json").read_text())
    assert side_car["thresholds"]["definition"] == "cathode" and side_car["verdicts"] == ["make next", "open"]
    assert "with nothing against them" in capsys.readouterr().err


def test_export_without_options_writes_cathodes_with_their_reasons(precomputed: Path, tmp_path: Path) -> None:
    output = tmp_path / "shortlist.csv"
    assert main(["export", "-o", str(output)]) == 0
    rows = rows_of(output.read_text())
    first = ["id", "formula", "verdict", "score", "reasons_for", "reasons_against", "unknown"]
    assert list(rows[0])[:7] == first
    verdicts = [row["verdict"] for row in rows]
    assert set(verdicts) == {"make next", "open"} and verdicts == sorted(verdicts)
    assert all(row["reasons_for"] and not row["reasons_against"] for row in rows)
    assert all(float(row["capacity_redox_vol_ah_per_l"]) > 800.0 for row in rows)
    assert json.loads((tmp_path / "shortlist.csv.json").read_text())["thresholds"]["definition"] == "cathode"


def test_export_takes_weights_a_window_and_one_row_a_formula(
    precomputed: Path, tmp_path: Path, capsys
) -> None:
    output = tmp_path / "next.csv"
    assert main(["export", "--weights", "barrier=10", "--one-per-formula", "-o", str(output)]) == 0
    rows = rows_of(output.read_text())
    assert len({row["formula"] for row in rows}) == len(rows) and any(
        int(it["n_polymorphs"]) > 1 for it in rows
    )
    scores = [float(row["score"]) for row in rows if row["verdict"] == "make next"]
    assert len(scores) > 1 and scores == sorted(scores, reverse=True)
    assert json.loads((tmp_path / "next.csv.json").read_text())["weights"]["barrier"] == 10.0
    said = capsys.readouterr().err
    assert f"{len(rows)} formulas" in said and f"{sum(int(it['n_polymorphs']) for it in rows)} of" in said
    assert main(["export", "--max-voltage-v", "3.3", "-o", str(output)]) == 0
    narrow = rows_of(output.read_text())
    assert narrow and all(float(row["voltage_v"]) < 3.3 for row in narrow)
    assert main(["export", "--weights", "beauty=1"]) == 2
    assert "no part beauty of the score" in capsys.readouterr().err


def test_export_says_that_a_release_without_conductivities_passes_none(
    small_release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--min-sigma-ms-per-cm", "100"]) == 0
    captured = capsys.readouterr()
    assert rows_of(captured.out) == []
    assert "no conductivities" in captured.err


def test_export_without_a_release_is_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path))
    assert main(["export"]) == 2
    assert "No database release" in capsys.readouterr().err
