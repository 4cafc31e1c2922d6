"""Files written whole or not at all, locks that die with their holder, and weights with their card: each done once.

with replacing(path) as partial:      # write to `partial`; it takes the place of `path` at the end, or never
    np.savez(partial, ...)
write_json(path, content)
with locked(path) as is_ours: ...
card = write_weights(folder, name, arrays, card)          # NAME.safetensors, NAME.json with its SHA-256
arrays = read_weights(folder, name, card["sha256"])       # nothing is unpickled
"""

import errno
import json
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from filelock import FileLock, Timeout

from core.errors import ModelError
from core.provenance import sha256_of_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays: TypeAlias = "dict[str, NDArray[Any]]"

_MODE: Final = 0o644
_RESTORE: Final = "Restore it from git, or make it anew."
_PICKLE_STARTS: Final = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""A zip archive, as torch pickles into, and the protocols of a bare pickle."""


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


def is_full(error: OSError) -> bool:
    """Return whether a write failed because the disk, the user's share of it, or the size of a file is at its limit."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def why_not_written(path: Path, error: OSError) -> str:
    """Return in words why a file could not be written: of a full disk where it is mounted and what is free."""
    if error.errno == errno.EFBIG:
        return f"no file may grow further here than {path.name} did (`ulimit -f`)"
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return str(error.strerror or error)
    there = next(it for it in (path.absolute(), *path.absolute().parents) if it.is_dir())
    disk, mount = shutil.disk_usage(there), next(it for it in (there, *there.parents) if it.is_mount())
    what = "the disk" if error.errno == errno.ENOSPC else "your share of the disk"
    return f"{what} at {mount} is full, {disk.free / 1e6:.1f} of {disk.total / 1e6:.0f} MB are free"


def overwrite(path: Path, content: bytes) -> None:
    """Write over a file that is there, in place: a few lines find room so on a full disk, though not whole for sure."""
    with path.open("r+b") as stream:
        stream.write(content)
        stream.truncate()


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


def write_weights(
    folder: Path, name: str, arrays: "Mapping[str, NDArray[Any]]", card: Mapping[str, Any]
) -> dict[str, Any]:
    """Write `NAME.safetensors`, then `NAME.json` with `name` and `sha256` added, and return that card.

    The card goes last: where the process dies between the two, the hash does not fit and readers say so.
    """
    import numpy as np
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    with replacing(path) as partial:
        save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, partial)
    whole = {"name": name, **card, "sha256": sha256_of_file(path)}
    write_json(folder / f"{name}.json", whole)
    return whole


def read_card(
    folder: Path, name: str, *, required: Iterable[str] = (), remedy: str = _RESTORE
) -> dict[str, Any]:
    """Return the object of `NAME.json`; one that is missing, garbled or without a required field is a `ModelError`."""
    path = folder / f"{name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"The card {path.name} of {name!r} is missing in {folder.name}/. {remedy}") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"The card {path.name} cannot be read ({error}). {remedy}") from None
    if not isinstance(content, dict):
        raise ModelError(f"The card {path.name} cannot be read (it is no JSON object). {remedy}")
    missing = [key for key in required if key not in content]
    if missing:
        raise ModelError(f"The card {path.name} cannot be read (it lacks {', '.join(missing)}). {remedy}")
    return content


def read_weights(
    folder: Path, name: str, sha256: str, *, required: Iterable[str] = (), remedy: str = _RESTORE
) -> Arrays:
    """Return the arrays of `NAME.safetensors` after the check of its hash; nothing is unpickled.

    Raises `ModelError` for a file that is missing, pickled, damaged, of another card, or without a required array.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / f"{name}.safetensors"
    if not path.is_file():
        raise ModelError(f"The weights {path.name} are missing. {remedy}")
    with path.open("rb") as stream:
        if stream.read(4).startswith(_PICKLE_STARTS):
            raise ModelError(
                f"{path.name} is a pickled file, which could run code when it is read; only safetensors is taken. "
                f"{remedy}"
            )
    digest = sha256_of_file(path)
    if digest != sha256:
        raise ModelError(
            f"{path.name} has SHA-256 {digest[:12]}..., its card says {str(sha256)[:12]}...: damaged or of another "
            f"version. {remedy}"
        )
    try:
        arrays: Arrays = load_file(path)
    except (SafetensorError, ValueError) as error:
        raise ModelError(f"{path.name} is not a safetensors file ({error}). {remedy}") from None
    missing = [key for key in required if key not in arrays]
    if missing:
        raise ModelError(f"{path.name} lacks {', '.join(missing[:5])}: of another version. {remedy}")
    return arrays
