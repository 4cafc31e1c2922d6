"""What a list of runs says of those that wait."""

from pathlib import Path

import pytest

from app.components.md_runs import told_age
from core.dispatch.process import ProcessIdentity
from core.service.calculations import job_row
from core.tasks import queue, submit
from tests.app.md_runs import spec
from tests.tasks import toy_potential


def test_a_run_that_waits_says_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGC_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "start_detached", lambda *_, **__: ProcessIdentity.current())
    toy_potential.register()
    jobs = [submit(spec(seed=seed)) for seed in range(2)]
    assert [told_age(job_row(job))["state"] for job in jobs] == ["queued #1", "queued #2"]
