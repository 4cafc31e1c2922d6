"""The one writer: builds a whole new release beside the old one, checks it, then swaps the manifest.

Nothing that exists is changed before the swap, so a writer that is killed, or runs out of disk, leaves the old release
as it was; its own half-built file is removed by the next writer.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

import core
from core.errors import InvalidRowError, StoreWriteError
from core.provenance import Provenance, sha256_of_file
from core.records import Capacity, Conductivity, Crystal, Electrode, Skipped, VoltagePrediction
from core.store import rows
from core.store.reader import Reader
from core.store.release import (
    SCHEMA_VERSION,
    Manifest,
    Release,
    read_manifest,
    release_file_name,
    sync_folder,
    verified_path,
    write_manifest,
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
_KEPT_PREDICTION = ("id", "working_ion", "voltage_v", "voltage_std_v", "voltage_low_v", "voltage_high_v",
                    "in_domain", "error")  # fmt: skip


class ReleaseWriter:
    """Builds one release in `folder`; use it as a context manager and end with `publish`.

    `extend` starts from the current release's rows instead of an empty database. Leaving the block without `publish`
    leaves the folder as it was. Raises `StoreWriteError` where the folder cannot be written or another writer is at
    work, and `InvalidRowError` for rows that the schema refuses.
    """

    def __init__(self, folder: Path, *, version: str | None = None, extend: bool = False) -> None:
        self.folder = folder
        self.version = version or _free_version(folder)
        self._extend = extend
        self._final = folder / release_file_name(self.version)
        self._building = folder / f".building-{self.version}.duckdb"
        self._lock: int | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> Self:
        with _as_write_error(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock_folder(self.folder)
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
            shutil.copyfile(verified_path(self.folder, read_manifest(self.folder)), self._building)
        self._connection = duckdb.connect(str(self._building))
        self._connection.execute("BEGIN")
        if self._extend:
            self._connection.execute("DELETE FROM release")
        else:
            self._connection.execute(_SCHEMA.read_text(encoding="utf-8"))
        self._connection.execute(_VIEWS.read_text(encoding="utf-8"))

    def add_provenance(self, provenance: Provenance) -> str:
        """Add a provenance, once however often it is given, and return the id that rows point to."""
        known = self._db.execute("SELECT 1 FROM provenance WHERE id = ?", [provenance.id]).fetchall()
        if not known:
            self._insert("provenance", [rows.provenance_row(provenance)])
        return provenance.id

    def add_candidates(self, crystals: Iterable[Crystal], *, working_ion: str, provenance_id: str) -> int:
        """Add crystals to screen for a working ion, with their structures; return how many."""
        crystals = list(crystals)
        self._insert("structures", map(rows.structure_row, crystals), provenance_id)
        return self._insert(
            "candidates", (rows.candidate_row(it, working_ion) for it in crystals), provenance_id
        )

    def add_voltage_predictions(self, predictions: Iterable[VoltagePrediction], *, provenance_id: str) -> int:
        """Add predicted voltages, failed ones with their error; return how many."""
        kept = ({name: getattr(it, name) for name in _KEPT_PREDICTION} for it in predictions)
        return self._insert("voltage_predictions", kept, provenance_id)

    def add_capacities(self, capacities: Mapping[str, Capacity], *, provenance_id: str) -> int:
        """Add capacities by candidate id; return how many."""
        return self._insert("capacities", rows.capacity_rows(capacities), provenance_id)

    def add_conductivities(self, conductivities: Iterable[Conductivity], *, provenance_id: str) -> int:
        """Add the results of diffusion runs; return how many."""
        return self._insert("conductivities", conductivities, provenance_id)

    def add_electrodes(self, electrodes: Iterable[Electrode], *, provenance_id: str) -> int:
        """Add labelled electrodes; return how many."""
        return self._insert("electrodes", electrodes, provenance_id)

    def add_nearest_electrodes(
        self, nearest: Mapping[str, Iterable[tuple[str, float]]], *, provenance_id: str
    ) -> int:
        """Add the labelled electrodes nearest to each candidate as (battery id, distance), nearest first."""
        return self._insert("nearest_electrodes", rows.nearest_rows(nearest), provenance_id)

    def add_skipped(self, skipped: Iterable[Skipped], *, provenance_id: str) -> int:
        """Add the inputs that were left out, with their reasons; return how many."""
        return self._insert("skipped", skipped, provenance_id)

    def publish(
        self,
        *,
        model_name: str | None = None,
        model_sha256: str | None = None,
        data_sha256: str | None = None,
    ) -> Release:
        """Close the file, check it, give it its name and make it current; return what readers will see."""
        created = datetime.now(UTC).isoformat(timespec="seconds")
        row = {
            "version": self.version, "schema_version": SCHEMA_VERSION, "created": created,
            "code_version": core.__version__, "model_name": model_name, "model_sha256": model_sha256,
            "data_sha256": data_sha256,
        }  # fmt: skip
        self._insert("release", [row])
        with _as_write_error(self.folder):
            self._db.execute("INSERT INTO screening_rows SELECT * FROM joined ORDER BY id")
            self._db.execute("COMMIT")
            self._db.execute("CHECKPOINT")
            self._disconnect()
            return self._swap(created)

    def _swap(self, created: str) -> Release:
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
                size_bytes=self._final.stat().st_size, created=created,
            ),
        )  # fmt: skip
        return release

    @property
    def _db(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise StoreWriteError(
                f"Release {self.version} is not open for writing: use `with ReleaseWriter(...)`."
            )
        return self._connection

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
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None


def _free_version(folder: Path) -> str:
    """Return the time as a version, with a number after it where a release of the same second lies there."""
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (time, *(f"{time}-{number}" for number in range(2, 1000)))
    return next((name for name in names if not (folder / release_file_name(name)).exists()), time)


def _lock_folder(folder: Path) -> int:
    """The lock sits on the folder itself: it leaves no file behind and dies with its process."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreWriteError(
            f"Another process is writing a release in {folder}; wait until it is done."
        ) from None
    return descriptor


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
