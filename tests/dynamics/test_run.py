"""A run from end to end: its phases, what it tells, what it leaves, and that a resumed one has the same bits."""

from pathlib import Path

import numpy as np
import pytest

from core.dynamics import Outcome, Progress, Protocol, read_trajectory, simulate
from core.dynamics.checkpoint import CHECKPOINT_FILE
from core.dynamics.trajectory import FRAMES_FILE
from tests.dynamics import toys

BRIEF = toys.SHORT.with_changes(settle_ps=0.04, npt_ps=0.06, nvt_ps=0.1)
TINY = toys.SHORT.with_changes(settle_ps=0.02, npt_ps=0.04, nvt_ps=0.04)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks every ten steps, so that their sums are part of what is kept; every step asks whether to stop."""
    monkeypatch.setattr("core.dynamics.run.REPORT_STEPS", 10)
    monkeypatch.setattr("core.dynamics.run.POLL_S", 0.0)


class Died(BaseException):
    """The process is gone: nothing below may tidy up."""


def run(folder: Path, protocol: Protocol = BRIEF, **options) -> Outcome:
    potential = options.pop("potential", None) or toys.Toy()
    return simulate(toys.system(protocol), potential, protocol, seed=3, folder=folder, **options)


def everything(folder: Path) -> dict[str, bytes]:
    """Checkpoint, but for the seconds it took, and trajectory."""
    with np.load(folder / CHECKPOINT_FILE) as stored:
        kept = {name: stored[name].tobytes() for name in stored.files if name != "about"}
        about = str(stored["about"]).split('"seconds": ')
    kept["about"] = (about[0] + about[1].split(",", 1)[1]).encode()
    return kept | {"frames": (folder / FRAMES_FILE).read_bytes()}


def test_a_run_from_end_to_end(tmp_path):
    told: list[Progress] = []
    outcome = run(tmp_path, on_progress=told.append)
    assert (outcome.state, outcome.cause, outcome.n_steps) == ("finished", None, 120)
    assert outcome.seconds > 0 and outcome.atom_steps_per_s > 0 and outcome.drift_mev_per_atom_per_ps is None
    assert [row.step for row in told if row.step % 50 == 0] == [50, 100]
    assert [row.phase for row in told if row.step % 50 == 0] == ["npt", "nvt"]
    assert told[-1].time_ps == pytest.approx(0.24) and told[-1].n_steps == 120
    assert 0 < told[-1].msd_framework_a2 < 1 and 200 < told[-1].temperature_k < 1500


def test_frames_cell_and_phases(tmp_path):
    run(tmp_path)
    frames = read_trajectory(tmp_path)
    assert frames.step.tolist() == list(range(0, 121, 10))
    assert frames.phase.tolist() == ["npt"] * 8 + ["nvt"] * 5
    volume_a3 = np.linalg.det(frames.cell_a.astype(float))
    assert np.ptp(volume_a3[:3]) == 0, "settling happens at fixed cell"
    assert np.ptp(volume_a3[2:6]) > 1, "NPT moves it"
    assert np.ptp(volume_a3[6:]) == 0, "what follows keeps its mean"
    assert volume_a3[3:6].min() < volume_a3[6] < volume_a3[3:6].max()
    assert len(frames.production()) == 5


def test_two_seeds_differ_and_one_repeats(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate(toys.system(), toys.Toy(), TINY, seed=seed, folder=tmp_path / name)
    a, b, c = (everything(tmp_path / name)["frames"] for name in "abc")
    assert a == b != c


@pytest.mark.parametrize(
    ("step", "cell_change"),
    [
        (5, "full"),
        (10, "full"),
        (11, "full"),
        (17, "full"),
        (17, "volume"),
        (30, "full"),
        (31, "full"),
        (45, "full"),
    ],
)
def test_dead_at_any_step_then_resumed_equals_the_unbroken_run(tmp_path, step, cell_change, often):
    protocol = TINY.with_changes(cell_change=cell_change)
    run(tmp_path / "whole", protocol)

    def die(n_calls: int) -> float:
        if n_calls > step:
            raise Died
        return 1.0

    with pytest.raises(Died):
        run(tmp_path / "broken", protocol, potential=toys.Toy(spoil=die), checkpoint_s=0.0)
    assert run(tmp_path / "broken", protocol).state == "finished"
    assert everything(tmp_path / "broken") == everything(tmp_path / "whole")


def test_stopped_in_many_sittings_equals_the_unbroken_run(tmp_path, often):
    run(tmp_path / "whole", TINY)
    outcome, sittings = None, 0
    while outcome is None or outcome.state == "stopped":
        left = iter([False] * 11)
        outcome = run(tmp_path / "broken", TINY, should_stop=lambda left=left: next(left, True))
        sittings += 1
    assert sittings == 6 and outcome.state == "finished" and outcome.n_steps == 60
    assert everything(tmp_path / "broken") == everything(tmp_path / "whole")


def test_a_finished_run_is_not_run_again(tmp_path):
    run(tmp_path, TINY)
    toy = toys.Toy()
    assert run(tmp_path, TINY, potential=toy).state == "finished" and toy.n_calls == 0


def test_the_drift_is_measured_once_and_told(tmp_path):
    protocol = TINY.with_changes(drift_ps=0.1)
    outcome = run(tmp_path, protocol)
    assert outcome.state == "finished" and 0 <= outcome.drift_mev_per_atom_per_ps < 1
    assert run(tmp_path, protocol).drift_mev_per_atom_per_ps == outcome.drift_mev_per_atom_per_ps


def test_a_stop_during_the_drift_test_loses_nothing(tmp_path, often):
    protocol = TINY.with_changes(drift_ps=0.1)
    left = iter([False] * 60)
    stopped = run(tmp_path / "broken", protocol, should_stop=lambda: next(left, True))
    assert (stopped.state, stopped.n_steps) == ("stopped", 40)
    run(tmp_path / "broken", protocol)
    run(tmp_path / "whole", protocol)
    assert everything(tmp_path / "broken") == everything(tmp_path / "whole")


@pytest.mark.parametrize("settle_ps", [0.0, 0.02])
def test_a_stop_before_the_first_step_loses_nothing(tmp_path, settle_ps, often):
    protocol = TINY.with_changes(settle_ps=settle_ps)
    assert run(tmp_path / "broken", protocol, should_stop=lambda: True).n_steps == 0
    run(tmp_path / "broken", protocol)
    run(tmp_path / "whole", protocol)
    assert everything(tmp_path / "broken") == everything(tmp_path / "whole")


def test_without_npt_the_crystals_own_cell_is_kept(tmp_path):
    protocol = TINY.with_changes(settle_ps=0.0, npt_ps=0.0)
    assert run(tmp_path, protocol).state == "finished"
    frames = read_trajectory(tmp_path)
    np.testing.assert_allclose(frames.cell_a[-1], toys.system().atoms.cell.array, rtol=1e-6)
    assert frames.phase.tolist() == ["npt"] + ["nvt"] * 2


def test_slow_potentials_tell_their_progress_too(tmp_path, monkeypatch):
    monkeypatch.setattr("core.dynamics.run.REPORT_S", 0.0)
    told: list[Progress] = []
    run(tmp_path, TINY, on_progress=told.append)
    assert [row.step for row in told] == list(range(1, 61))
