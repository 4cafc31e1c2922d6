"""The release that requests read: the current one, opened once, and the next one once it is published."""

from functools import lru_cache
from pathlib import Path

from core.service.release import Reader, current_version, open_reader
from core.settings import Settings


def reader() -> Reader:
    """Return the open reader of the current release; raise `StoreError` kinds where there is none."""
    folder = Settings.from_environment().precomputed
    return _open(folder, current_version(folder))


@lru_cache(maxsize=2)
def _open(folder: Path, version: str) -> Reader:
    return open_reader(folder)
