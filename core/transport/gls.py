"""Generalised least squares through an MSD curve, with the scatter between ions as the second witness of its error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from core.records import FloatArray
from core.transport.covariance import lag_covariance

ITERATIONS = 4
SMALLEST_A2 = 1e-9
"""Step and vibration variances are held above this, so that a motionless axis still has a covariance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineFit:
    """MSD = offset + slope * lag with lag in frames; slope in square angstrom a frame, offset in square angstrom.

    `covariance`: (n_lags, n_lags), angstrom^4, of the MSD averaged over ions. `dof`: degrees of freedom of `slope_std`:
    large where theory gives it, near the number of ions less one where their scatter does.
    """

    slope: float
    slope_std: float
    offset: float
    covariance: FloatArray
    dof: float

    @property
    def slope_z(self) -> float:
        """Slope in units of its own error."""
        return self.slope / self.slope_std


def fit_line(lag_frames: NDArray[np.int64], ion_axis_a2: FloatArray, n_frames: int) -> LineFit:
    """Fit a line to the MSD summed over axes, (n_lags, n_ions >= 2, n_axes) square angstrom, of a run of `n_frames`.

    Minimises (y - X b)' C^-1 (y - X b); C is the analytic covariance (`core.transport.covariance`), which depends on
    the line, so that the fit is iterated. The jump part of C is set so that the error of the slope is never below what
    the scatter of the single ions' slopes shows: rare jumps and unequal ions widen it.
    """
    parts = lag_covariance(lag_frames, n_frames)
    n_ions = ion_axis_a2.shape[1]
    design = np.stack([lag_frames, np.ones(len(lag_frames))], axis=1)
    ion_a2, mean_a2 = ion_axis_a2.sum(axis=2), ion_axis_a2.mean(axis=1)
    lines = linear_map(design, np.diag(np.square(lag_frames, dtype=float))) @ mean_a2
    jumps_a4 = 0.0
    for _ in range(ITERATIONS):
        steps_a2, vibrations_a2 = np.maximum(lines * np.array([[1.0], [0.5]]), SMALLEST_A2)
        gaussian = sum(parts.gaussian(*pair) for pair in zip(steps_a2, vibrations_a2, strict=True))
        weights = linear_map(design, gaussian + jumps_a4 * parts.jumps)
        lines = weights @ mean_a2
        excess_a4 = (weights[0] @ ion_a2).var(ddof=1) - weights[0] @ gaussian @ weights[0]
        jumps_a4 = max(excess_a4, 0.0) / (weights[0] @ parts.jumps @ weights[0])
    theory = weights[0] @ gaussian @ weights[0]
    variance = theory + max(excess_a4, 0.0)
    return LineFit(
        slope=float(lines[0].sum()), slope_std=float(np.sqrt(variance / n_ions)), offset=float(lines[1].sum()),
        covariance=(gaussian + jumps_a4 * parts.jumps) / n_ions,
        dof=(n_ions - 1) / max(1.0 - theory / variance, 1e-3) ** 2,
    )  # fmt: skip


def bend_z(lag_frames: NDArray[np.int64], ion_a2: FloatArray, fit: LineFit) -> float:
    """Return how many errors the MSD bends away from its line: positive when it flattens, negative when it steepens.

    The line gets a third term, sqrt(lag), fitted with the line's own covariance; its coefficient over its error is a
    standard normal variate where the motion is diffusive. `ion_a2`: (n_lags, n_ions), square angstrom.
    """
    design = np.stack([np.sqrt(lag_frames), lag_frames, np.ones(len(lag_frames))], axis=1)
    weights = linear_map(design, fit.covariance)[0]
    bends = weights @ ion_a2
    scatter = bends.var(ddof=1) / len(bends)
    return float(bends.mean() / np.sqrt(max(weights @ fit.covariance @ weights, scatter)))


def linear_map(design: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return (X' C^-1 X)^-1 X' C^-1, (n_coefficients, n_lags): from MSD points to the best coefficients."""
    scale = np.sqrt(np.diag(covariance))
    # Neighbouring lags are nearly one: a ridge far below any error keeps the factor stable.
    correlation = covariance / np.outer(scale, scale) + 1e-10 * np.eye(len(scale))
    whitened = cho_solve(cho_factor(correlation), design / scale[:, None])
    return np.linalg.solve((design / scale[:, None]).T @ whitened, whitened.T) / scale
