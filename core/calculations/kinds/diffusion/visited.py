"""Where the ions have been: their positions folded back into the crystal's own cell, for a picture."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.artifacts import write_bytes
from core.records import FloatArray
from core.transport import Trajectory, framework_frame

VISITED_FILE: Final = "path.npz"
MAX_POINTS: Final = 12_000
"""Enough for a cloud; three single-precision numbers each are 144 kB."""


def visited(
    trajectory: Trajectory, *, ideal_frac: FloatArray, supercell_matrix: NDArray[np.int64], ion: str,
    max_points: int = MAX_POINTS,
) -> NDArray[np.float32]:  # fmt: skip
    """Return fractional positions of `ion` in the crystal's own cell, (n, 3) in [0, 1), of evenly spaced frames.

    `ideal_frac`: (n_atoms, 3) sites before the run in fractions of the crystal's cell; `supercell_matrix` times its
    lattice vectors gives the supercell's. The framework is laid on its sites, so that the cloud fits the crystal.
    """
    is_ion = np.array([symbol == ion for symbol in trajectory.species])
    to_unit = np.linalg.inv(trajectory.mean_cell_a) @ supercell_matrix
    frac = framework_frame(trajectory, ion) @ to_unit
    stride = max(-(-len(frac) * int(is_ion.sum()) // max_points), 1)
    points = frac[::stride][:, is_ion].reshape(-1, 3) - _shift(frac[:, ~is_ion] - ideal_frac[~is_ion])
    single = (points % 1.0).astype(np.float32)
    return np.where(single < 1.0, single, np.float32(0.0))


def write_visited(folder: Path, points: NDArray[np.float32]) -> None:
    """Keep the points with the run's result."""
    stream = io.BytesIO()
    np.savez_compressed(stream, path_points=points)
    write_bytes(folder / VISITED_FILE, stream.getvalue())


def read_visited(read_file: Callable[[str], bytes | None]) -> NDArray[np.float32] | None:
    """Return a finished run's points from its files, (n, 3) fractions of the crystal's cell; None where it has none."""
    content = read_file(VISITED_FILE)
    if content is None:
        return None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            points: NDArray[np.float32] = stored["path_points"]
    except (OSError, ValueError, KeyError, BadZipFile):
        return None
    return points


def _shift(misses: FloatArray) -> FloatArray:
    """Mean of fractional misses (n_frames, n_atoms, 3) on the circle: whole cells more or less are the same site."""
    return np.asarray(np.angle(np.exp(2j * np.pi * misses).mean(axis=(0, 1))) / (2 * np.pi))
