"""A molten framework, motion that is not diffusion, runs too short, broken frames, too few temperatures.

More about trajectories that give no value is in `tests/transport/test_diffusivity.py` and
`tests/transport/test_conductivity.py`.
"""

import numpy as np
import pytest

from core.errors import (
    FrameSequenceError,
    NonFiniteFrameError,
    TooFewTemperaturesError,
    TransportError,
)
from core.transport import Trajectory, arrhenius, measure

FRAMES = 300
CELL_A = 12.0 * np.eye(3)


def moving(mobile_step_a: float, framework_step_a: float = 0.0, *, n_frames: int = FRAMES) -> Trajectory:
    """Four Mg and eight O that vibrate around random sites and walk by normal steps; 0.1 ps a frame."""
    rng = np.random.default_rng(0)
    step_a = np.where(np.arange(12) < 4, mobile_step_a, framework_step_a)[:, None]
    walk_a = np.cumsum(rng.normal(0, 1, (n_frames, 12, 3)) * step_a, axis=0)
    frac = rng.random((12, 3)) + (walk_a + rng.normal(0, 0.15, walk_a.shape)) / 12.0
    return trajectory(frac % 1.0)


def trajectory(frac, step=None, cell_a=CELL_A, time_step_fs=1.0) -> Trajectory:
    step = 100 * np.arange(len(frac)) if step is None else step
    return Trajectory(
        species=("Mg",) * 4 + ("O",) * 8, step=step, time_step_fs=time_step_fs, frac=frac, cell_a=cell_a
    )


def test_sound_motion_has_a_value():
    assert measure([moving(0.15)], "Mg").verdict == "diffusive"


def test_a_melted_framework_has_no_value():
    result = measure([moving(0.15, 0.15)], "Mg")
    assert result.verdict == "framework melted" and result.reason.startswith("O of the framework")
    assert result.d_cm2_per_s is None and result.d_high_cm2_per_s is None


def test_bounded_motion_has_an_upper_limit_only():
    result = measure([moving(0.0)], "Mg")
    assert result.verdict == "upper limit"
    assert result.d_cm2_per_s is None and result.d_low_cm2_per_s is None and result.d_high_cm2_per_s > 0


@pytest.mark.parametrize("n_frames", [5, 50, 99])
def test_too_short_is_not_diffusive(n_frames):
    result = measure([moving(0.15, n_frames=n_frames)], "Mg")
    assert result.verdict == "too short" and "Run longer" in result.reason
    assert result.d_cm2_per_s is None and result.d_high_cm2_per_s is None


def test_many_frames_of_a_short_time_are_too_short():
    frac = moving(0.15).frac
    assert measure([trajectory(frac, time_step_fs=0.1)], "Mg").verdict == "too short"


@pytest.mark.parametrize(
    ("kind", "keep"),
    [("missing", [0, 1, 2, 4, 5, 6]), ("doubled", [0, 1, 2, 2, 3, 4]), ("out of order", [0, 1, 2, 1, 2, 3])],
)
def test_uneven_frames_are_refused(kind, keep):
    frac, step = moving(0.1).frac, 100 * np.arange(FRAMES)
    with pytest.raises(FrameSequenceError, match=f"Frames are {kind} between steps"):
        trajectory(frac[keep], step[keep])


def test_a_frame_written_twice_under_two_numbers_is_refused():
    frac = moving(0.1).frac
    frac[7] = frac[6]
    with pytest.raises(FrameSequenceError, match="doubled between steps 600 and 700"):
        trajectory(frac)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_is_refused(value):
    frac = moving(0.1).frac
    frac[20:, 3, 1] = value
    with pytest.raises(
        NonFiniteFrameError, match="280 of 300 frames hold NaN or infinity, the first is frame 20"
    ):
        trajectory(frac)
    cells = np.repeat(CELL_A[None], FRAMES, axis=0)
    cells[5, 0, 0] = value
    with pytest.raises(NonFiniteFrameError, match="frame 5"):
        trajectory(moving(0.1).frac, cell_a=cells)
    with pytest.raises(NonFiniteFrameError):
        trajectory(moving(0.1).frac, cell_a=np.full((3, 3), value))


def test_shapes_and_cells_that_do_not_fit_are_refused():
    frac = moving(0.1).frac
    with pytest.raises(TransportError, match="do not fit 300 step numbers"):
        trajectory(frac[:, :11], 100 * np.arange(FRAMES))
    with pytest.raises(TransportError, match="do not fit"):
        trajectory(frac, cell_a=CELL_A[:2])
    with pytest.raises(TransportError, match="four frames"):
        trajectory(frac[:3])
    with pytest.raises(TransportError, match="positive step"):
        trajectory(frac, time_step_fs=0.0)
    with pytest.raises(TransportError, match="at least 1 is needed"):
        trajectory(frac, cell_a=0 * CELL_A)


@pytest.mark.parametrize("temperature_k", [(1200.0,), (800.0, 1200.0), (800.0, 1200.0, 1200.0, 800.0)])
def test_one_or_two_temperatures_have_no_barrier(temperature_k):
    d = np.full(len(temperature_k), 1e-5)
    with pytest.raises(TooFewTemperaturesError, match="needs 3 or more"):
        arrhenius(temperature_k, d, 0.1 * d)
