"""A release of schema 1 as one of schema 2: every row is kept, and no reference data is needed.

Schema 1 had one working ion and one voltage model a candidate, and its only calculations were conductivities.
"""

from pathlib import Path
from typing import Final

import duckdb

from core.errors import SchemaVersionError, StoreWriteError
from core.records import Conductivity
from core.store.release import Release, prune, read_manifest, verified_path
from core.store.writer import ReleaseWriter

_OLD_SCHEMA: Final = 1

_MODEL: Final = "coalesce(p.model_name, (SELECT model_name FROM before.release), 'unknown') AS model"

_COPIES: Final = {
    "provenance": "SELECT *, [] AS seeds FROM before.provenance",
    "structures": (
        "SELECT s.*, 'source' AS origin, c.* EXCLUDE (id, working_ion, n_working_ions, provenance_id) "
        "FROM before.structures AS s JOIN before.candidates AS c USING (id)"
    ),
    "candidates": "SELECT id, working_ion, n_working_ions, provenance_id FROM before.candidates",
    "voltage_predictions": (
        f"SELECT v.*, {_MODEL} FROM before.voltage_predictions AS v "
        "JOIN before.provenance AS p ON p.id = v.provenance_id"
    ),
    "capacities": "SELECT q.*, c.working_ion FROM before.capacities AS q JOIN before.candidates AS c USING (id)",
    "electrodes": "SELECT * FROM before.electrodes",
    "nearest_electrodes": (
        f"SELECT n.*, c.working_ion, {_MODEL} FROM before.nearest_electrodes AS n "
        "JOIN before.candidates AS c USING (id) JOIN before.provenance AS p ON p.id = n.provenance_id"
    ),
    "skipped": "SELECT * FROM before.skipped",
}
"""What fills each table, in an order in which a row comes after those that it refers to."""


def migrate_release(folder: Path) -> Release | None:
    """Make the current release of a folder one of today's schema; return it, or None where it is that already.

    The old file goes to `previous/`. Raises `StoreError` kinds where it cannot be read or written, or would lose a row;
    the old release is current and whole then.
    """
    try:
        read_manifest(folder)
        return None
    except SchemaVersionError as error:
        if error.found != _OLD_SCHEMA:
            raise
    path = verified_path(folder, read_manifest(folder, schema_version=_OLD_SCHEMA))
    with ReleaseWriter(folder) as writer:
        release = _rewrite(writer, path)
    prune(folder)
    return release


def _rewrite(writer: ReleaseWriter, path: Path) -> Release:
    database = writer.attach(path)
    for table, selection in _COPIES.items():
        database.execute(f"INSERT INTO {table} BY NAME {selection}").fetchall()
    for conductivity, provenance_id in _conductivities(database):
        writer.add_conductivities([conductivity], provenance_id=provenance_id)
    _check_nothing_is_lost(database)
    cited = "SELECT model_name, model_sha256, data_sha256 FROM before.release"
    model_name, model_sha256, data_sha256 = database.execute(cited).fetchall()[0]
    ions = database.execute(
        "SELECT working_ion FROM candidates GROUP BY ALL ORDER BY count(*) DESC"
    ).fetchall()
    return writer.publish(
        model_name=model_name, model_sha256=model_sha256, data_sha256=data_sha256,
        working_ion=ions[0][0] if ions else None,
    )  # fmt: skip


def _conductivities(database: duckdb.DuckDBPyConnection) -> list[tuple[Conductivity, str]]:
    columns = list(Conductivity.__dataclass_fields__)
    answer = database.execute(
        f"SELECT {', '.join(columns)}, provenance_id FROM before.conductivities ORDER BY run_id"
    )
    return [(Conductivity(**dict(zip(columns, row[:-1], strict=True))), row[-1]) for row in answer.fetchall()]


def _check_nothing_is_lost(database: duckdb.DuckDBPyConnection) -> None:
    for table in (*_COPIES, "conductivities"):
        before, after = (
            database.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
            for name in (f"before.{table}", table)
        )
        if before != after:
            raise StoreWriteError(
                f"Of {before} rows of {table}, {after} would be left: this is no release that an explorer wrote. "
                "Nothing was changed."
            )
