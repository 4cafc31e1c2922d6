"""Whole files and locks, as every writer of the house relies on them."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.artifacts import is_locked, locked, replacing, write_json, write_text

HOLDER = """
import sys, time
from pathlib import Path
from core.artifacts import locked
with locked(Path(sys.argv[1])) as is_ours:
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_file_is_replaced_whole_and_readable_by_all(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    write_json(path, {"a": 1})
    write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 2}
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["card.json"]


def test_a_failure_leaves_the_file_before_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_text(path, "before")

    def fail() -> None:
        with replacing(path) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["table.csv"]


def test_numbers_that_json_does_not_know_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "card.json", {"a": float("nan")})
    assert os.listdir(tmp_path) == []


def test_a_partial_file_keeps_the_suffix_that_numpy_would_add(tmp_path: Path) -> None:
    with replacing(tmp_path / "arrays.npz") as partial:
        assert partial.suffix == ".npz"
        partial.write_bytes(b"")
    assert os.listdir(tmp_path) == ["arrays.npz"]


def test_a_second_holder_in_this_process_is_told_no(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    assert not is_locked(path)
    with locked(path) as first, locked(path, wait=False) as second:
        assert first
        assert not second
        assert is_locked(path)
    assert not is_locked(path)


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert is_locked(path)
    holder.kill()
    holder.wait()
    with locked(path, wait=False) as is_ours:
        assert is_ours
