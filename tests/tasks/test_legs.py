"""What decides a run's last bits stands in its provenance, and a resume under other conditions is told."""

import json
import os
import signal
from functools import partial

import pytest

from core.calculations import read_result
from core.calculations.kinds.diffusion import work
from core.cli import main
from core.dynamics import simulate
from core.provenance import Leg, Provenance
from core.store import open_reader
from core.tasks import legs, list_jobs, merge, queue
from core.tasks.worker import run_job
from tests.dynamics.toys import Toy
from tests.store.small_release import crystals, make_release
from tests.tasks.made_runs import walked
from tests.tasks.test_worker import _poll_at_once


@pytest.fixture
def stopped(make_spec, monkeypatch):
    """A run that was stopped half way."""
    monkeypatch.setattr(work, "simulate", partial(_poll_at_once, simulate))
    job = run_job(queue.prepare(make_spec()).path, lambda row: os.kill(os.getpid(), signal.SIGTERM))
    assert job.state == "interrupted" and job.latest["step"] > 0
    return job


def test_a_result_says_what_decided_its_bits_and_a_resume_alike_adds_nothing(stopped):
    job = run_job(stopped.path)
    (leg,) = job.result.provenance.legs
    assert leg.first_step == 0 and set(leg.conditions) == {"processor", "threads", "torch", "toy"}
    assert leg.conditions["toy"] == "eager" and leg.conditions["threads"] == "1"
    assert not [note for note in job.result.notes if "legs" in note]


def test_a_resume_under_other_conditions_is_a_leg_of_its_own_and_told(stopped, monkeypatch):
    monkeypatch.setattr(Toy, "is_compiled", True)
    result = run_job(stopped.path).result
    first, second = result.provenance.legs
    assert (first.conditions["toy"], second.conditions["toy"]) == ("eager", "compiled")
    assert second.first_step == stopped.latest["step"]
    assert (
        f"2 legs under different conditions (from step {second.first_step} toy compiled after eager)"
        in result.notes[-1]
    )
    assert read_result(json.loads((stopped.path / "result.json").read_text())).provenance.legs == (
        first,
        second,
    )


def test_a_run_begun_before_conditions_were_kept_says_that_they_are_unknown(stopped):
    (stopped.path / legs.LEGS_FILE).unlink()
    result = run_job(stopped.path).result
    assert result.provenance.legs[0] == Leg(first_step=0, conditions={})
    assert "after unknown" in result.notes[-1]


def test_a_damaged_record_of_conditions_is_told_with_its_remedy(stopped):
    (stopped.path / legs.LEGS_FILE).write_text('{"legs": 3}')
    job = run_job(stopped.path)
    assert job.state == "failed" and legs.LEGS_FILE in job.error and "Move it away" in job.error


def test_a_sitting_that_was_stopped_before_it_had_its_potential_leaves_no_leg():
    begun, known = {"torch": "2"}, {"torch": "2", "toy": "eager"}
    first = legs.joined((), Leg(first_step=0, conditions=begun))
    assert legs.joined(first, Leg(first_step=0, conditions=known)) == (Leg(first_step=0, conditions=known),)
    whole = (Leg(first_step=0, conditions=known),)
    cut = legs.joined(whole, Leg(first_step=50, conditions=begun))
    assert len(cut) == 2 and legs.joined(cut, Leg(first_step=50, conditions=known)) == whole


def test_legs_go_with_a_result_into_a_release_and_its_export(make_spec, runs, tmp_path, monkeypatch):
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path / "precomputed"))
    make_release(tmp_path / "precomputed", "1")
    crystal = next(it for it in crystals() if it.id == "mp-2")
    path = walked(make_spec(crystal=crystal, id="mp-2"), runs, step_a=0.15)
    (job,) = list_jobs()
    made = (Leg(first_step=0, conditions={"threads": "1"}),)
    job.folder.keep_result(job.spec, legs.with_legs(job.result, made))
    (added, *_) = merge([path], tmp_path / "precomputed").added
    with open_reader(tmp_path / "precomputed") as reader:
        record = reader.calculation(added.name)
    assert read_result(record.result).provenance.legs == made and record.provenance.id == added.provenance.id
    assert main(["runs", "export", "-o", str(tmp_path / "all.jsonl")]) == 0
    documents = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    (exported,) = [it["result"]["provenance"] for it in documents if it["name"] == added.name]
    assert exported["legs"] == [{"first_step": 0, "conditions": {"threads": "1"}}]


def test_legs_do_not_change_whom_a_row_points_to():
    plain = Provenance(kind="mlmd")
    assert Provenance(kind="mlmd", legs=(Leg(first_step=0, conditions={"threads": "2"}),)).id == plain.id
