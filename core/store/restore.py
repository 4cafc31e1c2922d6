"""Back to a release that a later one has superseded."""

from pathlib import Path

from core.errors import StoreError, StoreWriteError
from core.provenance import sha256_of_file
from core.store.artefacts import listed
from core.store.reader import Reader
from core.store.release import (
    PREVIOUS,
    SCHEMA_VERSION,
    CalculationsDigest,
    Manifest,
    Release,
    prune,
    release_file_name,
    write_manifest,
    writing,
)


def restore_release(folder: Path, version: str) -> Release:
    """Make a release of the folder `previous` the current one again and return it; the current one goes there.

    Models and other files beside the database stay as they are. Raises `StoreError` kinds where there is no such
    release or it cannot be read; nothing is changed then.
    """
    path = folder / PREVIOUS / release_file_name(version)
    if not path.is_file():
        there = sorted(it.stem.removeprefix("release-") for it in path.parent.glob("release-*.duckdb"))
        raise StoreError(
            f"There is no release {version!r} in {path.parent}; it holds {', '.join(there) or 'none'}."
        )
    try:
        with writing(folder):
            release = _swap(folder, path)
    except OSError as error:
        raise StoreWriteError(
            f"Release {version} could not be restored ({error.strerror}); make {folder} writable."
        ) from error
    prune(folder)
    return release


def _swap(folder: Path, path: Path) -> Release:
    sha256 = sha256_of_file(path)
    with Reader(path, sha256=sha256) as reader:
        release = reader.release
        calculations = CalculationsDigest.of(record.key for record in reader.calculations())
    final = folder / path.name
    path.replace(final)
    write_manifest(
        folder,
        Manifest(
            schema_version=SCHEMA_VERSION, version=release.version, file=final.name, sha256=sha256,
            size_bytes=final.stat().st_size, created=release.created, calculations=calculations, files=listed(folder),
        ),
    )  # fmt: skip
    return release
