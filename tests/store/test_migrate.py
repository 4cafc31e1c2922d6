"""A release of schema 1 is refused with the command that migrates it, and every row of it is kept."""

import json
from pathlib import Path

import duckdb
import pytest

from core.cli import main
from core.errors import ReleaseDamagedError, SchemaVersionError, StoreWriteError
from core.records import Conductivity
from core.store import ReleaseWriter, current_version, open_reader
from core.store.migrate import migrate_release
from tests.store.schema_1 import make_old_release, old_tables, sign
from tests.store.small_release import DATA_SHA256, MODEL_SHA256, crystals, make_release


def test_an_old_release_is_refused_with_the_remedy(tmp_path: Path) -> None:
    make_old_release(tmp_path)
    with pytest.raises(SchemaVersionError, match="python -m core migrate-release"):
        open_reader(tmp_path)
    with pytest.raises(SchemaVersionError), ReleaseWriter(tmp_path, extend=True):
        pytest.fail("opened for writing")


def test_every_row_is_kept(tmp_path: Path) -> None:
    old = make_old_release(tmp_path)
    whole = old.read_bytes()
    release = migrate_release(tmp_path)
    assert release is not None and release.schema_version == 2
    assert (release.working_ion, release.model_name) == ("Mg", "old-model")
    assert (release.model_sha256, release.data_sha256) == (MODEL_SHA256, DATA_SHA256)
    assert not old.exists() and (tmp_path / "previous" / old.name).read_bytes() == whole
    (path,) = tmp_path.glob("release-*.duckdb")
    for table, rows in old_tables().items():
        stored = _rows(path, table)
        assert table == "release" or len(stored) == len(rows), table
        for row in rows if table not in ("release", "candidates") else []:
            assert any(row.items() <= other.items() for other in stored), (table, row)
    with open_reader(tmp_path) as reader:
        assert reader.release == release
        for crystal in crystals():
            assert reader.crystal(crystal.id).same_structure(crystal)
            assert reader.crystal(crystal.id).spacegroup == crystal.spacegroup
        assert reader.structures().origin.unique().tolist() == ["source"]
        assert reader.predictions("mp-2").model.tolist() == ["old-model"]
        assert reader.nearest_electrodes("mp-2").battery_id.tolist() == ["b-1"]


def test_what_pages_show_is_the_same(tmp_path: Path) -> None:
    old = make_old_release(tmp_path)
    views = Path(__file__).with_name("schema_1_views.sql").read_text()
    with duckdb.connect(str(old)) as connection:
        connection.execute(views)
        connection.execute("INSERT INTO screening_rows SELECT * FROM joined ORDER BY id")
    sign(tmp_path, old)
    before = _rows(old, "screening")
    migrate_release(tmp_path)
    with open_reader(tmp_path) as reader:
        for row in before:
            now = reader.candidate(row["id"])
            assert {name: now[name] for name in row} == row
            assert all(
                now[name] is None for name in now.keys() - row.keys()
            )  # came later, computed by nobody yet


def test_conductivities_become_calculations(tmp_path: Path) -> None:
    make_old_release(tmp_path)
    migrate_release(tmp_path)
    with open_reader(tmp_path) as reader:
        records = reader.calculations("conductivity")
        assert [it.name for it in records] == ["run-2", "run-1"]
        assert records[1].formula == "MgMnO2" and records[1].provenance.model_name == "nequip"
        assert records[1].spec == {"format": 1, "kind": "conductivity", "version": 1, "runs": ["run-1"]}
        (old,) = (row for row in old_tables()["conductivities"] if row["run_id"] == "run-1")
        assert {name: records[1].result[name] for name in Conductivity.__dataclass_fields__} == {
            name: old[name] for name in Conductivity.__dataclass_fields__
        }


def test_a_release_that_is_up_to_date_stays(tmp_path: Path) -> None:
    make_release(tmp_path)
    assert migrate_release(tmp_path) is None and current_version(tmp_path) == "1"


def test_a_newer_release_is_not_touched(tmp_path: Path) -> None:
    make_release(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 3}))
    with pytest.raises(SchemaVersionError, match="update the explorer"):
        migrate_release(tmp_path)


def test_a_damaged_release_is_not_migrated(tmp_path: Path) -> None:
    old = make_old_release(tmp_path)
    old.write_bytes(old.read_bytes()[:-1])
    with pytest.raises(ReleaseDamagedError):
        migrate_release(tmp_path)


def test_a_row_that_would_be_lost_stops_it(tmp_path: Path) -> None:
    old = make_old_release(tmp_path)
    with duckdb.connect(str(old)) as connection:
        connection.execute(
            f"INSERT INTO structures SELECT * REPLACE ('mp-99' AS id) FROM structures WHERE id = '{crystals()[0].id}'"
        )
    sign(tmp_path, old)
    with pytest.raises(StoreWriteError, match="Of 6 rows of structures, 5 would be left"):
        migrate_release(tmp_path)
    assert old.exists() and json.loads((tmp_path / "manifest.json").read_text())["schema_version"] == 1


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_old_release(tmp_path)
    command = ["migrate-release", "--precomputed", str(tmp_path)]
    assert main(command) == 0 and "database schema 2" in capsys.readouterr().err
    assert main(command) == 0 and "up to date" in capsys.readouterr().err


def _rows(path: Path, table: str) -> list[dict[str, object]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        answer = connection.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in answer.description or ()]
        return [
            {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in zip(names, row, strict=True)
            }
            for row in answer.fetchall()
        ]
