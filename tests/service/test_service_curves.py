"""Voltage curves through the service layer: planned, started, found again."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.calculations.kinds import relaxation
from core.calculations.kinds.curve import CurveSpec
from core.dispatch.process import ProcessIdentity
from core.errors import NoWorkingIonError
from core.service.calculations import jobs_of
from core.service.curves import known_curves, planned_curve, unfinished_curve
from core.store import open_reader
from core.tasks import merge, queue, submit
from core.tasks.worker import run_job
from tests.store.small_release import crystals, make_release
from tests.tasks.conftest import runs
from tests.tasks.toy_potential import NAME

__all__ = ["runs"]
MGO = crystals()[1]


def test_a_plan_says_what_it_would_take() -> None:
    plan = planned_curve(MGO, "Mg", NAME)
    assert (plan.n_sites, plan.n_ion_sites, plan.n_contents, plan.n_relaxations) == (8, 4, 3, 11)
    assert plan.expected_seconds == pytest.approx(11 * 8 * 60 * 0.006)
    with pytest.raises(NoWorkingIonError):
        planned_curve(MGO, "Ca", NAME)


def test_one_that_is_started_is_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "start_detached", lambda *_, **__: ProcessIdentity.current())
    job = submit(planned_curve(MGO, "Mg", NAME).spec)
    found = unfinished_curve(jobs_of(MGO))
    assert found is not None and found.job_id == job.job_id
    assert unfinished_curve(jobs_of(replace(MGO, id="another"))) is None


def test_own_ones_come_before_those_of_the_release(tmp_path: Path) -> None:
    relaxation.loaded_potential.cache_clear()
    make_release(tmp_path / "precomputed")
    spec = replace(CurveSpec.planned(MGO, potential=NAME, device="cpu"), force_ev_per_a=0.3, n_relaxed=1)
    first = run_job(queue.prepare(spec).path)
    merge([first.path], tmp_path / "precomputed")
    run_job(queue.prepare(replace(spec, n_relaxed=2)).path)
    with open_reader(tmp_path / "precomputed") as reader:
        known = known_curves(reader, MGO, jobs_of(MGO))
        assert [it.is_shipped for it in known] == [False, False]
        steps = first.result.steps
        (first.path / "spec.json").unlink()
        known = known_curves(reader, MGO, jobs_of(MGO))
    assert [it.is_shipped for it in known] == [False, True]
    assert known[1].curve.steps == steps
