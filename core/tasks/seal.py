"""What a worker vouches for: the SHA-256 of a run's question, answer and kept files, in `seal.json` beside them.

It tells what was edited, cut or swapped since, by accident or by hand; it is no signature. Runs that are older than
seals have none: nobody can say more of them than what stands there.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from core.artifacts import write_json
from core.provenance import sha256_of_file

SEAL_FILE: Final = "seal.json"


def seal(folder: Path, files: Iterable[str], result: bytes) -> None:
    """Write down the hashes of files that are there, and of the `result.json` that comes next.

    In this order a run that dies in between has no result rather than one without a seal.
    """
    hashes = {name: sha256_of_file(folder / name) for name in files if (folder / name).is_file()}
    hashes["result.json"] = hashlib.sha256(result).hexdigest()
    write_json(folder / SEAL_FILE, {"run": folder.name, "sha256": hashes})


def is_sealed(folder: Path) -> bool:
    """Return whether a run has a seal."""
    return (folder / SEAL_FILE).is_file()


def broken(folder: Path) -> str | None:
    """Return what no longer is as the worker left it, None where all is, or where there is no seal."""
    if not is_sealed(folder):
        return None
    try:
        content = json.loads((folder / SEAL_FILE).read_text(encoding="utf-8"))
        name, hashes = str(content["run"]), dict(content["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"its {SEAL_FILE} cannot be read ({error})"
    if name != folder.name:
        return f"its folder was called {name} when it was sealed; call it so again"
    for file, expected in hashes.items():
        found = _hash(folder / file)
        if found is None:
            return f"{file} is gone, which belongs to it"
        if found != expected:
            return f"{file} was changed after it was written (SHA-256 {found[:12]}..., sealed {expected[:12]}...)"
    return None


def _hash(path: Path) -> str | None:
    try:
        stat = path.stat()
        return _hash_of(path, stat.st_mtime_ns, stat.st_size, stat.st_ino)
    except OSError:
        return None


@lru_cache(maxsize=4096)
def _hash_of(path: Path, mtime_ns: int, size: int, inode: int) -> str:
    """Kept, since pages look again and again."""
    return sha256_of_file(path)
