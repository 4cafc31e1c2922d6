"""A file of hops becomes a table of barriers: a row each, bad ones with the reason, and a stopped one goes on."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import cli
from core.errors import BarrierError, SourceError
from core.hops import paths
from core.hops.paths import barrier_row, line_key, read_hop, read_lines
from core.hops.spread import SPREADS, barrier_std_ev, fit_spread
from core.potentials import registry
from tests.dynamics.toys import Toy, rocksalt
from tests.tasks.toy_potential import NAME


def line(**changed: Any) -> dict[str, Any]:
    """Rock salt of 64 atoms with a vacancy beside an ion."""
    atoms = rocksalt().to_ase() * (2, 2, 2)
    sites = [i for i, symbol in enumerate(atoms.symbols) if symbol == "Mg"]
    near = min(sites[1:], key=lambda i: atoms.get_distance(sites[0], i, mic=True))
    step = atoms.get_distance(sites[0], near, mic=True, vector=True)
    start = atoms.get_scaled_positions()[sites[0]]
    end = start + step @ atoms.cell.reciprocal().T
    del atoms[[sites[0], near]]
    return {
        "id": "MgO", "mover": "Mg", "lattice": atoms.cell.array.tolist(), "species": list(atoms.symbols),
        "frac": atoms.get_scaled_positions().tolist(), "start": start.tolist(), "end": end.tolist(), **changed,
    }  # fmt: skip


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = registry.Entry(module="tests.tasks.toy_potential", class_name="RegisteredToy")
    monkeypatch.setitem(registry._ENTRIES, NAME, entry)


def test_a_hop_of_a_crystal_has_a_barrier() -> None:
    row = barrier_row(line(), Toy())
    assert row["verdict"] == "hop" and row["error"] is None
    assert 0.05 < row["barrier_ev"] < 3.0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"mover": "Xx"}, "Xx is no element"),
        ({"lattice": [[1, 0, 0], [0, 1, 0]]}, "lattice must hold 3 x 3"),
        ({"start": [0.0, float("nan"), 0.0]}, "start must hold 3 finite"),
        ({"lattice": [[4, 0, 0], [4, 0, 0], [0, 0, 4]]}, "no volume"),
        ({"species": ["O"]}, "frac must hold 1 x 3"),
    ],
)
def test_a_bad_line_keeps_its_row_with_the_reason(changed: dict[str, Any], words: str) -> None:
    row = barrier_row(line(**changed), Toy())
    assert row["verdict"] == "cannot be read" and words in row["error"] and row["barrier_ev"] is None


def test_an_element_that_the_potential_does_not_know_is_not_possible() -> None:
    row = barrier_row(line(mover="Pu"), Toy())
    assert row["verdict"] == "not possible" and "Pu" in row["error"]


def test_lines_are_read_plain_and_compressed_and_bad_ones_are_named(tmp_path: Path) -> None:
    text = json.dumps(line()) + "\n\nnonsense\n[1]\n" + json.dumps({"id": "short"}) + "\n"
    (tmp_path / "a.jsonl").write_text(text)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    plain, packed = read_lines(tmp_path / "a.jsonl"), read_lines(tmp_path / "a.jsonl.gz")
    assert plain == packed and [it["id"] for it in plain] == ["MgO", "line 3", "line 4", "short"]
    for it, words in zip(plain[1:], ("no JSON", "no JSON object", "no mover, lattice"), strict=True):
        with pytest.raises(BarrierError, match=words):
            read_hop(it)
    with pytest.raises(SourceError, match="Cannot read"):
        read_lines(tmp_path / "absent.jsonl")


@pytest.mark.usefixtures("toy")
def test_a_stopped_command_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, bad = line(id="a"), line(id="b"), {"id": "c"}
    source, out = tmp_path / "hops.jsonl", tmp_path / "out.csv"
    source.write_text("".join(json.dumps(it) + "\n" for it in (first, second, bad)))
    kept = dict.fromkeys(paths.COLUMNS) | {
        "id": "a",
        "barrier_ev": 0.123,
        "potential": NAME,
        "verdict": "hop",
    }
    partial = tmp_path / "out.csv.partial"
    partial.write_text(json.dumps({"key": line_key(first, Toy()), "row": kept}) + '\n{"key": "cut o')
    assert (
        cli.main(["barrier", "--paths", str(source), "--potential", NAME, "--device", "cpu", "-o", str(out)])
        == 1
    )
    rows = list(csv.DictReader(out.open()))
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert float(rows[0]["barrier_ev"]) == 0.123 and float(rows[1]["barrier_ev"]) > 0.0
    assert rows[2]["verdict"] == "cannot be read" and not partial.exists()


@pytest.mark.usefixtures("toy")
def test_an_empty_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none.jsonl").write_text("\n")
    assert cli.main(["barrier", "--paths", str(tmp_path / "none.jsonl"), "--potential", NAME]) == 2
    assert "holds no hops" in capsys.readouterr().err


def test_a_spread_is_stated_for_potentials_that_were_tried_on_known_hops() -> None:
    for name, (floor_ev, share) in SPREADS.items():
        assert barrier_std_ev(0.6, name) == pytest.approx(np.hypot(floor_ev, 0.6 * share))
        assert barrier_std_ev(0.0, name) == pytest.approx(floor_ev)
        assert barrier_std_ev(None, name) is None
    assert barrier_std_ev(0.6, NAME) is None


def test_a_fitted_spread_holds_nine_errors_in_ten() -> None:
    draw = np.random.default_rng(1)
    true_ev = draw.uniform(0.2, 1.2, 400)
    barriers_ev = true_ev + draw.laplace(scale=0.15 * true_ev / np.sqrt(2.0))
    floor_ev, share = fit_spread(barriers_ev, true_ev)
    assert share == pytest.approx(0.15, abs=0.05) and floor_ev < 0.08
    off = np.abs(barriers_ev - true_ev) / np.hypot(floor_ev, share * barriers_ev)
    assert (off <= 1.645).mean() >= 0.895
