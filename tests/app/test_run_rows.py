"""What a list of runs says of those that wait."""

from pathlib import Path

import pytest

from app.components.md_runs import run_rows
from core.dispatch.process import ProcessIdentity
from core.tasks import queue, submit
from tests.app.md_runs import spec
from tests.tasks import toy_potential


def test_a_run_that_waits_says_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGC_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "start_detached", lambda *_, **__: ProcessIdentity.current())
    toy_potential.register()
    jobs = [submit(spec(seed=seed)) for seed in range(2)]
    assert [row["state"] for row in run_rows(jobs, [])] == ["queued #1", "queued #2"]
