"""Whole files and locks, as every writer of the house relies on them."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.artifacts import (
    is_locked,
    locked,
    read_card,
    read_weights,
    replacing,
    write_json,
    write_text,
    write_weights,
)
from core.errors import ModelError
from core.provenance import sha256_of_file

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


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder that holds the weights `small` and their card."""
    write_weights(tmp_path, "small", {"a": np.arange(6.0).reshape(2, 3).T, "b": np.ones(2)}, {"kind": "toy"})
    return tmp_path


def test_weights_and_card_come_back_as_they_were_written(written: Path) -> None:
    card = read_card(written, "small", required=("kind", "sha256"))
    assert card["name"] == "small" and card["kind"] == "toy"
    arrays = read_weights(written, "small", card["sha256"], required=("a", "b"))
    assert arrays["a"].tolist() == [[0, 3], [1, 4], [2, 5]] and arrays["b"].dtype == np.float64
    assert sorted(os.listdir(written)) == ["small.json", "small.safetensors"]
    assert stat.S_IMODE((written / "small.safetensors").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"small\.json of 'small' is missing in .* Restore it"),
        ("{", "cannot be read"),
        ("[]", "no JSON object"),
        ('{"name": "small"}', "it lacks sha256"),
    ],
)
def test_a_card_that_is_no_card(written: Path, content: str | None, message: str) -> None:
    (written / "small.json").unlink()
    if content is not None:
        (written / "small.json").write_text(content)
    with pytest.raises(ModelError, match=message):
        read_card(written, "small", required=("sha256",))


def test_weights_that_are_missing_damaged_or_pickled(written: Path) -> None:
    sha256 = read_card(written, "small")["sha256"]
    with pytest.raises(ModelError, match=r"small\.safetensors lacks c.*Train anew"):
        read_weights(written, "small", sha256, required=("a", "c"), remedy="Train anew.")
    path = written / "small.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="SHA-256"):
        read_weights(written, "small", sha256)
    for start in (b"\x80\x04", b"PK\x03\x04"):
        path.write_bytes(start + b"anything")
        with pytest.raises(ModelError, match="is a pickled file"):
            read_weights(written, "small", sha256)
    path.write_bytes(b"not tensors")
    with pytest.raises(ModelError, match="not a safetensors file"):
        read_weights(written, "small", sha256_of_file(path))
    path.unlink()
    with pytest.raises(ModelError, match=r"small\.safetensors are missing"):
        read_weights(written, "small", sha256)
