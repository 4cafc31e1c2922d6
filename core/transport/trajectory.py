"""Frames of a simulation as arrays, checked; unwrapped through moving cells and freed of the framework's drift."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from core.errors import FrameSequenceError, NonFiniteFrameError, TransportError, UnwrapError
from core.records import FloatArray
from core.units import FS_PER_PS

MAX_JUMP = 0.4
"""Largest move between frames, as a fraction of the cell's smallest height; half of it is where the image is lost."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trajectory:
    """Evenly spaced frames of one run at equilibrium, with fractional positions wrapped or not.

    `frac`: (n_frames, n_atoms, 3). `cell_a`: (3, 3) or (n_frames, 3, 3), lattice vectors as rows, angstrom. `step`:
    (n_frames,) the integrator's step number of each frame. Raises `TransportError` for shapes that do not fit,
    `NonFiniteFrameError` for NaN and `FrameSequenceError` for missing, doubled or unordered frames.
    """

    species: tuple[str, ...]
    step: NDArray[np.int64]
    time_step_fs: float
    frac: FloatArray
    cell_a: FloatArray

    def __post_init__(self) -> None:
        n_frames, n_atoms = len(self.step), len(self.species)
        if self.frac.shape != (n_frames, n_atoms, 3) or self.cell_a.shape not in ((3, 3), (n_frames, 3, 3)):
            raise TransportError(
                f"positions {self.frac.shape} and cell {self.cell_a.shape} do not fit {n_frames} step numbers and "
                f"{n_atoms} species: ({n_frames}, {n_atoms}, 3) and (3, 3) or ({n_frames}, 3, 3) are needed."
            )
        if n_frames < 4 or not self.time_step_fs > 0:
            raise TransportError(
                f"{n_frames} frames of {self.time_step_fs} fs steps; four frames and a positive step are the least."
            )
        _check_finite(self.frac, self.cell_a)
        _check_sequence(self.step)
        _check_moving(self.frac, self.step)

    @property
    def frame_ps(self) -> float:
        """Time between frames, picoseconds."""
        return float(self.step[1] - self.step[0]) * self.time_step_fs / FS_PER_PS

    @property
    def mean_cell_a(self) -> FloatArray:
        """Lattice vectors averaged over the run, (3, 3), angstrom."""
        return self.cell_a if self.cell_a.ndim == 2 else self.cell_a.mean(axis=0)

    @property
    def mean_volume_a3(self) -> float:
        """Volume averaged over the run, cubic angstrom."""
        return float(np.abs(np.linalg.det(self.cell_a)).mean())


def unwrap(trajectory: Trajectory) -> FloatArray:
    """Return continuous positions in the run's mean cell, (n_frames, n_atoms, 3), angstrom.

    Fractional moves between frames take the nearest image, are added up and mapped once by the mean cell. An atom that
    rides on a breathing cell so stands still, and far atoms are not shaken by the cell's fluctuations: the trap of
    unwrapping with each frame's own cell (doi:10.1063/5.0008316). Lengths are right to second order in the strain.
    Raises `UnwrapError` where an atom moves too far between frames to tell its image.
    """
    first = trajectory.frac[:1].astype(
        float
    )  # files may hold single precision, in which sums of moves would drift
    moves = np.diff(trajectory.frac, axis=0).astype(float)
    moves -= np.round(moves)
    cell_a = trajectory.mean_cell_a
    height_a = 1.0 / np.linalg.norm(np.linalg.inv(cell_a), axis=0).max()
    lengths_a = np.linalg.norm(moves @ cell_a, axis=2)
    if lengths_a.max() > MAX_JUMP * height_a:
        frame, atom = np.unravel_index(lengths_a.argmax(), lengths_a.shape)
        raise UnwrapError(
            f"atom {atom} moves {lengths_a.max():.2f} angstrom before frame {frame + 1}; in a cell {height_a:.2f} "
            f"angstrom high at most {MAX_JUMP * height_a:.2f} can be told apart from its image. Save frames more often."
        )
    frac = np.concatenate([first, first + np.cumsum(moves, axis=0)])
    return frac @ cell_a


def framework_frame(trajectory: Trajectory, mobile: str) -> FloatArray:
    """Return unwrapped positions, (n_frames, n_atoms, 3) angstrom, relative to the framework's centre of mass.

    The framework is every atom that is not `mobile`. Its centre is weighted by mass: internal vibrations conserve
    momentum and leave that centre alone, where a plain mean would follow the light atoms' optical modes. Raises
    `TransportError` without mobile ions or without a framework.
    """
    is_framework = np.array([symbol != mobile for symbol in trajectory.species])
    if is_framework.all() or not is_framework.any():
        raise TransportError(
            f"{int((~is_framework).sum())} of {len(is_framework)} atoms are {mobile}: diffusion is measured for "
            "mobile ions against a framework, and needs both. Choose another mobile species."
        )
    masses = np.array([atomic_masses[atomic_numbers[symbol]] for symbol in trajectory.species])
    weights = np.where(is_framework, masses, 0.0)
    positions_a = unwrap(trajectory)
    centre_a = np.einsum("fax,a->fx", positions_a, weights / weights.sum())
    return np.asarray(positions_a - (centre_a - centre_a[0])[:, None], dtype=np.float64)


def _check_finite(frac: FloatArray, cell_a: FloatArray) -> None:
    n_frames = len(frac)
    bad = ~np.isfinite(frac.reshape(n_frames, -1)).all(axis=1)
    bad |= ~np.isfinite(np.broadcast_to(cell_a, (n_frames, 3, 3)).reshape(n_frames, 9)).all(axis=1)
    if bad.any():
        raise NonFiniteFrameError(int(bad.sum()), n_frames, int(bad.argmax()))
    if (volume_a3 := np.abs(np.linalg.det(cell_a)).min()) < 1.0:
        raise TransportError(f"a cell of {volume_a3:.3g} cubic angstrom; at least 1 is needed.")


def _check_sequence(step: NDArray[np.int64]) -> None:
    gaps = np.diff(step)
    stride = Counter(gaps.tolist()).most_common(1)[0][0]
    if stride > 0 and (gaps == stride).all():
        return
    at = int((gaps != max(stride, 1)).argmax())
    kind = "doubled" if gaps[at] == 0 else "out of order" if gaps[at] < 0 else "missing"
    raise FrameSequenceError(kind, int(step[at]), int(step[at + 1]), int(stride))


def _check_moving(frac: FloatArray, step: NDArray[np.int64]) -> None:
    same = (frac[1:] == frac[:-1]).all(axis=(1, 2))
    if same.any():
        at = int(same.argmax())
        raise FrameSequenceError("doubled", int(step[at]), int(step[at + 1]), int(step[1] - step[0]))
