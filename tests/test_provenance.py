"""Provenance: hashes are of content, and an id names what was computed, not when."""

import hashlib
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from core.provenance import Provenance, package_versions, sha256_of_file, sha256_of_files


def test_sha256_of_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    content = b"\x00magnesium" * 300_000  # more than one chunk
    path.write_bytes(content)
    assert sha256_of_file(path) == hashlib.sha256(content).hexdigest()


def test_sha256_of_files_needs_no_order_but_sees_names_and_contents(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("1")
    second.write_text("2")
    found = sha256_of_files([first, second])
    assert found == sha256_of_files([second, first])
    first.write_text("2")
    second.write_text("1")
    assert found != sha256_of_files([first, second])


def test_package_versions_leaves_out_what_is_not_installed() -> None:
    found = package_versions(["numpy", "no-such-package-here"])
    assert set(found) == {"numpy"}


def test_id_ignores_the_time_and_nothing_else() -> None:
    made = Provenance(
        kind="voltage", model_name="cgcnn", seed=1, versions={}, created="2024-01-01T00:00:00+00:00"
    )
    assert made.id == replace(made, created="2030-01-01T00:00:00+00:00").id
    assert len(made.id) == 12
    others = [
        replace(made, **change)
        for change in ({"seed": 2}, {"kind": "x"}, {"device": "cuda:0"}, {"machine": "m"})
    ]
    assert len({made.id, *(other.id for other in others)}) == 5


def test_provenance_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Provenance(kind="voltage").seed = 3  # type: ignore[misc]
