"""The files that ship beside the database: the manifest lists each with its SHA-256, so that damage is seen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from core.provenance import sha256_of_file
from core.store.release import (
    MANIFEST_NAME,
    PREVIOUS,
    FileEntry,
    Manifest,
    read_manifest,
    write_manifest,
    writing,
)

_NOT_LISTED: Final = frozenset({MANIFEST_NAME, "README.md"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Where a folder is not what its manifest says: paths relative to it, sorted."""

    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.changed or self.unlisted)


def shipped_files(folder: Path) -> dict[str, Path]:
    """Return every file of the folder but manifest, README, releases and what is hidden, by its relative path."""
    paths = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {relative.as_posix(): path for relative, path in paths.items() if _is_shipped(relative)}


def listed(folder: Path) -> dict[str, FileEntry]:
    """Return size and SHA-256 of every shipped file, as the manifest lists them."""
    return {name: _entry(path) for name, path in shipped_files(folder).items()}


def differences(folder: Path) -> Differences:
    """Compare a folder with its manifest, the database included; raise `StoreError` kinds where none can be read."""
    manifest = read_manifest(folder)
    said: Mapping[str, FileEntry] = {**manifest.files, manifest.file: manifest.database}
    here = shipped_files(folder)
    database = folder / manifest.file
    if database.is_file():
        here[manifest.file] = database
    return Differences(
        missing=tuple(sorted(set(said) - set(here))),
        changed=tuple(
            sorted(name for name in set(said) & set(here) if not _is_as_said(here[name], said[name]))
        ),
        unlisted=tuple(sorted(set(here) - set(said))),
    )


def list_files(folder: Path) -> Manifest:
    """Write the files of the folder into its manifest anew and return it.

    Whoever calls this vouches for the files as they are now. Raises `StoreError` kinds where there is no release.
    """
    with writing(folder):
        manifest = replace(read_manifest(folder), files=listed(folder))
        write_manifest(folder, manifest)
    return manifest


def _entry(path: Path) -> FileEntry:
    return FileEntry(sha256=sha256_of_file(path), size_bytes=path.stat().st_size)


def _is_shipped(relative: Path) -> bool:
    hidden = any(part.startswith(".") or part == "__pycache__" for part in relative.parts)
    at_top = len(relative.parts) == 1
    is_release = at_top and relative.name.startswith("release-") and ".duckdb" in relative.name
    return not (
        hidden or is_release or relative.parts[0] == PREVIOUS or (at_top and relative.name in _NOT_LISTED)
    )


def _is_as_said(path: Path, entry: FileEntry) -> bool:
    return path.stat().st_size == entry.size_bytes and sha256_of_file(path) == entry.sha256
