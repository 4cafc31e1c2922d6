"""A superseded release can be made the current one again."""

from pathlib import Path

import pytest

from core.cli import main
from core.errors import ReleaseDamagedError, SchemaVersionError, StoreError
from core.store import ReleaseWriter, current_version, differences, open_reader, prune, read_manifest
from core.store.restore import restore_release
from tests.store.schema_1 import make_old_release
from tests.store.small_release import fill, make_release
from tests.store.test_calculations import toy


def test_there_and_back(tmp_path: Path) -> None:
    with ReleaseWriter(tmp_path, version="1") as writer:
        fill(writer)
        writer.add_calculations([toy()])
        writer.publish()
    first = read_manifest(tmp_path)
    make_release(tmp_path, "2")
    prune(tmp_path)
    assert restore_release(tmp_path, "1").version == "1"
    assert read_manifest(tmp_path) == first and not differences(tmp_path)
    with open_reader(tmp_path) as reader:
        assert reader.calculation("toy-1").files == toy().files
    assert restore_release(tmp_path, "2").version == "2" == current_version(tmp_path)


def test_one_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    for version in "12":
        make_release(tmp_path, version)
    prune(tmp_path)
    with pytest.raises(StoreError, match="it holds 1"):
        restore_release(tmp_path, "7")


def test_one_of_an_old_schema_is_not_restored(tmp_path: Path) -> None:
    make_release(tmp_path, "1")
    old = make_old_release(tmp_path / "previous")
    with pytest.raises(SchemaVersionError):
        restore_release(tmp_path, old.stem.removeprefix("release-"))
    assert current_version(tmp_path) == "1" and old.exists()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for version in "12":
        make_release(tmp_path, version)
    prune(tmp_path)
    assert main(["restore-release", "1", "--precomputed", str(tmp_path)]) == 0
    assert "Release 1 is the current one" in capsys.readouterr().err and current_version(tmp_path) == "1"


def test_a_damaged_current_release_can_be_left_behind(tmp_path: Path) -> None:
    for version in "12":
        make_release(tmp_path, version)
    prune(tmp_path)
    (tmp_path / "release-2.duckdb").write_bytes(b"damaged")
    with pytest.raises(ReleaseDamagedError, match="restore-release VERSION"):
        open_reader(tmp_path)
    restore_release(tmp_path, "1")
    with open_reader(tmp_path) as reader:
        assert reader.release.version == "1"
