"""A release on disk: one versioned DuckDB file, and the manifest that names it with its checksum.

A new release gets a new file name, and readers find it through `manifest.json`, which is replaced atomically. An open
reader keeps the file it opened; nothing is ever written into a published file. The manifest also lists every other file
of the folder with its checksum (`core.store.artefacts`), so that it vouches for all that is shipped.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

from core.artifacts import locked, write_json
from core.codec import from_json, to_json
from core.errors import (
    RecordError,
    ReleaseDamagedError,
    ReleaseNotFoundError,
    SchemaVersionError,
    StoreWriteError,
)
from core.provenance import sha256_of_file

SCHEMA_VERSION: Final = 2
MANIFEST_NAME: Final = "manifest.json"
PREVIOUS: Final = "previous"
"""The folder, within that of the releases, where superseded ones lie; git ignores it."""

LOCK_NAME: Final = ".lock"
"""Held by whoever writes a release; the file stays, the lock dies with its process."""

DEFAULT_WORKING_ION: Final = "Mg"
"""Whose candidates a release shows where its maker says nothing else."""

_FILE_PATTERN: Final = re.compile(r"release-[A-Za-z0-9._-]{1,60}\.duckdb")
_SHA256_PATTERN: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """A file as the manifest lists it."""

    sha256: str
    size_bytes: int

    def __post_init__(self) -> None:
        if not _SHA256_PATTERN.fullmatch(self.sha256) or self.size_bytes < 0:
            raise RecordError("sha256 and size_bytes must be 64 hex digits and a whole number")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalculationsDigest:
    """How many calculations a release holds, and a hash over their sorted keys: equal for equal sets."""

    count: int = 0
    sha256: str = hashlib.sha256().hexdigest()

    @classmethod
    def of(cls, keys: Iterable[str]) -> Self:
        """Return the digest of some calculations, by their keys."""
        lines = sorted(f"{key}\n" for key in keys)
        return cls(count=len(lines), sha256=hashlib.sha256("".join(lines).encode()).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What `manifest.json` says of the current release; `file` is a bare name in the manifest's own folder.

    `files`: the other files of the folder, by path relative to it.
    """

    schema_version: int
    version: str
    file: str
    sha256: str
    size_bytes: int
    created: str
    calculations: CalculationsDigest = CalculationsDigest()
    files: Mapping[str, FileEntry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _FILE_PATTERN.fullmatch(self.file):
            raise RecordError(f"file {self.file[:80]!r} is not a release's name")
        _ = self.database

    @property
    def database(self) -> FileEntry:
        """Size and checksum of the database file."""
        return FileEntry(sha256=self.sha256, size_bytes=self.size_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release as its pages cite it: version, hashes, and how many rows each table holds.

    Pages show the candidates for `working_ion` with the voltages of the model `accurate_model_name` where it was asked,
    else of `model_name`.
    """

    version: str
    created: str
    schema_version: int
    code_version: str
    working_ion: str
    model_name: str | None
    model_sha256: str | None
    data_sha256: str | None
    sha256: str
    counts: dict[str, int]
    accurate_model_name: str | None = None
    accurate_model_sha256: str | None = None


def release_file_name(version: str) -> str:
    """Return the database file's name for a version; raise `StoreWriteError` where it is no safe file name."""
    name = f"release-{version}.duckdb"
    if not _FILE_PATTERN.fullmatch(name):
        raise StoreWriteError(
            f"Release version {version!r} cannot name a file; use 1 to 60 letters, digits, dots, dashes, underscores."
        )
    return name


def next_version(folder: Path) -> str:
    """Return the version of the next release of a folder: `YYYY.MM.DD-N`, N counting the releases of the day (UTC)."""
    today = datetime.now(UTC).strftime("%Y.%m.%d")
    paths = [*folder.glob("release-*.duckdb"), *(folder / PREVIOUS).glob("release-*.duckdb")]
    versions = {path.stem.removeprefix("release-") for path in paths}
    with suppress(ReleaseNotFoundError, ReleaseDamagedError):
        versions.add(str(_manifest_fields(folder).get("version")))
    numbers = [version.removeprefix(f"{today}-") for version in versions if version.startswith(f"{today}-")]
    return f"{today}-{max((int(number) for number in numbers if number.isdecimal()), default=0) + 1}"


def read_manifest(folder: Path, *, schema_version: int = SCHEMA_VERSION) -> Manifest:
    """Return the manifest of a folder; raise `ReleaseNotFoundError`, `ReleaseDamagedError`, `SchemaVersionError`.

    One of schema 1 reads as well where it is asked for: it lists neither calculations nor files.
    """
    path = folder / MANIFEST_NAME
    fields = _manifest_fields(folder)
    if fields.get("schema_version") != schema_version:
        raise SchemaVersionError(path, fields.get("schema_version"), schema_version)
    try:
        return from_json(Manifest, fields)
    except RecordError as error:
        raise ReleaseDamagedError(path, str(error)) from None


def current_version(folder: Path) -> str:
    """Return the version of the current release, from the manifest alone; raise as `read_manifest` does."""
    return read_manifest(folder).version


def _manifest_fields(folder: Path) -> Mapping[str, object]:
    path = folder / MANIFEST_NAME
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ReleaseNotFoundError(folder) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseDamagedError(path, f"it cannot be read ({type(error).__name__})") from error
    except json.JSONDecodeError as error:
        raise ReleaseDamagedError(path, f"it is not JSON ({error.msg}, line {error.lineno})") from error
    if not isinstance(fields, dict):
        raise ReleaseDamagedError(path, "it is not a JSON object")
    return fields


def verified_path(folder: Path, manifest: Manifest) -> Path:
    """Return the database file after checking size and SHA-256; raise `ReleaseDamagedError` where they differ."""
    path = folder / manifest.file
    try:
        status = path.stat()
    except OSError:
        raise ReleaseDamagedError(path, "the file that manifest.json names is absent") from None
    if status.st_size != manifest.size_bytes:
        raise ReleaseDamagedError(
            path, f"it has {status.st_size} bytes, manifest.json says {manifest.size_bytes}"
        )
    if _sha256_once(path, status.st_size, status.st_mtime_ns) != manifest.sha256:
        raise ReleaseDamagedError(path, "its bytes do not match the SHA-256 in manifest.json")
    return path


def current_path(folder: Path) -> Path:
    """Return the path of the current release's database, checked; raise as `read_manifest` and `verified_path` do."""
    return verified_path(folder, read_manifest(folder))


@lru_cache(maxsize=32)
def _sha256_once(path: Path, size_bytes: int, mtime_ns: int) -> str:
    """Size and time are the cache key: an unchanged file is hashed once a process, a touched one again."""
    try:
        return sha256_of_file(path)
    except OSError as error:
        raise ReleaseDamagedError(path, f"it cannot be read ({error.strerror})") from error


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the right to change a folder for the block; raise `StoreWriteError` where another process has it.

    Raises `OSError` where the folder cannot be written.
    """
    path = folder / LOCK_NAME
    path.touch()  # the lock itself cannot tell a folder that refuses files from one that is taken
    with locked(path, wait=False) as is_ours:
        if not is_ours:
            raise StoreWriteError(f"Another process is writing a release in {folder}; wait until it is done.")
        yield


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace `manifest.json` atomically and make the swap durable; raise `OSError` as the file system does."""
    write_json(folder / MANIFEST_NAME, to_json(manifest))


def prune(folder: Path, *, keep: int = 2) -> list[Path]:
    """Move superseded releases to `previous/` and delete all but the newest `keep - 1` of them; return the deleted.

    `keep` counts the current release. One that is still open goes on being read, moved or deleted: the file lives until
    the last reader closes.
    """
    if keep < 1:
        raise StoreWriteError(f"keep={keep} would delete the current release; keep at least 1.")
    current = read_manifest(folder).file
    previous = folder / PREVIOUS
    try:
        for path in folder.glob("release-*.duckdb"):
            if path.name != current:
                previous.mkdir(exist_ok=True)
                path.replace(previous / path.name)
        superseded = list(previous.glob("release-*.duckdb"))
        superseded.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
        doomed = superseded[keep - 1 :]
        for path in doomed:
            path.unlink()
    except OSError as error:
        raise StoreWriteError(
            f"Old releases in {folder} could not be put away ({error.strerror}); make the folder writable."
        ) from error
    return doomed
