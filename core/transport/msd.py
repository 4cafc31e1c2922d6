"""Mean-square displacement over all time origins, for each ion and axis, by fast Fourier transform."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import TransportError
from core.records import FloatArray
from core.transport.trajectory import Trajectory, framework_frame

MAX_LAGS = 64
"""Points of a curve: enough for the eye and the fit, few enough for a covariance that can be inverted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeanSquareDisplacement:
    """Mean-square displacement of one species over all time origins, kept apart by ion and axis.

    `lag_frames`: (n_lags,) growing, from 1 to at most half of `n_frames`; `ion_axis_a2`: (n_lags, n_ions, 3) in square
    angstrom. Ions of several runs may stand side by side (`pool`): each is one witness.
    """

    species: str
    frame_ps: float
    n_frames: int
    lag_frames: NDArray[np.int64]
    ion_axis_a2: FloatArray

    def __post_init__(self) -> None:
        if self.ion_axis_a2.shape[::2] != (len(self.lag_frames), 3) or not self.ion_axis_a2.shape[1]:
            raise TransportError(
                f"{self.species}: displacements of shape {self.ion_axis_a2.shape} for {len(self.lag_frames)} lags; "
                "(n_lags, n_ions, 3) with at least one ion is needed."
            )

    @property
    def n_ions(self) -> int:
        """Number of ions, over all pooled runs."""
        return int(self.ion_axis_a2.shape[1])

    @property
    def lag_ps(self) -> FloatArray:
        """Lag times, (n_lags,), picoseconds."""
        return np.asarray(self.lag_frames * self.frame_ps, dtype=np.float64)

    @property
    def duration_ps(self) -> float:
        """Length of one run, picoseconds."""
        return (self.n_frames - 1) * self.frame_ps

    @property
    def axis_a2(self) -> FloatArray:
        """Mean over ions along each axis, (n_lags, 3), square angstrom."""
        return np.asarray(self.ion_axis_a2.mean(axis=1), dtype=np.float64)

    @property
    def total_a2(self) -> FloatArray:
        """Mean over ions of the sum over axes, (n_lags,), square angstrom."""
        return np.asarray(self.axis_a2.sum(axis=1), dtype=np.float64)


def lag_grid(n_frames: int, max_lags: int = MAX_LAGS) -> NDArray[np.int64]:
    """Return at most `max_lags` whole lags from 1 to half of the run, spaced evenly in their logarithm."""
    return np.unique(np.geomspace(1, max(n_frames // 2, 1), max_lags).round().astype(np.int64))


def mean_square_displacement(
    positions_a: FloatArray, *, frame_ps: float, species: str = "", axes: FloatArray | None = None
) -> MeanSquareDisplacement:
    """Return the MSD of unwrapped positions, (n_frames, n_ions, 3) angstrom, along x, y, z or the rows of `axes`.

    MSD(i) = mean over origins m of (x_(m+i) - x_m)^2 = S1(i) - 2 S2(i): S1 from running sums of squares, S2 the
    autocorrelation by FFT, O(n log n) (doi:10.1051/sfn/201112010). Raises `TransportError` for under four frames or
    `axes` that are not three orthonormal rows.
    """
    if positions_a.ndim != 3 or positions_a.shape[2] != 3 or len(positions_a) < 4:
        raise TransportError(
            f"positions of shape {positions_a.shape}; (n_frames, n_ions, 3) with four frames or more."
        )
    if axes is not None:
        if axes.shape != (3, 3) or not np.allclose(axes @ axes.T, np.eye(3), atol=1e-6):
            raise TransportError("axes must be three orthonormal rows; leave them out for x, y and z.")
        positions_a = positions_a @ axes.T
    lags = lag_grid(len(positions_a))
    return MeanSquareDisplacement(
        species=species, frame_ps=frame_ps, n_frames=len(positions_a), lag_frames=lags,
        ion_axis_a2=_by_fft(positions_a, lags),
    )  # fmt: skip


def species_msd(
    trajectory: Trajectory, mobile: str, *, axes: FloatArray | None = None
) -> dict[str, MeanSquareDisplacement]:
    """Return the MSD of every species in the frame of the framework (all atoms that are not `mobile`)."""
    positions_a = framework_frame(trajectory, mobile)
    symbols = np.array(trajectory.species)
    return {
        species: mean_square_displacement(
            positions_a[:, symbols == species], frame_ps=trajectory.frame_ps, species=species, axes=axes
        )
        for species in dict.fromkeys(trajectory.species)
    }


def pool(runs: Sequence[MeanSquareDisplacement]) -> MeanSquareDisplacement:
    """Return one MSD with the ions of several runs (seeds) of equal length side by side.

    Raises `TransportError` where species, frame spacing or length differ, or there is no run.
    """
    kinds = {(run.species, round(run.frame_ps, 9), run.n_frames) for run in runs}
    if len(kinds) != 1:
        raise TransportError(
            f"runs of {len(kinds)} kinds (species, ps a frame, frames): {sorted(kinds)}; pool equal ones."
        )
    return MeanSquareDisplacement(
        species=runs[0].species, frame_ps=runs[0].frame_ps, n_frames=runs[0].n_frames,
        lag_frames=runs[0].lag_frames, ion_axis_a2=np.concatenate([run.ion_axis_a2 for run in runs], axis=1),
    )  # fmt: skip


def _by_fft(positions_a: FloatArray, lags: NDArray[np.int64]) -> FloatArray:
    n = len(positions_a)
    x = positions_a - positions_a.mean(axis=0)  # smaller numbers cancel less
    spectrum = np.fft.rfft(x, 2 * n, axis=0)
    products = np.fft.irfft(np.abs(spectrum) ** 2, 2 * n, axis=0)[lags]
    running = np.concatenate([np.zeros((1, *x.shape[1:])), np.cumsum(x**2, axis=0)])
    squares = running[n - lags] + running[n] - running[lags]
    msd_a2 = np.maximum((squares - 2 * products) / (n - lags)[:, None, None], 0.0)
    return np.asarray(msd_a2, dtype=np.float64)
