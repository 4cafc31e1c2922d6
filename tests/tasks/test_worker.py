"""A run in this process from spec to result, and what ends it otherwise."""

import json
import os
import signal
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from core.artifacts import locked
from core.calculations import read_result
from core.calculations.kinds.diffusion import work
from core.calculations.kinds.diffusion.visited import read_visited
from core.dynamics import TeacherCheck, simulate
from core.errors import JobError, PotentialError
from core.tasks import cancel, queue, status, worker
from core.tasks.worker import run_job
from tests.dynamics.toys import card


def test_a_run_ends_with_a_result(make_spec):
    spec, rows = make_spec(), []
    job = run_job(queue.prepare(spec).path, rows.append)
    assert (job.state, job.error, job.fraction) == ("finished", None, 1.0)
    written = json.loads((job.path / "result.json").read_text())
    assert read_result(written).to_dict() == written == job.result.to_dict()
    result = job.result
    assert (result.id, result.n_atoms, result.n_working_ions) == ("toy-MgO", 58, 26)
    assert result.verdict == "too short" and result.d_high_cm2_per_s is None
    assert result.simulated_ps == pytest.approx(0.1)
    assert "small cell" in result.notes[0] and "no teacher" in result.notes[1]
    assert set(result.msd) == {"Mg", "O"} and len(result.msd["Mg"].axis_a2[0]) == 3
    assert result.provenance.model_name == "toy" and result.provenance.seed == 0
    assert rows == job.progress and rows[-1] == job.latest
    assert [row["step"] for row in rows] == sorted(row["step"] for row in rows)
    assert rows[-1]["fraction"] == 1.0 and rows[-1]["eta_s"] == 0.0 < rows[0]["wall_s"]


def test_the_path_lies_on_the_crystals_own_sites(make_spec):
    """Vibrating ions of a solid stay around their site at the origin of rocksalt's cell."""
    job = run_job(queue.prepare(make_spec()).path)
    points = read_visited(job.folder.read_file)
    assert points.dtype == np.float32 and points.shape[1] == 3 and len(points) > 100
    assert (points >= 0).all() and (points < 1).all()
    assert np.median(np.abs(points - np.round(points))) < 0.08


def test_a_finished_run_is_not_done_again(make_spec, monkeypatch):
    path = queue.prepare(make_spec()).path
    first = run_job(path)
    monkeypatch.setattr(work, "simulate", None)
    assert run_job(path).result.to_dict() == first.result.to_dict()


def test_a_signal_stops_it_and_the_next_sitting_goes_on(make_spec, monkeypatch):
    spec = make_spec()
    path = queue.prepare(spec).path
    monkeypatch.setattr(work, "simulate", partial(_poll_at_once, simulate))
    stopped = run_job(path, lambda row: os.kill(os.getpid(), signal.SIGTERM))
    assert stopped.state == "interrupted" and stopped.result is None
    steps_before = stopped.latest["step"]
    job = run_job(path)
    assert job.state == "finished" and job.latest["step"] > steps_before
    whole = run_job(queue.prepare(spec, path.parent.parent / "other").path)
    assert (job.path / "trajectory.f32").read_bytes() == (whole.path / "trajectory.f32").read_bytes()


def test_cancel_keeps_the_checkpoint(make_spec, monkeypatch):
    path = queue.prepare(make_spec()).path
    monkeypatch.setattr(work, "simulate", partial(_poll_at_once, simulate))
    job = run_job(path, lambda row: cancel(path.name))
    assert job.state == "cancelled" and (path / "checkpoint.npz").exists()
    queue.prepare(make_spec())
    assert run_job(path).state == "finished"


def test_a_run_cancelled_while_it_waits_never_starts(make_spec):
    folder = queue.prepare(make_spec())
    folder.cancel_flag.touch()
    assert run_job(folder.path).state == "cancelled"
    assert not folder.progress()


def test_what_goes_wrong_is_told(make_spec, monkeypatch):
    def known(*_, **__):
        raise PotentialError("weights are gone")

    def unknown(*_, **__):
        raise ZeroDivisionError("oh")

    folder = queue.prepare(make_spec())
    for raiser, words in ((known, "weights are gone"), (unknown, "ZeroDivisionError: oh")):
        monkeypatch.setattr("core.calculations.kinds.diffusion.work.load_potential", raiser)
        job = run_job(folder.path)
        assert job.state == "failed" and words in job.error


def test_a_broken_run_is_aborted_with_its_reason(make_spec, monkeypatch):
    from tests.dynamics.toys import Toy

    monkeypatch.setattr(
        "core.calculations.kinds.diffusion.work.load_potential",
        lambda *_, **__: Toy(spoil=lambda n: 1.0 if n < 30 else np.nan),
    )
    job = run_job(queue.prepare(make_spec()).path)
    assert (job.state, job.result.verdict) == ("finished", "aborted")
    assert job.result.reason and job.result.sigma_ms_per_cm is None


def test_the_teacher_is_asked_where_there_is_another(make_spec, monkeypatch):
    found = TeacherCheck(force_mae_ev_per_a=0.05, energy_mae_ev_per_atom=0.001, n_snapshots=4)
    monkeypatch.setattr(work, "teacher_check", lambda *_, **__: found)
    student = replace(card(), teacher="toy")
    monkeypatch.setattr("tests.tasks.toy_potential.card", lambda: student)
    result = run_job(queue.prepare(make_spec()).path).result
    assert result.teacher_force_mae_ev_per_a == 0.05 and len(result.notes) == 1


def test_a_run_has_one_worker(make_spec, monkeypatch):
    monkeypatch.setattr(worker, "_LOCK_PAUSE_S", 0.001)
    folder = queue.prepare(make_spec())
    with locked(folder.run_lock), pytest.raises(JobError, match="Another process works on run"):
        run_job(folder.path)


def test_the_worker_says_how_it_ended(make_spec, monkeypatch):
    folder = queue.prepare(make_spec())
    monkeypatch.setattr("sys.argv", ["worker", str(folder.path)])
    assert worker.main() == 0
    assert status(folder.name).state == "finished"


def _poll_at_once(simulate, *args, should_stop, on_progress, **kwargs):
    """Ask after the stop at every report: the run's own asking goes by the clock."""
    from core.dynamics import run as dynamics_run

    before = dynamics_run.POLL_S
    dynamics_run.POLL_S = 0.0
    try:
        return simulate(*args, should_stop=should_stop, on_progress=on_progress, **kwargs)
    finally:
        dynamics_run.POLL_S = before
