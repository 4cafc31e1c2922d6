"""A release in the making: begun beside the current one, then published or thrown away.

Nothing that exists is changed before the manifest is swapped, so a writer that is killed, or runs out of disk, leaves
the old release as it was; its own half-built file is removed by the next writer.
"""

import os
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
from core.errors import InvalidRowError, StoreWriteError
from core.provenance import sha256_of_file
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
from core.store.rows import Row
from core.store.tables import BEFORE, TABLES, copy_rows

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
_CITED = (
    "working_ion", "model_name", "model_sha256", "data_sha256", "accurate_model_name", "accurate_model_sha256",
)  # fmt: skip
"""What a release that extends another one takes over from it, where its maker says nothing else."""


class Draft:
    """The file of a release in the making, and its way to being the current one.

    `core.store.writer.ReleaseWriter` adds to it what the tables hold.
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
        self._connection = duckdb.connect(str(self._building))
        self._connection.execute("BEGIN")
        self._connection.execute(_SCHEMA.read_text(encoding="utf-8"))
        self._connection.execute(_VIEWS.read_text(encoding="utf-8"))
        if self._extend:
            self._take_over()

    def _take_over(self) -> None:
        """Begin with the rows of the current release, copied anew: a file that is written into only ever grows."""
        self._before = read_manifest(self.folder)
        self.attach(verified_path(self.folder, self._before))
        before = self._row(f"SELECT * FROM {BEFORE}.release", []) or {}
        self._cited = {name: before.get(name) for name in _CITED}
        for table in TABLES:
            copy_rows(self._db, table)

    def attach(self, path: Path) -> duckdb.DuckDBPyConnection:
        """Make another release's tables readable as `before.TABLE`; return the connection, for `core.store` alone."""
        quoted = str(path).replace("'", "''")
        self._db.execute(f"ATTACH '{quoted}' AS {BEFORE} (READ_ONLY)")
        return self._db

    def publish(
        self,
        *,
        model_name: str | None = None,
        model_sha256: str | None = None,
        data_sha256: str | None = None,
        working_ion: str | None = None,
        accurate_model_name: str | None = None,
        accurate_model_sha256: str | None = None,
    ) -> Release:
        """Close the file, check it, give it its name and make it current; return what readers will see.

        What is not given is as in the release that this one extends. Where that does not say either, the working ion is
        magnesium, and the model the only one with predictions.
        `accurate_model_name` is that of a second model, whose voltages count where it was asked.
        """
        given = {
            "working_ion": working_ion, "model_name": model_name, "model_sha256": model_sha256,
            "data_sha256": data_sha256, "accurate_model_name": accurate_model_name,
            "accurate_model_sha256": accurate_model_sha256,
        }  # fmt: skip
        cited = self._cited | {name: value for name, value in given.items() if value is not None}
        created = datetime.now(UTC).isoformat(timespec="seconds")
        row = {
            "version": self.version, "schema_version": SCHEMA_VERSION, "created": created,
            "code_version": core.__version__,
            "working_ion": cited.get("working_ion") or DEFAULT_WORKING_ION,
            "model_name": cited.get("model_name") or self._only_model(),
            "model_sha256": cited.get("model_sha256"), "data_sha256": cited.get("data_sha256"),
            "accurate_model_name": cited.get("accurate_model_name"),
            "accurate_model_sha256": cited.get("accurate_model_sha256"),
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

    def _row(self, sql: str, parameters: list[Any]) -> Row | None:
        """The first row of a question to the half-built release, by column; None where there is none."""
        answer = self._db.execute(sql, parameters)
        names = [column[0] for column in answer.description or ()]
        kept = answer.fetchall()  # all: an answer read in part would block the next question
        return dict(zip(names, kept[0], strict=True)) if kept else None

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
