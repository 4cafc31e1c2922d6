"""Motions whose truth is known: free, hopping, bound, subdiffusive and ballistic; (n_frames, n_ions, 3), angstrom."""

import numpy as np
from scipy.signal import lfilter

from core.transport import MeanSquareDisplacement, Trajectory, mean_square_displacement

FRAME_PS = 0.1
FRAMES = 400
TRICLINIC_A = np.array([[14.0, 0.0, 0.0], [-5.0, 13.0, 0.0], [3.0, -4.0, 12.0]])


def brownian(rng, *, n_frames=FRAMES, n_ions=16, d_a2_per_ps=0.1, axes=(1.0, 1.0, 1.0)):
    """A free walk with the same D along every axis that `axes` marks with 1."""
    steps = rng.normal(0, np.sqrt(2 * d_a2_per_ps * FRAME_PS), (n_frames, n_ions, 3))
    return np.cumsum(steps * np.array(axes), axis=0)


def hopping(rng, *, n_frames=FRAMES, n_ions=16, hops_per_ion=3.0, hop_a=3.0):
    """Rare jumps along x, y or z at random times; D = hop_a^2 hops_per_ion / (6 run length)."""
    forth, back = rng.poisson(hops_per_ion / n_frames / 6, (2, n_frames, n_ions, 3))
    return np.cumsum(hop_a * (forth - back), axis=0)


def bound(rng, *, n_frames=FRAMES, n_ions=16, width_a=0.25, relax_ps=0.1):
    """Ornstein-Uhlenbeck motion around a site: MSD 6 width^2 (1 - exp(-t / relax)), no diffusion at all."""
    keep = np.exp(-FRAME_PS / relax_ps)
    kicks = rng.normal(0, width_a * np.sqrt(1 - keep**2), (n_frames, n_ions, 3))
    kicks[0] = rng.normal(0, width_a, (n_ions, 3))
    return lfilter([1.0], [1.0, -keep], kicks, axis=0)


def subdiffusive(rng, *, n_frames=FRAMES, n_ions=16, exponent=0.5, msd_1ps_a2=2.0):
    """Fractional Brownian motion, MSD = msd_1ps t^exponent, by circulant embedding of its increments."""
    k = np.arange(n_frames)
    covariance = 0.5 * (np.abs(k - 1.0) ** exponent + (k + 1.0) ** exponent - 2.0 * k**exponent)
    ring = np.concatenate([covariance, covariance[-2:0:-1]])
    amplitude = np.sqrt(np.maximum(np.fft.fft(ring).real, 0.0) / len(ring))
    noise = rng.normal(size=(2, len(ring), n_ions, 3))
    steps = np.fft.fft(amplitude[:, None, None] * (noise[0] + 1j * noise[1]), axis=0).real[:n_frames]
    return np.cumsum(steps, axis=0) * np.sqrt(msd_1ps_a2 / 3 * FRAME_PS**exponent)


def ballistic(rng, *, n_frames=FRAMES, n_ions=16, speed_a_per_ps=1.0, memory_ps=20.0):
    """Velocities that are forgotten only after `memory_ps`: MSD grows as t^2 before."""
    velocities = bound(rng, n_frames=n_frames, n_ions=n_ions, width_a=speed_a_per_ps, relax_ps=memory_ps)
    return np.cumsum(velocities, axis=0) * FRAME_PS


def msd_of(positions_a) -> MeanSquareDisplacement:
    return mean_square_displacement(positions_a, frame_ps=FRAME_PS, species="Mg")


def in_cell(
    mobile_a, framework_a, cell_a, *, drift_a=None, wrap=True, strain=None, framework="O"
) -> Trajectory:
    """Put Mg and framework atoms, moves from random sites, in a cell that drifts and may breathe by `strain`."""
    moves = np.concatenate([mobile_a, framework_a], axis=1)
    if drift_a is not None:
        moves = moves + drift_a[:, None]
    cells = cell_a if strain is None else cell_a * (1 + strain[:, None, None])
    steps = np.diff(moves, axis=0, prepend=moves[:1])
    frac = np.cumsum(steps @ np.linalg.inv(cells), axis=0)
    frac += np.random.default_rng(5).random((1, moves.shape[1], 3))
    return Trajectory(
        species=("Mg",) * mobile_a.shape[1] + (framework,) * framework_a.shape[1],
        step=np.arange(len(moves)) * 50, time_step_fs=1000 * FRAME_PS / 50,
        frac=frac % 1.0 if wrap else frac, cell_a=cells,
    )  # fmt: skip
