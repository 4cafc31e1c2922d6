"""Frames of a run on disk: a small JSON header and one flat file of single-precision numbers that can be streamed.

A frame is 9 numbers of the cell (lattice vectors as rows, angstrom) and 3 n of unwrapped Cartesian positions
(angstrom), little-endian. Frame k is that of step k * `frame_steps`; the first `n_npt_frames` are of settling and NPT.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase import Atoms
from ase.io.extxyz import write_extxyz as write_ase_frames
from numpy.typing import NDArray

from core.dynamics.files import cannot_write, write_atomically
from core.errors import CheckpointError
from core.units import FS_PER_PS

HEADER_FILE: Final = "trajectory.json"
FRAMES_FILE: Final = "trajectory.f32"
FORMAT: Final = 1
_FLOAT: Final = np.dtype("<f4")

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the flat file does not say of itself."""

    species: tuple[str, ...]
    time_step_fs: float
    frame_steps: int
    n_npt_frames: int

    @property
    def frame_bytes(self) -> int:
        """Size of a frame."""
        return (9 + 3 * len(self.species)) * _FLOAT.itemsize

    def to_json(self) -> str:
        """Return the header file's text."""
        return json.dumps(
            {
                "format": FORMAT,
                "species": list(self.species),
                "time_step_fs": self.time_step_fs,
                "frame_steps": self.frame_steps,
                "n_npt_frames": self.n_npt_frames,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frames:
    """Frames of a run: `step` (f,), `phase` (f,) of "npt" or "nvt", `cell_a` (f, 3, 3), `positions_a` (f, n, 3).

    Positions are Cartesian and unwrapped: they go on where an atom leaves the cell. Lengths in angstrom.
    """

    species: tuple[str, ...]
    step: NDArray[np.int64]
    time_step_fs: float
    cell_a: Floats32
    positions_a: Floats32
    phase: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.step)

    @property
    def time_ps(self) -> NDArray[np.float64]:
        """Simulated time of each frame."""
        return np.asarray(self.step * self.time_step_fs / FS_PER_PS, dtype=np.float64)

    def production(self) -> "Frames":
        """Return the NVT frames alone: those that are measured."""
        return self.select(np.flatnonzero(self.phase == "nvt"))

    def select(self, indices: NDArray[np.int64]) -> "Frames":
        """Return the frames of these indices."""
        return Frames(
            species=self.species, step=self.step[indices], time_step_fs=self.time_step_fs,
            cell_a=self.cell_a[indices], positions_a=self.positions_a[indices], phase=self.phase[indices],
        )  # fmt: skip

    def atoms(self, index: int) -> Atoms:
        """Return one frame as ASE atoms with phase and time (ps) in `info`."""
        info = {"phase": str(self.phase[index]), "time_ps": float(self.time_ps[index])}
        cell, positions = self.cell_a[index].astype(float), self.positions_a[index].astype(float)
        return Atoms(self.species, positions=positions, cell=cell, pbc=True, info=info)


class TrajectoryWriter:
    """Appends frames in batches; opened anew with `n_frames` it cuts off what came after that many.

    Raises `CheckpointError` for a disk that takes no more, and for a file that holds
    fewer than `n_frames`.
    """

    def __init__(self, folder: Path, header: Header, *, n_frames: int = 0) -> None:
        self._path = folder / FRAMES_FILE
        self._waiting: list[bytes] = []
        if n_frames == 0:
            write_atomically(folder / HEADER_FILE, header.to_json().encode())
            write_atomically(self._path, b"")
        else:
            self._cut(n_frames, header)

    def append(self, atoms: Atoms) -> None:
        """Take up a frame, to be written with the next `flush`."""
        self._waiting.append(
            atoms.cell.array.astype(_FLOAT).tobytes() + atoms.positions.astype(_FLOAT).tobytes()
        )

    def flush(self, *, to_disk: bool = False) -> None:
        """Write the frames taken up since the last time, for others to see; `to_disk` waits until power may fail."""
        if not (self._waiting or to_disk):
            return
        try:
            with self._path.open("ab") as stream:
                stream.write(b"".join(self._waiting))
                stream.flush()
                if to_disk:
                    os.fsync(stream.fileno())
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._waiting.clear()

    def _cut(self, n_frames: int, header: Header) -> None:
        size = self._path.stat().st_size if self._path.exists() else 0
        wanted = n_frames * header.frame_bytes
        if size < wanted:
            raise CheckpointError(
                f"{FRAMES_FILE} in {self._path.parent} holds {size // header.frame_bytes} frames, its checkpoint "
                f"counts {n_frames}: it was cut or replaced. Restore it, or start the run in an empty folder."
            )
        os.truncate(self._path, wanted)


def read_trajectory(folder: Path) -> Frames:
    """Return the frames on disk, of a run at work too (whole frames only). Raises `CheckpointError`."""
    header = _read_header(folder / HEADER_FILE)
    path = folder / FRAMES_FILE
    try:
        raw = np.fromfile(path, dtype=_FLOAT)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read ({error.strerror}): restore it or run again."
        ) from error
    numbers = header.frame_bytes // _FLOAT.itemsize
    n_frames = len(raw) // numbers
    table = raw[: n_frames * numbers].reshape(n_frames, numbers)
    return Frames(
        species=header.species,
        step=np.arange(n_frames, dtype=np.int64) * header.frame_steps,
        time_step_fs=header.time_step_fs,
        cell_a=table[:, :9].reshape(n_frames, 3, 3),
        positions_a=table[:, 9:].reshape(n_frames, len(header.species), 3),
        phase=np.where(np.arange(n_frames) < header.n_npt_frames, "npt", "nvt"),
    )


def write_extxyz(folder: Path, target: Path) -> int:
    """Write a run's frames as extended XYZ, which most programs read; return how many there were."""
    frames = read_trajectory(folder)
    with target.open("w", encoding="utf-8") as stream:
        for index in range(len(frames)):
            write_ase_frames(stream, [frames.atoms(index)])
    return len(frames)


def _read_header(path: Path) -> Header:
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if stored.pop("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        return Header(**stored | {"species": tuple(stored["species"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is absent or damaged ({error}): restore it or run again.") from error
