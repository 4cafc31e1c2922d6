"""Mean-square displacement against the definition, its covariance against the sum behind it, and frames in cells."""

import numpy as np
import pytest

from core.errors import TransportError, UnwrapError
from core.transport import Trajectory, framework_frame, mean_square_displacement, pool, species_msd, unwrap
from core.transport.covariance import lag_covariance
from core.transport.msd import lag_grid
from tests.transport import walks


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_fft_gives_the_mean_over_all_origins(rng):
    x = walks.brownian(rng, n_frames=101, n_ions=3) + 1000.0
    msd = walks.msd_of(x)
    by_definition = [((x[lag:] - x[:-lag]) ** 2).mean(axis=0) for lag in msd.lag_frames]
    np.testing.assert_allclose(msd.ion_axis_a2, by_definition, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(msd.total_a2, np.sum(by_definition, axis=2).mean(axis=1))
    assert msd.lag_frames[-1] == 50 and msd.lag_ps[0] == walks.FRAME_PS
    assert msd.duration_ps == pytest.approx(10.0)


def test_axes_are_a_rotation_of_the_laboratory(rng):
    x = walks.brownian(rng, axes=(1.0, 0.0, 0.0))
    turn = np.array([[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    along_x, turned = walks.msd_of(x), mean_square_displacement(x, frame_ps=walks.FRAME_PS, axes=turn)
    np.testing.assert_allclose(turned.axis_a2[:, 0], 0.36 * along_x.axis_a2[:, 0], atol=1e-9)
    np.testing.assert_allclose(turned.total_a2, along_x.total_a2)
    with pytest.raises(TransportError, match="orthonormal"):
        mean_square_displacement(x, frame_ps=1.0, axes=2 * turn)


def test_positions_of_a_wrong_shape_are_refused(rng):
    for positions in (np.zeros((3, 2, 3)), np.zeros((10, 2)), np.zeros((10, 2, 2))):
        with pytest.raises(TransportError, match="n_frames, n_ions, 3"):
            mean_square_displacement(positions, frame_ps=1.0)
    with pytest.raises(TransportError, match="at least one ion"):
        mean_square_displacement(np.zeros((10, 0, 3)), frame_ps=1.0)


def test_lags_are_few_and_reach_half_of_the_run():
    for n_frames in (4, 100, 100_000):
        lags = lag_grid(n_frames)
        assert lags[0] == 1 and lags[-1] == n_frames // 2 and len(lags) <= 64 and (np.diff(lags) > 0).all()


@pytest.mark.parametrize(("step_a2", "vibration_a2", "jumps_a4"), [(1.0, 0.0, 0.0), (0.4, 0.7, 0.3)])
def test_covariance_is_the_sum_over_all_pairs_of_windows(step_a2, vibration_a2, jumps_a4):
    n_frames, lags = 24, np.array([1, 2, 3, 7, 12])
    parts = lag_covariance(lags, n_frames)
    windows = [_windows(lag, n_frames) for lag in lags]
    for i, (steps_i, ends_i) in enumerate(windows):
        for j, (steps_j, ends_j) in enumerate(windows):
            shared = steps_i @ steps_j.T
            pairs = step_a2 * shared + vibration_a2 * ends_i @ ends_j.T
            expected = (2 * pairs**2 + jumps_a4 * shared).mean()
            analytic = parts.gaussian(step_a2, vibration_a2)[i, j] + jumps_a4 * parts.jumps[i, j]
            assert analytic == pytest.approx(expected, rel=1e-12)


def _windows(lag, n_frames):
    """Each origin's window: which steps it spans, and where its ends (+1, -1) lie."""
    starts = np.arange(n_frames - lag)
    frames = np.arange(n_frames)
    ends = (frames == starts[:, None] + lag) * 1.0 - (frames == starts[:, None])
    steps = (frames >= starts[:, None]) & (frames < starts[:, None] + lag)
    return steps * 1.0, ends


def test_unwrapping_and_drift_give_the_moves_back(rng):
    mobile, framework = walks.brownian(rng), walks.bound(rng, n_ions=20)
    drift = np.cumsum(rng.normal(0, 0.1, (walks.FRAMES, 3)), axis=0)
    trajectory = walks.in_cell(mobile, framework, walks.TRICLINIC_A, drift_a=drift)
    moves = framework_frame(trajectory, "Mg")
    centre = framework.mean(axis=1, keepdims=True)
    expected = np.concatenate([mobile, framework], axis=1) - centre
    np.testing.assert_allclose(moves - moves[:1], expected - expected[:1], atol=1e-8)
    assert trajectory.frame_ps == pytest.approx(walks.FRAME_PS)
    assert trajectory.mean_volume_a3 == pytest.approx(np.linalg.det(walks.TRICLINIC_A))


def test_atoms_that_ride_on_a_breathing_cell_stand_still(rng):
    strain = 0.01 * np.sin(np.arange(200.0))
    frac = np.broadcast_to(rng.random((5, 3)), (200, 5, 3)) + rng.normal(0, 1e-9, (200, 5, 3))
    trajectory = Trajectory(
        species=("Mg",) * 5, step=np.arange(200), time_step_fs=1.0, frac=frac,
        cell_a=walks.TRICLINIC_A * (1 + strain[:, None, None]),
    )  # fmt: skip
    assert np.ptp(unwrap(trajectory), axis=0).max() < 1e-6


def test_single_precision_frames_do_not_drift(rng):
    trajectory = walks.in_cell(walks.brownian(rng), walks.bound(rng), walks.TRICLINIC_A)
    single = Trajectory(
        species=trajectory.species, step=trajectory.step, time_step_fs=trajectory.time_step_fs,
        frac=trajectory.frac.astype(np.float32), cell_a=trajectory.cell_a,
    )  # fmt: skip
    assert np.abs(unwrap(single) - unwrap(trajectory)).max() < 1e-5


def test_the_frameworks_centre_is_weighted_by_mass(rng):
    """An optical vibration (momentum conserved) moves the plain mean of the atoms, not the centre of mass."""
    swing = 0.3 * np.sin(0.7 * np.arange(200))[:, None, None] * np.ones((1, 1, 3))
    framework = np.concatenate([swing / 15.999, -swing / 47.867], axis=1) * 15.999
    trajectory = walks.in_cell(np.zeros((200, 2, 3)), framework, walks.TRICLINIC_A)
    trajectory = Trajectory(
        species=("Mg", "Mg", "O", "Ti"), step=trajectory.step, time_step_fs=1.0, frac=trajectory.frac,
        cell_a=trajectory.cell_a,
    )  # fmt: skip
    assert np.ptp(framework_frame(trajectory, "Mg")[:, :2], axis=0).max() < 1e-9


def test_every_species_has_its_msd(rng):
    trajectory = walks.in_cell(walks.brownian(rng), walks.bound(rng, n_ions=20), walks.TRICLINIC_A)
    msd = species_msd(trajectory, "Mg")
    assert {species: (m.species, m.n_ions) for species, m in msd.items()} == {
        "Mg": ("Mg", 16),
        "O": ("O", 20),
    }
    assert msd["Mg"].total_a2[-1] > 5 > msd["O"].total_a2[-1]


def test_mobile_and_framework_are_both_needed(rng):
    trajectory = walks.in_cell(walks.brownian(rng), walks.bound(rng), walks.TRICLINIC_A)
    with pytest.raises(TransportError, match="0 of 32 atoms are Li"):
        species_msd(trajectory, "Li")
    alone = walks.in_cell(walks.brownian(rng), walks.bound(rng), walks.TRICLINIC_A, framework="Mg")
    with pytest.raises(TransportError, match="32 of 32 atoms are Mg"):
        framework_frame(alone, "Mg")


def test_frames_too_far_apart_are_refused(rng):
    trajectory = walks.in_cell(
        walks.brownian(rng, d_a2_per_ps=20.0), walks.bound(rng), walks.TRICLINIC_A, wrap=False
    )
    with pytest.raises(UnwrapError, match="Save frames more often"):
        unwrap(trajectory)


def test_seeds_are_pooled_ion_by_ion(rng):
    runs = [walks.msd_of(walks.brownian(rng, n_ions=n)) for n in (3, 5)]
    assert pool(runs).n_ions == 8
    np.testing.assert_allclose(pool(runs).total_a2 * 8, runs[0].total_a2 * 3 + runs[1].total_a2 * 5)
    with pytest.raises(TransportError, match="2 kinds"):
        pool([runs[0], walks.msd_of(walks.brownian(rng, n_frames=200))])
    with pytest.raises(TransportError, match="0 kinds"):
        pool([])
