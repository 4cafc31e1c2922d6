"""Frames on disk, the time a run will take, and the teacher's word on its snapshots."""

import ase.io
import numpy as np
import pytest

from core.dynamics import (
    TEACHER_LIMIT_EV_PER_A,
    Frames,
    TrajectoryWriter,
    expected_seconds,
    measure_step,
    read_trajectory,
    teacher_check,
    write_extxyz,
)
from core.dynamics.trajectory import FRAMES_FILE, HEADER_FILE, Header
from core.errors import CheckpointError, DynamicsError
from tests.dynamics import toys

HEADER = Header(species=("Mg", "O"), time_step_fs=2.0, frame_steps=10, n_npt_frames=2)


def write(folder, n_frames=5):
    writer = TrajectoryWriter(folder, HEADER)
    atoms = toys.system().atoms[[0, -1]]
    for index in range(n_frames):
        atoms.positions[0, 0] = 7.5 * index
        atoms.set_cell((8 + index) * np.eye(3))
        writer.append(atoms)
    writer.flush()


def test_frames_come_back_unwrapped(tmp_path):
    write(tmp_path)
    frames = read_trajectory(tmp_path)
    assert frames.positions_a.dtype == np.float32 and frames.positions_a.shape == (5, 2, 3)
    assert frames.positions_a[:, 0, 0].tolist() == [0, 7.5, 15, 22.5, 30]
    assert frames.cell_a[4].tolist() == (12 * np.eye(3)).tolist()
    assert frames.species == ("Mg", "O") and frames.step.tolist() == [0, 10, 20, 30, 40]
    assert frames.time_ps.tolist() == pytest.approx([0, 0.02, 0.04, 0.06, 0.08])
    assert frames.production().step.tolist() == [20, 30, 40]


def test_a_half_written_frame_is_not_read(tmp_path):
    write(tmp_path)
    path = tmp_path / FRAMES_FILE
    path.write_bytes(path.read_bytes()[:-4])
    assert len(read_trajectory(tmp_path)) == 4


def test_resuming_cuts_what_came_after_the_checkpoint(tmp_path):
    write(tmp_path)
    TrajectoryWriter(tmp_path, HEADER, n_frames=3)
    assert len(read_trajectory(tmp_path)) == 3
    with pytest.raises(CheckpointError, match="holds 3 frames, its checkpoint counts 4"):
        TrajectoryWriter(tmp_path, HEADER, n_frames=4)


def test_extxyz_has_every_frame(tmp_path):
    write(tmp_path)
    assert write_extxyz(tmp_path, tmp_path / "run.xyz") == 5
    read = ase.io.read(tmp_path / "run.xyz", index=":")
    assert len(read) == 5 and read[3].info["phase"] == "nvt" and read[3].cell.array[0, 0] == 11
    assert read[3].positions[0, 0] == pytest.approx(22.5)


def test_absent_or_damaged_files_are_told(tmp_path):
    with pytest.raises(CheckpointError, match="absent or damaged"):
        read_trajectory(tmp_path)
    write(tmp_path)
    (tmp_path / FRAMES_FILE).unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_trajectory(tmp_path)
    (tmp_path / HEADER_FILE).write_text('{"format": 99}')
    with pytest.raises(CheckpointError, match="its format is not 1"):
        read_trajectory(tmp_path)


def test_the_expected_time_follows_steps_and_speed():
    toy = toys.Toy()
    assert measure_step(toys.system().atoms, toy, n=2) > 0 and toy.n_calls == 3
    fast, slow = (expected_seconds(toys.SHORT, 58, seconds) for seconds in (0.01, 0.02))
    assert slow - fast == pytest.approx(0.01 * toys.SHORT.n_steps)
    longer = toys.SHORT.with_changes(drift_ps=1.0)
    assert expected_seconds(longer, 58, 0.01) > fast


def snapshots(n_frames: int = 8) -> Frames:
    atoms = toys.system().atoms
    rng = np.random.default_rng(0)
    positions = atoms.positions + rng.normal(0, 0.1, (n_frames, len(atoms), 3))
    return Frames(
        species=tuple(atoms.get_chemical_symbols()), step=np.arange(n_frames), time_step_fs=2.0,
        cell_a=np.repeat(atoms.cell.array[None], n_frames, axis=0).astype(np.float32),
        positions_a=positions.astype(np.float32),
        phase=np.array(["npt"] + ["nvt"] * (n_frames - 1)),
    )  # fmt: skip


def test_a_potential_agrees_with_itself_and_not_with_another():
    alike = teacher_check(snapshots(), toys.Toy(), toys.Toy())
    assert (alike.force_mae_ev_per_a, alike.energy_mae_ev_per_atom, alike.n_snapshots) == (0.0, 0.0, 4)
    assert alike.in_domain
    other = teacher_check(snapshots(), toys.Toy(), toys.Toy(spoil=lambda _: 3.0), n_snapshots=2)
    assert other.force_mae_ev_per_a > TEACHER_LIMIT_EV_PER_A and not other.in_domain
    assert other.n_snapshots == 2 and other.energy_mae_ev_per_atom == 0.0


def test_the_teacher_sees_no_more_frames_than_there_are():
    one = teacher_check(snapshots(2), toys.Toy(), toys.Toy())
    assert one.n_snapshots == 1 and one.energy_mae_ev_per_atom is None
    with pytest.raises(DynamicsError, match="0 production frames"):
        teacher_check(snapshots(1), toys.Toy(), toys.Toy())
    with pytest.raises(DynamicsError, match="0 snapshots asked for"):
        teacher_check(snapshots(), toys.Toy(), toys.Toy(), n_snapshots=0)
