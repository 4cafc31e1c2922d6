"""The working ions' own mean-square displacements, which pooling seeds needs: kept with the result, unlike frames."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np

from core.artifacts import write_bytes
from core.transport import MeanSquareDisplacement

DISPLACEMENTS_FILE: Final = "displacements.npz"


def write_displacements(folder: Path, msd: MeanSquareDisplacement) -> None:
    """Keep the displacements of each ion along each axis, in single precision."""
    stream = io.BytesIO()
    np.savez_compressed(
        stream, species=np.array(msd.species), frame_ps=msd.frame_ps, n_frames=msd.n_frames,
        lag_frames=msd.lag_frames, ion_axis_a2=msd.ion_axis_a2.astype(np.float32),
    )  # fmt: skip
    write_bytes(folder / DISPLACEMENTS_FILE, stream.getvalue())


def read_displacements(read_file: Callable[[str], bytes | None]) -> MeanSquareDisplacement | None:
    """Return what `write_displacements` kept, from a calculation's files; None where there is nothing sound."""
    content = read_file(DISPLACEMENTS_FILE)
    if content is None:
        return None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return MeanSquareDisplacement(
                species=str(stored["species"]), frame_ps=float(stored["frame_ps"]), n_frames=int(stored["n_frames"]),
                lag_frames=stored["lag_frames"], ion_axis_a2=stored["ion_axis_a2"].astype(np.float64),
            )  # fmt: skip
    except (OSError, ValueError, KeyError, BadZipFile):
        return None
