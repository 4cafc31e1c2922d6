"""JSON lines: good lines become crystals, bad ones keep their place with a reason and their id."""

import gzip
import json
import time
from pathlib import Path

import pytest

from core.errors import SourceError
from core.records import Crystal, FailedInput
from core.sources.json_lines import read_json_lines
from core.sources.limits import MAX_BLANK_LINES, MAX_SITES_PER_LINE

GOOD = {
    "id": "mgo",
    "lattice": [[0, 2.105, 2.105], [2.105, 0, 2.105], [2.105, 2.105, 0]],
    "species": ["Mg", "O"],
    "frac": [[0, 0, 0], [0.5, 0.5, 0.5]],
}


def read(path: Path, *lines: object) -> list[Crystal | FailedInput]:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n")
    return list(read_json_lines(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "set.jsonl"


def test_what_a_line_states_is_kept_and_the_rest_is_worked_out(path: Path) -> None:
    plain, full = read(
        path,
        GOOD,
        GOOD
        | {"id": "b", "formula": "Mg4O4", "working_ion": "Ca", "spacegroup": "Fm-3m", "e_above_hull": 0.01},
    )
    assert isinstance(plain, Crystal) and isinstance(full, Crystal)
    assert (plain.formula, plain.working_ion, plain.source) == ("MgO", None, "file")
    assert (full.formula, full.working_ion, full.spacegroup) == ("Mg4O4", "Ca", "Fm-3m")
    assert full.e_above_hull_ev_per_atom == 0.01


def test_a_label_that_is_none_is_left_out(path: Path) -> None:
    (crystal,) = read(path, GOOD | {"formula": "<script>", "source": "<b>", "spacegroup": 225})
    assert isinstance(crystal, Crystal)
    assert (crystal.formula, crystal.source, crystal.spacegroup) == ("MgO", "file", None)


def test_bad_lines_keep_place_id_formula_and_ion(path: Path) -> None:
    bad = GOOD | {"id": "bad", "formula": "MgO", "working_ion": "Zn", "species": ["Mg", "Qq"]}
    items = read(
        path,
        GOOD,
        bad,
        '{"id": "cut", "lattice": [[1,',
        "no json",
        GOOD | {"id": 7},
        "",
        GOOD | {"working_ion": "Fe"},
    )
    assert [item.id for item in items] == ["mgo", "bad", "cut", "set.jsonl:4", "set.jsonl:5", "mgo"]
    failed = items[1]
    assert isinstance(failed, FailedInput) and "does not exist" in failed.reason
    assert (failed.formula, failed.working_ion) == ("MgO", "Zn")
    assert isinstance(items[4], FailedInput) and "The id" in items[4].reason
    assert isinstance(items[5], FailedInput) and "choose one of" in items[5].reason


def test_lines_that_are_no_utf8_or_have_too_many_sites_fail(path: Path) -> None:
    big = GOOD | {"species": ["O"] * (MAX_SITES_PER_LINE + 1)}
    path.write_bytes(b"\xff\xfe{}\n" + json.dumps(big).encode())
    latin, many = read_json_lines(path)
    assert isinstance(latin, FailedInput) and "UTF-8" in latin.reason
    assert isinstance(many, FailedInput) and "2,001 sites" in many.reason


def test_a_byte_order_mark_and_gzip_are_read_by_content(path: Path) -> None:
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\n"))
    (crystal,) = read_json_lines(path)
    assert crystal.id == "mgo"


def test_a_cut_gzip_file_ends_with_the_reason(path: Path) -> None:
    lines = "".join(json.dumps(GOOD | {"id": f"c{number}"}) + "\n" for number in range(3000))
    data = gzip.compress(lines.encode())
    path.write_bytes(data[: len(data) // 2])
    *good, last = read_json_lines(path)
    assert len(good) > 100 and all(isinstance(item, Crystal) for item in good)
    assert isinstance(last, FailedInput) and "damaged after line" in last.reason


def test_an_absent_file_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        list(read_json_lines(tmp_path / "absent.jsonl"))


def test_empty_lines_without_end_are_not_read_to_their_end(path: Path) -> None:
    """300 MB of newlines are 300 kB when compressed, and kept the reader busy."""
    packed = path.with_suffix(".jsonl.gz")
    packed.write_bytes(gzip.compress(json.dumps(GOOD).encode() + b"\n" * 300_000_000, compresslevel=1))
    start = time.process_time()
    good, stopped = read_json_lines(packed)
    assert time.process_time() - start < 2.0
    assert isinstance(good, Crystal) and isinstance(stopped, FailedInput)
    assert f"over {MAX_BLANK_LINES:,} empty lines" in stopped.reason and "Remove them" in stopped.reason


def test_some_empty_lines_are_passed_over(path: Path) -> None:
    path.write_text("\n" * MAX_BLANK_LINES + json.dumps(GOOD))
    (only,) = read_json_lines(path)
    assert isinstance(only, Crystal)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('{"id": "a", "id": "b", "lattice": [], "species": [], "frac": []}', "id"),
        ('{"id": "a", "lattice": {"matrix": [], "matrix": []}, "sites": []}', "matrix"),
    ],
)
def test_a_key_that_stands_twice_is_refused_by_name(path: Path, line: str, key: str) -> None:
    """The last would win without a word."""
    (failed,) = read(path, line)
    assert isinstance(failed, FailedInput) and f'The key "{key}" stands twice' in failed.reason
    assert "keep the one that is meant" in failed.reason
