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
from core.store.tables import BEFORE, copy_rows
from core.store.writer import ReleaseWriter

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
"""Which rows of the release before are carried over, a table after those that it refers to.

`same` holds the ids of structures that have not changed.
"""


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
    database = writer.attach(release)
    _mark(database)
    counts = {table: _carry(database, table, working_ion) for table in _SELECTIONS}
    counts["calculation_files"] = copy_rows(database, "calculation_files")
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
    named = {"ion": working_ion} if "$ion" in condition else None
    makers = f"SELECT provenance_id FROM {BEFORE}.{table} WHERE {condition}"
    copy_rows(database, "provenance", f"id IN ({makers}) AND id NOT IN (SELECT id FROM provenance)", named)
    return copy_rows(database, table, condition, named)
