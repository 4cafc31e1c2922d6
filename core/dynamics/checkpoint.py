"""A run's state on disk: one file, replaced at once, that tells whose it is and whether it is whole."""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.dynamics.files import write_atomically
from core.dynamics.protocol import Protocol
from core.dynamics.state import Arrays
from core.dynamics.system import System
from core.errors import CheckpointError
from core.potentials import Potential

CHECKPOINT_FILE: Final = "checkpoint.npz"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """Arrays and numbers of `core.dynamics.state.RunState`."""

    arrays: Arrays
    numbers: dict[str, Any]


def fingerprint(system: System, potential: Potential, protocol: Protocol, seed: int) -> dict[str, Any]:
    """Return all that decides a run: two that agree in it are the same run."""
    digest = hashlib.sha256()
    for values in (system.atoms.numbers, system.atoms.positions, system.atoms.cell.array):
        digest.update(np.ascontiguousarray(values, dtype=np.float64).tobytes())
    return {
        "atoms": digest.hexdigest(),
        "working ion": system.working_ion,
        "potential": f"{potential.name} {potential.card.sha256} {potential.dtype}",
        "protocol": protocol.to_dict(),
        "seed": seed,
        "device": potential.device.split(":")[0],
    }


def save_checkpoint(folder: Path, owner: dict[str, Any], checkpoint: Checkpoint) -> None:
    """Replace the folder's checkpoint at once; raise `CheckpointError` and leave the old one if the disk is full."""
    about = json.dumps({"format": FORMAT, "owner": owner, "numbers": checkpoint.numbers})
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {"about": np.array(about), **checkpoint.arrays}
    np.savez(buffer, **arrays)
    write_atomically(folder / CHECKPOINT_FILE, buffer.getvalue())


def load_checkpoint(folder: Path, owner: dict[str, Any]) -> Checkpoint | None:
    """Return the folder's checkpoint, or None where there is none.

    Raises `CheckpointError` for one that is damaged or of another run (other atoms, potential, protocol, seed, device
    class); the file is left as it is.
    """
    path = folder / CHECKPOINT_FILE
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        about = json.loads(str(arrays.pop("about")))
        found, numbers = about["owner"], about["numbers"]
        if about["format"] != FORMAT:
            raise ValueError(f"its format is {about['format']}, this version reads {FORMAT}")
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise damaged(folder, error) from error
    if foreign := [name for name in owner if found.get(name) != owner[name]]:
        raise CheckpointError(
            f"{path} belongs to another run: it differs in {', '.join(foreign)}. It was left as it is; give this run "
            "an empty folder, or start the other one to go on with it."
        )
    return Checkpoint(arrays=arrays, numbers=numbers)


def damaged(folder: Path, error: Exception) -> CheckpointError:
    """Return what to raise for a checkpoint that cannot be read."""
    return CheckpointError(
        f"{folder / CHECKPOINT_FILE} is damaged ({error}). It was left as it is; restore it, or start in an empty "
        "folder."
    )
