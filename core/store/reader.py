"""The read-only side of a release: what pages and commands ask for, each query on its own cursor."""

import json
import re
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import duckdb
import pandas as pd

from core.errors import (
    ReleaseDamagedError,
    SchemaVersionError,
    UnknownCalculationError,
    UnknownCandidateError,
)
from core.provenance import Provenance
from core.records import CalculationRecord, Crystal
from core.settings import Settings
from core.store import rows
from core.store.filters import Filters
from core.store.release import SCHEMA_VERSION, Release, read_manifest, verified_path

SCREEN_COLUMNS: Final = (
    "id", "formula", "source", "license", "spacegroup", "n_sites",
    "voltage_v", "voltage_std_v", "voltage_low_v", "voltage_high_v", "in_domain",
    "capacity_vol_ah_per_l", "capacity_grav_mah_per_g", "capacity_redox_vol_ah_per_l", "e_above_hull_ev_per_atom",
    "sigma_ms_per_cm", "sigma_low_ms_per_cm", "sigma_high_ms_per_cm", "sigma_temperature_k", "provenance_id",
    "chemsys", "sigma_verdict", "mp_average_voltage_v",
    "relaxed_voltage_v", "relaxed_redox_voltage_v", "volume_change", "largest_move_a", "framework",
    "charged_e_above_hull_ev_per_atom", "charged_e_above_hull_std_ev_per_atom",
    "discharged_e_above_hull_ev_per_atom", "discharged_e_above_hull_std_ev_per_atom", "conversion_voltage_v",
    "curve_low_v", "curve_high_v", "dft_voltage_v", "voltage_model", "melted_polymorph",
    "barrier_ev", "barrier_std_ev", "capacity_redox_grav_mah_per_g",
)  # fmt: skip
"""Columns of `Reader.screen` unless others are asked for."""

_TEXTS_ADDED: Final = frozenset({"framework", "voltage_model", "melted_polymorph"})
"""Of the columns that came after the first releases of this schema, those that hold text; the others hold numbers."""

_COUNTED: Final = {
    "candidates": "screening_rows",
    "structures": "structures",
    "voltage_predictions": "voltage_predictions",
    "capacities": "capacities",
    "calculations": "calculations",
    "conductivities": "conductivities",
    "electrodes": "electrodes",
    "skipped": "skipped",
}
"""What `Release.counts` tells, and the table that it counts: candidates are those that pages show."""

_KEPT: Final = 512
"""Structures whose calculations are kept in memory: some 5 kB each, 0.2 MB for the largest."""

_ID_PATTERN = re.compile(r"[A-Za-z0-9._:-]{1,80}")
_SCREENABLE: Final = frozenset(SCREEN_COLUMNS) | {
    "voltage_error", "working_ion", "elements", "redox_metals", "has_anion",
    "source_url", "volume_a3",
}  # fmt: skip
_LOCKED: Final = {
    "threads": 2,
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "lock_configuration": True,
}


def open_reader(precomputed: Path | None = None) -> "Reader":
    """Open the current release of a folder (default: the settings' `precomputed`), checked against its manifest.

    Raises `ReleaseNotFoundError`, `ReleaseDamagedError` or `SchemaVersionError`; all are `StoreError`.
    """
    folder = precomputed or Settings.from_environment().precomputed
    manifest = read_manifest(folder)
    return Reader(verified_path(folder, manifest), sha256=manifest.sha256)


def is_valid_id(text: str) -> bool:
    """Return whether a text has the form of a candidate's id."""
    return _ID_PATTERN.fullmatch(text) is not None


class Reader:
    """One release, read-only; safe to share between threads, and to keep open while a newer one is published."""

    def __init__(self, path: Path, *, sha256: str) -> None:
        self.path = path
        try:
            self._connection = duckdb.connect(str(path), read_only=True, config=dict(_LOCKED))
        except duckdb.Error as error:
            raise ReleaseDamagedError(
                path, f"DuckDB cannot open it ({str(error).splitlines()[0]})"
            ) from error
        try:
            self.release = self._read_release(sha256)
            self._absent = self._absent_columns()
        except BaseException:
            self.close()
            raise
        # A release never changes, and a page asks about one structure a dozen times.
        self._about = lru_cache(maxsize=_KEPT)(self._calculations_about)
        self._conductivities_of = lru_cache(maxsize=_KEPT)(self._conductivities)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the reader is of no use afterwards."""
        self._connection.close()

    def screen(
        self, filters: Filters | None = None, columns: tuple[str, ...] = SCREEN_COLUMNS
    ) -> pd.DataFrame:
        """Return one row a candidate that passes the filters, ordered by id; absent numbers are NaN.

        Raises `KeyError` for a column that the view `screening` does not have.
        """
        unknown = set(columns) - _SCREENABLE
        if unknown:
            raise KeyError(f"No such column in the view screening: {', '.join(sorted(unknown))}")
        condition, parameters = (filters or Filters()).condition()
        asked = ", ".join(self._absent.get(name, name) for name in columns)
        return self._frame(f"SELECT {asked} FROM screening WHERE {condition}", parameters)

    def candidate(self, id: str) -> dict[str, Any]:
        """Return all that the view `screening` knows of a candidate; raise `UnknownCandidateError`."""
        return self._one("SELECT * FROM screening WHERE id = ?", id) | dict.fromkeys(self._absent)

    def crystal(self, id: str) -> Crystal:
        """Return a structure, a candidate's or another; raise `UnknownCandidateError`."""
        return rows.crystal_of(
            self._one(
                "SELECT *, (SELECT working_ion FROM screening WHERE id = $1) AS working_ion "
                "FROM structures WHERE id = $1",
                id,
            )
        )

    def structures(self, parent_id: str | None = None) -> pd.DataFrame:
        """Return the stored structures without their atoms, those made from one structure where it is given.

        Columns: id, formula, origin, parent_id, source, license, spacegroup, n_sites, provenance_id.
        """
        return self._frame(
            "SELECT id, formula, origin, parent_id, source, license, spacegroup, n_sites, provenance_id "
            "FROM structures WHERE ?::VARCHAR IS NULL OR parent_id = ? ORDER BY id",
            [parent_id, parent_id],
        )

    def predictions(self, id: str) -> pd.DataFrame:
        """Return every predicted voltage of a candidate, for all working ions and by all models.

        Columns: id, working_ion, model, voltage_v, voltage_std_v, voltage_low_v, voltage_high_v, in_domain, error,
        provenance_id. Those that pages show come first.
        """
        return self._frame(
            "SELECT v.* FROM voltage_predictions AS v, release AS r WHERE v.id = ? ORDER BY "
            "v.working_ion = r.working_ion DESC, v.model = r.accurate_model_name DESC, v.model = r.model_name DESC, "
            "v.working_ion, v.model",
            [id],
        )

    def voltages_of(self, model: str) -> pd.DataFrame:
        """Return the candidates' voltages by one model: id, voltage_v, capacity_vol_ah_per_l, ordered by id."""
        return self._frame(
            "SELECT v.id, v.voltage_v, q.capacity_vol_ah_per_l FROM release AS r "
            "JOIN voltage_predictions AS v ON v.working_ion = r.working_ion "
            "JOIN capacities AS q ON q.id = v.id AND q.working_ion = v.working_ion "
            "WHERE v.model = ? AND v.voltage_v IS NOT NULL ORDER BY v.id",
            [model],
        )

    def nearest_electrodes(self, id: str) -> pd.DataFrame:
        """Return the labelled electrodes nearest by learned vector, nearest first; empty where none is stored."""
        return self._frame(
            "SELECT n.rank, n.distance, e.* EXCLUDE (provenance_id) FROM nearest_electrodes AS n "
            "JOIN electrodes AS e USING (battery_id) "
            "JOIN release AS r ON n.working_ion = r.working_ion AND n.model = r.model_name "
            "WHERE n.id = ? ORDER BY n.rank",
            [id],
        )

    def near_candidates(self, id: str, n: int) -> pd.DataFrame:
        """Return the `n` candidates nearest by learned vector: id, distance; empty where no neighbours are stored.

        Distances to labelled electrodes are kept. `distance` is the least sum of two of them over an electrode near
        both: the candidates are no further apart than that.
        """
        return self._frame(
            "SELECT b.id, min(a.distance + b.distance) AS distance FROM nearest_electrodes AS a "
            "JOIN nearest_electrodes AS b USING (battery_id, working_ion, model) "
            "JOIN release AS r ON a.working_ion = r.working_ion AND a.model = r.model_name "
            "JOIN screening AS s ON s.id = b.id "
            "WHERE a.id = ? AND b.id <> a.id GROUP BY b.id ORDER BY distance, b.id LIMIT ?",
            [id, n],
        )

    def conductivities(self, id: str | None = None) -> pd.DataFrame:
        """Return every diffusion result, of one candidate where an id is given, hottest first."""
        return self._conductivities_of(id).copy()

    def calculations(self, kind: str | None = None, subject_id: str | None = None) -> list[CalculationRecord]:
        """Return the finished calculations, of one kind and about one structure where they are given.

        They come without their files (`calculation_file`), by subject, kind and name.
        """
        if subject_id is None:
            return self._calculations("?::VARCHAR IS NULL OR kind = ?", [kind, kind])
        return [it for it in self._about(subject_id) if kind is None or it.kind == kind]

    def calculation(self, name: str) -> CalculationRecord:
        """Return a calculation by name or key, with its files; raise `UnknownCalculationError`."""
        records = self._calculations("name = ? OR key = ?", [name, name])
        if not records:
            raise UnknownCalculationError(name)
        with self._connection.cursor() as cursor:
            files = cursor.execute(
                "SELECT name, content FROM calculation_files WHERE key = ? ORDER BY name", [records[0].key]
            ).fetchall()
        return replace(records[0], files=dict(files))

    def calculation_file(self, name: str, filename: str) -> bytes | None:
        """Return a file of a calculation (by its name or key), or None where no such file was kept."""
        with self._connection.cursor() as cursor:
            row = cursor.execute(
                "SELECT f.content FROM calculation_files AS f JOIN calculations AS c USING (key) "
                "WHERE (c.name = ? OR c.key = ?) AND f.name = ?",
                [name, name, filename],
            ).fetchone()
        return None if row is None else bytes(row[0])

    def electrodes(self, working_ion: str | None = None) -> pd.DataFrame:
        """Return the labelled electrodes, of one working ion where it is given."""
        return self._frame(
            "SELECT * EXCLUDE (provenance_id) FROM electrodes WHERE ?::VARCHAR IS NULL OR working_ion = ? "
            "ORDER BY battery_id",
            [working_ion, working_ion],
        )

    def provenance(self, provenance_id: str) -> dict[str, Any]:
        """Return who computed a row, by its `provenance_id`; raise `UnknownCandidateError` for an unknown one."""
        row = self._one("SELECT * FROM provenance WHERE id = ?", provenance_id)
        return row | {"versions": json.loads(row["versions"])}

    def sources(self) -> pd.DataFrame:
        """Return how many candidates each source gave, with its licence: source, license, n."""
        return self._frame(
            "SELECT source, license, count(*) AS n FROM screening GROUP BY ALL ORDER BY n DESC, source, license",
            [],
        )

    def elements(self) -> pd.DataFrame:
        """Return how many candidates hold each element: element, n."""
        return self._frame(
            "SELECT element, count(*) AS n FROM (SELECT unnest(elements) AS element FROM screening) "
            "GROUP BY element ORDER BY element",
            [],
        )

    def redox_metals(self) -> pd.DataFrame:
        """Return how many candidates hold each redox metal: element, n, most frequent first."""
        return self._frame(
            "SELECT element, count(*) AS n FROM (SELECT unnest(redox_metals) AS element FROM screening) "
            "GROUP BY element ORDER BY n DESC, element",
            [],
        )

    def skipped_reasons(self) -> pd.DataFrame:
        """Return how many inputs were left out for each reason: reason, n."""
        return self._frame(
            "SELECT reason, count(*) AS n FROM skipped GROUP BY reason ORDER BY n DESC, reason", []
        )

    def skipped(self) -> pd.DataFrame:
        """Return the inputs that were left out: id, reason."""
        return self._frame("SELECT id, reason FROM skipped ORDER BY id, reason", [])

    def voltage_histogram(self, bin_width_v: float = 0.25) -> pd.DataFrame:
        """Return counts of predicted voltages by source in bins [voltage_bin_v, voltage_bin_v + bin_width_v)."""
        return self._frame(
            "SELECT source, floor(voltage_v / $1) * $1 AS voltage_bin_v, count(*) AS n FROM screening "
            "WHERE voltage_v IS NOT NULL GROUP BY ALL ORDER BY source, voltage_bin_v",
            [float(bin_width_v)],
        )

    def _read_release(self, sha256: str) -> Release:
        try:
            row = self._connection.execute("SELECT * EXCLUDE (only_row) FROM release").fetchone()
            names = [column[0] for column in self._connection.description or ()]
        except duckdb.Error as error:
            raise ReleaseDamagedError(self.path, "it holds no release table") from error
        if row is None:
            raise ReleaseDamagedError(self.path, "its release table is empty")
        fields = dict(zip(names, row, strict=True))
        if fields.get("schema_version") != SCHEMA_VERSION:
            raise SchemaVersionError(self.path, fields.get("schema_version"), SCHEMA_VERSION)
        counted = ", ".join(f"(SELECT count(*) FROM {table})" for table in _COUNTED.values())
        counts = self._connection.execute(f"SELECT {counted}").fetchone() or ()
        return Release(**fields, sha256=sha256, counts=dict(zip(_COUNTED, counts, strict=True)))

    def _absent_columns(self) -> dict[str, str]:
        """What stands for each column that this release was made too early to have: nothing was computed, so NULL."""
        described = self._connection.execute("DESCRIBE screening").fetchall()
        absent = _SCREENABLE - {row[0] for row in described}
        return {
            name: f"NULL::{'VARCHAR' if name in _TEXTS_ADDED else 'DOUBLE'} AS {name}"
            for name in sorted(absent)
        }

    def _calculations_about(self, subject_id: str) -> tuple[CalculationRecord, ...]:
        return tuple(self._calculations("subject_id = ?", [subject_id]))

    def _calculations(self, condition: str, parameters: list[Any]) -> list[CalculationRecord]:
        with self._connection.cursor() as cursor:
            kept = (
                cursor.sql(
                    f"SELECT * FROM calculations WHERE {condition} ORDER BY subject_id, kind, name",
                    params=parameters,
                )
                .to_arrow_table()
                .to_pylist()
            )
        return [rows.calculation_of(row, self._provenances[row["provenance_id"]]) for row in kept]

    @cached_property
    def _provenances(self) -> dict[str, Provenance]:
        with self._connection.cursor() as cursor:
            makers = cursor.sql("SELECT * FROM provenance").to_arrow_table().to_pylist()
        return {row["id"]: rows.provenance_of(row) for row in makers}

    def _conductivities(self, id: str | None) -> pd.DataFrame:
        return self._frame(
            "SELECT * FROM conductivities WHERE ?::VARCHAR IS NULL OR id = ? ORDER BY id, temperature_k DESC, run_id",
            [id, id],
        )

    def _frame(self, sql: str, parameters: list[Any]) -> pd.DataFrame:
        with self._connection.cursor() as cursor:
            # Through Arrow text columns come four times as fast as by `df()`.
            return cursor.sql(sql, params=parameters).to_arrow_table().to_pandas()

    def _one(self, sql: str, id: str) -> dict[str, Any]:
        if not is_valid_id(id):
            raise UnknownCandidateError(id)
        with self._connection.cursor() as cursor:
            row = cursor.execute(sql, [id]).fetchone()
            names = [column[0] for column in cursor.description or ()]
        if row is None:
            raise UnknownCandidateError(id)
        return dict(zip(names, row, strict=True))
