"""What a run needs first: taken from the release where that holds it, done here where nobody does it."""

import shutil
from dataclasses import replace

import pytest

from core.calculations import to_record
from core.calculations.kinds import relaxation
from core.calculations.kinds.refinement import RefinementSpec
from core.calculations.kinds.relaxation import RelaxationSpec
from core.store import ReleaseWriter
from core.tasks import list_jobs, queue, submit, worker
from core.tasks.folder import RunFolder
from core.tasks.worker import run_job
from tests.store.small_release import crystals, make_release
from tests.tasks.toy_potential import NAME

MGO = crystals()[1]


@pytest.fixture
def need(runs) -> RelaxationSpec:
    relaxation.loaded_potential.cache_clear()
    return replace(RelaxationSpec.planned(MGO, potential=NAME, device="cpu"), force_ev_per_a=0.2)


@pytest.fixture
def asking(make_spec) -> RunFolder:
    """A run that needs another."""
    return queue.prepare(make_spec())


def context(folder: RunFolder) -> worker._Work:
    return worker._Work(folder, "cpu", lambda: False, None, None)


def test_what_the_release_holds_is_not_done_again(need, asking, tmp_path, monkeypatch):
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path / "precomputed"))
    make_release(tmp_path / "precomputed", "1")
    made = run_job(queue.prepare(need).path)
    expected = made.result.to_dict()
    with ReleaseWriter(tmp_path / "precomputed", extend=True) as writer:
        writer.add_calculations([to_record(made.calculation)])
        writer.publish()
    shutil.rmtree(made.path)
    worker._fulfil(asking, need, "cpu", lambda: False)
    result, folder = context(asking).needed(need)
    assert result.to_dict() == expected and folder == asking.path
    assert [job.job_id for job in list_jobs()] == [asking.name]


def test_without_a_release_it_is_done_here(need, asking, tmp_path, monkeypatch):
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path / "nowhere"))
    worker._fulfil(asking, need, "cpu", lambda: False)
    result, folder = context(asking).needed(need)
    assert folder == RunFolder.of(need).path and result.kind == "relaxation"


def test_one_that_only_waits_in_the_queue_is_done_by_who_needs_it(need, asking, monkeypatch):
    """Its device is held by the one that needs it: to wait for it would be to wait for ever."""
    monkeypatch.setattr(queue, "_call_dispatcher", lambda: None)
    assert submit(need).state == "queued"
    worker._fulfil(asking, need, "cpu", lambda: False)
    assert queue.look(RunFolder.of(need)).state == "finished"


def test_a_refinement_is_more_than_its_result(asking, monkeypatch):
    """Its weights stay in its folder: no release can stand for it."""
    monkeypatch.setattr(worker, "released_answer", lambda spec: pytest.fail("the release was asked"))
    spec = RefinementSpec(crystal=MGO, device="cpu", potential=NAME, potential_sha256="0" * 64)
    assert worker._released(spec) is None
