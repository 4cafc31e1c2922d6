"""Files written whole or not at all, and locks that die with their holder: the one place where both are done.

with replacing(path) as partial:      # write to `partial`; it takes the place of `path` at the end, or never
    np.savez(partial, ...)
write_json(path, content)
with locked(path) as is_ours: ...
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

_MODE: Final = 0o644


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it replaces `path` atomically when the block ends well.

    Where the block fails, `path` stays as it was and nothing is left beside it. The bytes and the folder's entry are
    flushed to disk, so that what was replaced outlives a power cut. Raises `OSError` as the file system does.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}{path.suffix}")
    try:
        yield partial
        partial.chmod(_MODE)
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole, or leave the one before whole."""
    with replacing(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) whole, or leave the one before whole."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, content: object, *, indent: int | None = 1) -> None:
    """Write a JSON file whole, or leave the one before whole; raise `ValueError` for NaN and infinity."""
    write_text(path, json.dumps(content, indent=indent, allow_nan=False) + "\n")


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, so that a rename outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold an exclusive lock on a file for the block; without `wait`, yield False at once where another holds it.

    The kernel frees the lock when its process dies, however it dies; the file itself stays. Two holders in one process
    exclude each other as two processes do.
    """
    lock = FileLock(path, mode=_MODE, thread_local=False, timeout=-1 if wait else 0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def is_locked(path: Path) -> bool:
    """Return whether some process holds the lock of a file; one that was never taken is not held."""
    if not path.exists():
        return False
    try:
        with locked(path, wait=False) as is_ours:
            return not is_ours
    except OSError:  # in a folder that we may not write to, nobody of ours works
        return False
