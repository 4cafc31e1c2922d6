"""The manifest lists every shipped file, and `verify` names what is missing, changed or not listed."""

import json
from pathlib import Path

import pytest

from core.cli import main
from core.errors import ReleaseNotFoundError
from core.provenance import Provenance
from core.store import ReleaseWriter, differences, list_files, read_manifest
from tests.store.small_release import make_release


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("models/default.json", "potentials/deep/weights.bin", "graphs.npz"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    for name in ("README.md", ".hidden", "previous/release-0.duckdb", "models/__pycache__/x.pyc"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not listed")
    make_release(tmp_path)
    return tmp_path


def test_a_new_release_lists_what_is_there(folder: Path) -> None:
    assert list(read_manifest(folder).files) == [
        "graphs.npz",
        "models/default.json",
        "potentials/deep/weights.bin",
    ]
    assert not differences(folder)


def test_differences_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "graphs.npz").unlink()
    (folder / "models" / "default.json").write_bytes(b"Models/default.json")  # the size is the same
    (folder / "models" / "new.json").write_bytes(b"{}")
    found = differences(folder)
    assert (found.missing, found.changed) == (("graphs.npz",), ("models/default.json",))
    assert found.unlisted == ("models/new.json",)
    command = ["verify", "--precomputed", str(folder)]
    assert main(command) == 1
    answer = capsys.readouterr()
    assert answer.out.splitlines() == [
        "missing: graphs.npz", "changed: models/default.json", "not listed: models/new.json"
    ]  # fmt: skip
    assert "verify --refresh" in answer.err
    assert main([*command, "--refresh"]) == 0
    assert main(command) == 0


def test_the_database_is_checked_too(folder: Path) -> None:
    database = folder / "release-1.duckdb"
    database.write_bytes(database.read_bytes()[:-1])
    assert differences(folder).changed == ("release-1.duckdb",)
    database.unlink()
    assert differences(folder).missing == ("release-1.duckdb",)


def test_an_extended_release_does_not_vouch_for_what_changed_meanwhile(folder: Path) -> None:
    before = read_manifest(folder).files
    (folder / "graphs.npz").write_bytes(b"damaged")
    with ReleaseWriter(folder, extend=True) as writer:
        writer.add_provenance(Provenance(kind="test"))
        writer.publish()
    assert read_manifest(folder).files == before
    assert differences(folder).changed == ("graphs.npz",)
    list_files(folder)
    assert not differences(folder)


def test_no_release_no_list(tmp_path: Path) -> None:
    with pytest.raises(ReleaseNotFoundError):
        list_files(tmp_path)


def test_the_shipped_folder_is_what_its_manifest_says(precomputed: Path) -> None:
    path = precomputed / "manifest.json"
    if not path.is_file():
        pytest.skip(f"no release in {precomputed}")
    found = differences(precomputed)
    assert not found, f"run `python -m core verify` and see: {found}"
    assert json.loads(path.read_text())["files"]
