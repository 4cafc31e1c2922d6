"""Rows from one release into another that is being written."""

from typing import Any, Final

import duckdb

TABLES: Final = (
    "provenance", "structures", "candidates", "voltage_predictions", "capacities", "electrodes", "nearest_electrodes",
    "calculations", "calculation_files", "skipped",
)  # fmt: skip
"""All tables that hold results, each after those that its rows refer to."""

BEFORE: Final = "before"
"""The name under which the release that rows come from is attached."""


def copy_rows(
    database: duckdb.DuckDBPyConnection,
    table: str,
    condition: str = "TRUE",
    named: dict[str, Any] | None = None,
) -> int:
    """Copy a table's rows from the release that is attached as `before`; return how many.

    `condition`: SQL over the old table, with the parameters `named`.
    """
    sql = f"INSERT INTO {table} BY NAME SELECT * FROM {BEFORE}.{table} WHERE {condition}"
    if table != "structures":
        return _count(database, sql, named)
    total = 0  # generation after generation, since a child refers to its parent
    while count := _count(
        database,
        f"{sql} AND id NOT IN (SELECT id FROM structures) "
        "AND (parent_id IS NULL OR parent_id IN (SELECT id FROM structures))",
        named,
    ):
        total += count
    return total


def _count(database: duckdb.DuckDBPyConnection, sql: str, named: dict[str, Any] | None) -> int:
    return int(database.execute(sql, named).fetchall()[0][0])
