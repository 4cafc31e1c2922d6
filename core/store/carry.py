"""What a rebuild takes over from the release before: everything that was computed for one structure at a time.

A build predicts all candidates anew, with one model for one working ion. Calculations (with their files), structures
that are no candidates, predictions by other models and candidates for other ions are not made anew: they are carried
over.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from core.store import rows
from core.store.writer import ReleaseWriter

_POINTING: Final = (
    "structures", "candidates", "voltage_predictions", "capacities", "nearest_electrodes", "calculations",
)  # fmt: skip
"""Tables that are carried over, each row with its provenance; one comes after those that it refers to."""

_WANTED: Final = """
CREATE TEMP TABLE wanted AS
WITH RECURSIVE needed(id) AS (
    SELECT subject_id FROM before.calculations
    UNION SELECT id FROM before.structures WHERE id NOT IN (SELECT id FROM before.candidates)
    UNION SELECT id FROM before.candidates WHERE working_ion != (SELECT working_ion FROM before.release)
    UNION SELECT s.parent_id FROM needed JOIN before.structures AS s ON s.id = needed.id WHERE s.parent_id IS NOT NULL
)
SELECT id FROM needed WHERE id NOT IN (SELECT id FROM structures)
"""
"""Structures to carry over: subjects, those that were no candidates, and their ancestors, unless made anew."""

_SELECTIONS: Final = {
    "structures": "id IN (SELECT id FROM wanted)",
    "candidates": "id IN (SELECT id FROM same) AND working_ion != $ion",
    "voltage_predictions": (
        "id IN (SELECT id FROM same) AND (id, working_ion) IN (SELECT (id, working_ion) FROM candidates) "
        "AND (working_ion, model) NOT IN (SELECT (working_ion, model) FROM voltage_predictions)"
    ),
    "capacities": "id IN (SELECT id FROM same) AND working_ion != $ion",
    "nearest_electrodes": (
        "id IN (SELECT id FROM same) AND (id, working_ion) IN (SELECT (id, working_ion) FROM candidates) "
        "AND battery_id IN (SELECT battery_id FROM electrodes) "
        "AND (working_ion, model) NOT IN (SELECT (working_ion, model) FROM nearest_electrodes)"
    ),
    "calculations": "TRUE",
}
"""Which rows of the release before are carried over; `same` holds the ids of structures that have not changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOver:
    """How many rows of each table came from the release before, and which calculations are now about something else.

    `changed`: names of calculations whose structure the new release holds differently under the same id; they are kept.
    """

    counts: dict[str, int]
    changed: tuple[str, ...]


def carry_over(writer: ReleaseWriter, release: Path, *, working_ion: str) -> CarriedOver:
    """Add to a release that is being written what another one holds and the new rows do not replace.

    Call it after the new rows for `working_ion` have been added, and before `publish`.
    """
    database = writer.attach(release, "before")
    _mark(database)
    counts = {table: _carry(database, table, working_ion) for table in _POINTING}
    counts["calculation_files"] = _insert(
        database, "INSERT INTO calculation_files FROM before.calculation_files", {}
    )
    changed = database.execute(
        "SELECT name FROM calculations WHERE subject_id NOT IN (SELECT id FROM same) ORDER BY name"
    ).fetchall()
    return CarriedOver(counts=counts, changed=tuple(name for (name,) in changed))


def _mark(database: duckdb.DuckDBPyConnection) -> None:
    """Make the tables `wanted` and `same`."""
    database.execute(_WANTED)
    database.execute(
        "CREATE TEMP TABLE same AS SELECT id FROM wanted UNION ALL "
        "SELECT id FROM structures AS new JOIN before.structures AS old USING (id) "
        "WHERE new.species = old.species AND new.lattice_a = old.lattice_a AND new.frac = old.frac"
    )
    doubtful = database.execute(
        "SELECT id FROM structures JOIN before.structures USING (id) WHERE id NOT IN (SELECT id FROM same)"
    ).fetchall()
    for (id,) in doubtful:
        if _is_same(database, id):
            database.execute("INSERT INTO same VALUES (?)", [id])


def _is_same(database: duckdb.DuckDBPyConnection, id: str) -> bool:
    """Whether old and new structure of an id differ by no more than rounding."""
    crystals = []
    for table in ("structures", "before.structures"):
        answer = database.execute(f"SELECT * FROM {table} WHERE id = ?", [id])
        names = [column[0] for column in answer.description or ()]
        crystals.append(rows.crystal_of(dict(zip(names, answer.fetchall()[0], strict=True))))
    return crystals[0].same_structure(crystals[1])


def _carry(database: duckdb.DuckDBPyConnection, table: str, working_ion: str) -> int:
    condition = _SELECTIONS[table]
    named = {"ion": working_ion} if "$ion" in condition else {}
    _insert(
        database,
        f"INSERT INTO provenance BY NAME SELECT * FROM before.provenance WHERE id IN "
        f"(SELECT provenance_id FROM before.{table} WHERE {condition}) AND id NOT IN (SELECT id FROM provenance)",
        named,
    )
    rows_of_table = f"INSERT INTO {table} BY NAME SELECT * FROM before.{table} WHERE {condition}"
    if table != "structures":
        return _insert(database, rows_of_table, named)
    total = 0  # generation after generation, since a child refers to its parent
    while count := _insert(
        database,
        f"{rows_of_table} AND id NOT IN (SELECT id FROM structures) "
        "AND (parent_id IS NULL OR parent_id IN (SELECT id FROM structures))",
        named,
    ):
        total += count
    return total


def _insert(database: duckdb.DuckDBPyConnection, sql: str, named: dict[str, str]) -> int:
    return int(database.execute(sql, named or None).fetchall()[0][0])
