"""A release on disk: one versioned DuckDB file, and the manifest that names it with its checksum.

A new release gets a new file name, and readers find it through `manifest.json`, which is replaced atomically. An open
reader keeps the file it opened; nothing is ever written into a published file.
"""

import json
import os
import re
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from core.errors import ReleaseDamagedError, ReleaseNotFoundError, SchemaVersionError, StoreWriteError
from core.provenance import sha256_of_file

SCHEMA_VERSION: Final = 1
MANIFEST_NAME: Final = "manifest.json"
_FILE_PATTERN = re.compile(r"release-[A-Za-z0-9._-]{1,60}\.duckdb")
_SHA256_PATTERN = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What `manifest.json` says of the current release; `file` is a bare name in the manifest's own folder."""

    schema_version: int
    version: str
    file: str
    sha256: str
    size_bytes: int
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release as its pages cite it: version, hashes, and how many rows each table holds."""

    version: str
    created: str
    schema_version: int
    code_version: str
    model_name: str | None
    model_sha256: str | None
    data_sha256: str | None
    sha256: str
    counts: dict[str, int]


def release_file_name(version: str) -> str:
    """Return the database file's name for a version; raise `StoreWriteError` where it is no safe file name."""
    name = f"release-{version}.duckdb"
    if not _FILE_PATTERN.fullmatch(name):
        raise StoreWriteError(
            f"Release version {version!r} cannot name a file; use 1 to 60 letters, digits, dots, dashes, underscores."
        )
    return name


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a folder; raise `ReleaseNotFoundError`, `ReleaseDamagedError`, `SchemaVersionError`."""
    path = folder / MANIFEST_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise ReleaseNotFoundError(folder) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseDamagedError(path, f"it cannot be read ({type(error).__name__})") from error
    try:
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        raise ReleaseDamagedError(path, f"it is not JSON ({error.msg}, line {error.lineno})") from error
    return _checked_manifest(path, fields)


def current_version(folder: Path) -> str:
    """Return the version of the current release, from the manifest alone; raise as `read_manifest` does."""
    return read_manifest(folder).version


def _checked_manifest(path: Path, fields: object) -> Manifest:
    if not isinstance(fields, dict):
        raise ReleaseDamagedError(path, "it is not a JSON object")
    if fields.get("schema_version") != SCHEMA_VERSION:
        raise SchemaVersionError(path, fields.get("schema_version"), SCHEMA_VERSION)
    try:
        manifest = Manifest(**{name: fields[name] for name in Manifest.__dataclass_fields__})
    except KeyError as error:
        raise ReleaseDamagedError(path, f"it lacks {error}") from None
    if not all(
        isinstance(text, str) for text in (manifest.version, manifest.file, manifest.sha256, manifest.created)
    ):
        raise ReleaseDamagedError(path, "version, file, sha256 and created must be text")
    if not _FILE_PATTERN.fullmatch(manifest.file):
        raise ReleaseDamagedError(path, f"file {manifest.file[:80]!r} is not a release's name")
    if not _SHA256_PATTERN.fullmatch(manifest.sha256) or not isinstance(manifest.size_bytes, int):
        raise ReleaseDamagedError(path, "sha256 and size_bytes must be 64 hex digits and a whole number")
    return manifest


def verified_path(folder: Path, manifest: Manifest) -> Path:
    """Return the database file after checking size and SHA-256; raise `ReleaseDamagedError` where they differ."""
    path = folder / manifest.file
    try:
        found = path.stat()
    except OSError:
        raise ReleaseDamagedError(path, "the file that manifest.json names is absent") from None
    if found.st_size != manifest.size_bytes:
        raise ReleaseDamagedError(
            path, f"it has {found.st_size} bytes, manifest.json says {manifest.size_bytes}"
        )
    if _sha256_once(path, found.st_size, found.st_mtime_ns) != manifest.sha256:
        raise ReleaseDamagedError(path, "its bytes do not match the SHA-256 in manifest.json")
    return path


@lru_cache(maxsize=32)
def _sha256_once(path: Path, size_bytes: int, mtime_ns: int) -> str:
    """Size and time are the cache key: an unchanged file is hashed once a process, a touched one again."""
    try:
        return sha256_of_file(path)
    except OSError as error:
        raise ReleaseDamagedError(path, f"it cannot be read ({error.strerror})") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace `manifest.json` atomically and make the swap durable; raise `OSError` as the file system does."""
    temporary = folder / f".{MANIFEST_NAME}.{os.getpid()}"
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            json.dump(asdict(manifest), stream, indent=2)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, folder / MANIFEST_NAME)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, so that a rename outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prune(folder: Path, *, keep: int = 1) -> list[Path]:
    """Delete all but the current release and the `keep - 1` newest others; return what was deleted.

    An app that still has a deleted release open goes on reading it: the file lives until the last reader closes.
    """
    if keep < 1:
        raise StoreWriteError(f"keep={keep} would delete the current release; keep at least 1.")
    current = read_manifest(folder).file
    others = [path for path in folder.glob("release-*.duckdb") if path.name != current]
    others.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    doomed = others[keep - 1 :]
    try:
        for path in doomed:
            path.unlink()
    except OSError as error:
        raise StoreWriteError(
            f"Old releases in {folder} could not be deleted ({error.strerror}); make the folder writable."
        ) from error
    return doomed
