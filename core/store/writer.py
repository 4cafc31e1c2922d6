"""The one writer: builds a whole new release beside the old one, checks it, then swaps the manifest.

Nothing that exists is changed before the swap, so a writer that is killed, or runs out of disk, leaves the old release
as it was; its own half-built file is removed by the next writer.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

import core
from core.artifacts import sync_folder
from core.errors import InvalidRowError, RecordError, StoreWriteError
from core.provenance import Provenance, sha256_of_file
from core.records import (
    CalculationRecord,
    Capacity,
    Conductivity,
    Crystal,
    Electrode,
    Skipped,
    VoltagePrediction,
)
from core.store import rows
from core.store.artefacts import listed
from core.store.reader import Reader
from core.store.release import (
    DEFAULT_WORKING_ION,
    SCHEMA_VERSION,
    CalculationsDigest,
    FileEntry,
    Manifest,
    Release,
    next_version,
    read_manifest,
    release_file_name,
    verified_path,
    write_manifest,
    writing,
)

_SCHEMA = Path(__file__).with_name("schema.sql")
_VIEWS = Path(__file__).with_name("views.sql")
_REFUSALS = (
    duckdb.ConstraintException,
    duckdb.ConversionException,
    duckdb.BinderException,
    duckdb.InvalidInputException,
    pa.ArrowInvalid,
    pa.ArrowTypeError,
)
_CITED = ("working_ion", "model_name", "model_sha256", "data_sha256")
"""What a release that extends another one takes over from it, where its maker says nothing else."""


class ReleaseWriter:
    """Builds one release in `folder`; use it as a context manager and end with `publish`.

    `extend` starts from the current release's rows instead of an empty database. Leaving the block without `publish`
    leaves the folder as it was. Raises `StoreWriteError` where the folder cannot be written or another writer is at
    work, and `InvalidRowError` for rows that the schema refuses.
    """

    def __init__(self, folder: Path, *, version: str | None = None, extend: bool = False) -> None:
        self.folder = folder
        self.version = version or next_version(folder)
        self._extend = extend
        self._before: Manifest | None = None
        self._cited: dict[str, Any] = {}
        self._final = folder / release_file_name(self.version)
        self._building = folder / f".building-{self.version}.duckdb"
        self._held = ExitStack()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> Self:
        with _as_write_error(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._held.enter_context(writing(self.folder))
        try:
            with _as_write_error(self.folder):
                self._start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _start(self) -> None:
        if self._final.exists():
            raise StoreWriteError(
                f"{self._final.name} exists already; a release is never overwritten: name another."
            )
        for stale in self.folder.glob(".building-*"):
            stale.unlink()
        if self._extend:
            self._before = read_manifest(self.folder)
            shutil.copyfile(verified_path(self.folder, self._before), self._building)
        self._connection = duckdb.connect(str(self._building))
        self._connection.execute("BEGIN")
        if self._extend:
            self._cited = self._row(f"SELECT {', '.join(_CITED)} FROM release", []) or {}
            self._connection.execute("DELETE FROM release")
        else:
            self._connection.execute(_SCHEMA.read_text(encoding="utf-8"))
        self._connection.execute(_VIEWS.read_text(encoding="utf-8"))

    def attach(self, path: Path, name: str) -> duckdb.DuckDBPyConnection:
        """Make another release's tables readable as `name.TABLE`; return the connection, for `core.store` alone."""
        quoted = str(path).replace("'", "''")
        self._db.execute(f"ATTACH '{quoted}' AS {name} (READ_ONLY)")
        return self._db

    def add_provenance(self, provenance: Provenance) -> str:
        """Add a provenance, once however often it is given, and return the id that rows point to."""
        known = self._db.execute("SELECT 1 FROM provenance WHERE id = ?", [provenance.id]).fetchall()
        if not known:
            self._insert("provenance", [rows.provenance_row(provenance)])
        return provenance.id

    def add_candidates(self, crystals: Iterable[Crystal], *, working_ion: str, provenance_id: str) -> int:
        """Add crystals to screen for a working ion; return how many.

        A structure that is stored already, such as that of a candidate for another ion, stays; one that differs from
        what is stored under its id is refused.
        """
        crystals = list(crystals)
        self.add_structures(crystals, origin="source", provenance_id=provenance_id)
        return self._insert(
            "candidates", (rows.candidate_row(it, working_ion) for it in crystals), provenance_id
        )

    def add_structures(
        self,
        crystals: Iterable[Crystal],
        *,
        origin: str,
        provenance_id: str,
        parent_id: str | Mapping[str, str] | None = None,
    ) -> int:
        """Add structures that need not be candidates; return how many were not stored yet.

        `origin` says in a word how they came about: source, relaxed, substituted, generated, literature, uploaded.
        `parent_id` names what they were made from, which an earlier call has added: one for all, or one by each id. As
        with candidates, a structure that is stored already stays, and a different one under its id is refused.
        """
        stored = {id for (id,) in self._db.execute("SELECT id FROM structures").fetchall()}
        new = []
        for crystal in crystals:
            if crystal.id in stored:
                self._check_is_stored(crystal)
            else:
                new.append(crystal)
        parents = (
            parent_id if isinstance(parent_id, Mapping) else dict.fromkeys((it.id for it in new), parent_id)
        )
        made = (rows.structure_row(it, origin, parents.get(it.id)) for it in new)
        return self._insert("structures", made, provenance_id)

    def add_voltage_predictions(
        self, predictions: Iterable[VoltagePrediction], *, provenance_id: str, model: str | None = None
    ) -> int:
        """Add predicted voltages, failed ones with their error; return how many.

        `model` names who predicts; where it is not given, the provenance does.
        """
        model = model or self._model_of(provenance_id)
        return self._insert(
            "voltage_predictions", (rows.prediction_row(it, model) for it in predictions), provenance_id
        )

    def add_capacities(
        self,
        capacities: Mapping[str, Capacity],
        *,
        provenance_id: str,
        working_ion: str = DEFAULT_WORKING_ION,
    ) -> int:
        """Add capacities by candidate id, for the charge of one ion; return how many."""
        return self._insert("capacities", rows.capacity_rows(capacities, working_ion), provenance_id)

    def add_calculations(self, records: Iterable[CalculationRecord]) -> int:
        """Add finished calculations with their files and provenance; return how many.

        The structures that they are about must be stored (`add_structures`). Raises `InvalidRowError` for a key or name
        that is there already, and for a result that the columns of its kind cannot hold.
        """
        records = list(records)
        makers = [self.add_provenance(record.provenance) for record in records]
        return self._add_calculations(zip(records, makers, strict=True))

    def add_conductivities(self, conductivities: Iterable[Conductivity], *, provenance_id: str) -> int:
        """Add conductivities of which the runs are not known as calculations; return how many."""
        provenance = self._provenance(provenance_id)
        records = (
            rows.conductivity_record(
                it, formula=self._formula_of(it.id), provenance=provenance, runs=[it.run_id]
            )
            for it in conductivities
        )
        return self._add_calculations((record, provenance_id) for record in records)

    def _add_calculations(self, records: Iterable[tuple[CalculationRecord, str]]) -> int:
        made: list[rows.Row] = []
        files: list[rows.Row] = []
        try:
            for record, provenance_id in records:
                made.append(rows.calculation_row(record) | {"provenance_id": provenance_id})
                files.extend(rows.file_rows(record))
        except RecordError as error:
            raise InvalidRowError(
                f"A calculation was refused, and nothing of this release is kept: {error}"
            ) from None
        self._insert("calculations", made)
        self._insert("calculation_files", files)
        return len(made)

    def add_electrodes(self, electrodes: Iterable[Electrode], *, provenance_id: str) -> int:
        """Add labelled electrodes; return how many."""
        return self._insert("electrodes", electrodes, provenance_id)

    def add_nearest_electrodes(
        self,
        nearest: Mapping[str, Iterable[tuple[str, float]]],
        *,
        provenance_id: str,
        working_ion: str = DEFAULT_WORKING_ION,
        model: str | None = None,
    ) -> int:
        """Add the labelled electrodes nearest to each candidate as (battery id, distance), nearest first.

        `model` names whose learned vectors the distances are of; where it is not given, the provenance does.
        """
        model = model or self._model_of(provenance_id)
        return self._insert(
            "nearest_electrodes", rows.nearest_rows(nearest, working_ion, model), provenance_id
        )

    def add_skipped(self, skipped: Iterable[Skipped], *, provenance_id: str) -> int:
        """Add the inputs that were left out, with their reasons; return how many."""
        return self._insert("skipped", skipped, provenance_id)

    def publish(
        self,
        *,
        model_name: str | None = None,
        model_sha256: str | None = None,
        data_sha256: str | None = None,
        working_ion: str | None = None,
    ) -> Release:
        """Close the file, check it, give it its name and make it current; return what readers will see.

        What is not given is as in the release that this one extends. Where that does not say either, the working ion is
        magnesium, and the model the only one with predictions.
        """
        given = {
            "working_ion": working_ion, "model_name": model_name, "model_sha256": model_sha256,
            "data_sha256": data_sha256,
        }  # fmt: skip
        cited = self._cited | {name: value for name, value in given.items() if value is not None}
        created = datetime.now(UTC).isoformat(timespec="seconds")
        row = {
            "version": self.version, "schema_version": SCHEMA_VERSION, "created": created,
            "code_version": core.__version__,
            "working_ion": cited.get("working_ion") or DEFAULT_WORKING_ION,
            "model_name": cited.get("model_name") or self._only_model(),
            "model_sha256": cited.get("model_sha256"), "data_sha256": cited.get("data_sha256"),
        }  # fmt: skip
        self._insert("release", [row])
        with _as_write_error(self.folder):
            self._db.execute("INSERT INTO screening_rows SELECT * FROM joined ORDER BY id")
            calculations = self._calculations_digest()
            self._db.execute("COMMIT")
            self._db.execute("CHECKPOINT")
            self._disconnect()
            return self._swap(created, calculations)

    def _swap(self, created: str, calculations: CalculationsDigest) -> Release:
        sha256 = sha256_of_file(self._building)
        with Reader(self._building, sha256=sha256) as reader:
            release = reader.release
        with self._building.open("rb") as stream:
            os.fsync(stream.fileno())
        os.replace(self._building, self._final)
        sync_folder(self.folder)
        write_manifest(
            self.folder,
            Manifest(
                schema_version=SCHEMA_VERSION, version=self.version, file=self._final.name, sha256=sha256,
                size_bytes=self._final.stat().st_size, created=created, calculations=calculations,
                files=self._files(),
            ),
        )  # fmt: skip
        return release

    def _files(self) -> Mapping[str, FileEntry]:
        """An extended release vouches for the files that the one before did; a new one for those that are there."""
        return listed(self.folder) if self._before is None else self._before.files

    def _calculations_digest(self) -> CalculationsDigest:
        return CalculationsDigest.of(
            key for (key,) in self._db.execute("SELECT key FROM calculations").fetchall()
        )

    @property
    def _db(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise StoreWriteError(
                f"Release {self.version} is not open for writing: use `with ReleaseWriter(...)`."
            )
        return self._connection

    def _row(self, sql: str, parameters: list[Any]) -> rows.Row | None:
        """The first row of a question to the half-built release, by column; None where there is none."""
        answer = self._db.execute(sql, parameters)
        names = [column[0] for column in answer.description or ()]
        kept = answer.fetchall()  # all: an answer read in part would block the next question
        return dict(zip(names, kept[0], strict=True)) if kept else None

    def _check_is_stored(self, crystal: Crystal) -> None:
        row = self._row("SELECT * FROM structures WHERE id = ?", [crystal.id])
        if row is None or not rows.crystal_of(row).same_structure(crystal):
            raise InvalidRowError(
                f"{crystal.id} is stored with another structure, and nothing of this release is kept: give the new "
                "structure an id of its own."
            )

    def _provenance(self, provenance_id: str) -> Provenance:
        row = self._row("SELECT * FROM provenance WHERE id = ?", [provenance_id])
        if row is None:
            raise InvalidRowError(f"No provenance {provenance_id!r}: add it first, with `add_provenance`.")
        return rows.provenance_of(row)

    def _model_of(self, provenance_id: str) -> str:
        name = self._provenance(provenance_id).model_name
        if name is None:
            raise InvalidRowError(
                f"Provenance {provenance_id} names no model: say whose predictions these are, with `model=`."
            )
        return name

    def _formula_of(self, structure_id: str) -> str:
        row = self._row("SELECT formula FROM structures WHERE id = ?", [structure_id])
        if row is None:
            raise InvalidRowError(f"No structure {structure_id!r}: add it first, with `add_structures`.")
        return str(row["formula"])

    def _only_model(self) -> str | None:
        names = self._db.execute("SELECT DISTINCT model FROM voltage_predictions").fetchall()
        return str(names[0][0]) if len(names) == 1 else None

    def _insert(self, table: str, records: Iterable[Any], provenance_id: str | None = None) -> int:
        batch = [asdict(it) if is_dataclass(it) and not isinstance(it, type) else dict(it) for it in records]
        if not batch:
            return 0
        if provenance_id is not None:
            batch = [row | {"provenance_id": provenance_id} for row in batch]
        connection = self._db
        with _as_write_error(self.folder), _refusals(table):
            connection.register("batch", pa.Table.from_pylist(batch))
            connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM batch")
            connection.unregister("batch")
        return len(batch)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _close(self) -> None:
        try:
            self._disconnect()
        finally:
            for leftover in self.folder.glob(f"{self._building.name}*"):
                leftover.unlink(missing_ok=True)
            self._held.close()


@contextmanager
def _as_write_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, duckdb.IOException, duckdb.FatalException, duckdb.InternalException) as error:
        raise StoreWriteError(
            f"The release in {folder} could not be written ({str(error).splitlines()[0]}). The release before it is "
            "whole. Check that the folder is writable and that its disk has room."
        ) from error


@contextmanager
def _refusals(table: str) -> Iterator[None]:
    try:
        yield
    except _REFUSALS as error:
        raise InvalidRowError(
            f"A row of {table} was refused, and nothing of this release is kept: {str(error).splitlines()[0]}"
        ) from error
