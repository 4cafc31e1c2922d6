"""A runs folder of its own for every test, and the cheap potential in the registry."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.calculations.kinds.diffusion import DiffusionSpec
from core.potentials import registry
from core.tasks import Job, queue, status
from tests.dynamics.toys import SHORT, rocksalt
from tests.tasks.toy_potential import NAME, register

PATIENCE_S = 240


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MGC_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(registry, "_ENTRIES", dict(registry._ENTRIES))
    register()
    monkeypatch.setattr(queue, "WORKER", (str(Path(__file__).with_name("toy_worker.py")),))
    return tmp_path / "runs"


@pytest.fixture
def make_spec() -> Callable[..., DiffusionSpec]:
    def make(*, id: str | None = None, **changes) -> DiffusionSpec:
        given = {"crystal": rocksalt(), "protocol": SHORT, "potential": NAME, "device": "cpu"} | changes
        crystal = given.pop("crystal")
        return DiffusionSpec.planned(crystal=replace(crystal, id=id or crystal.id), **given)

    return make


def wait_until(job: Job, wanted: Callable[[Job], object]) -> Job:
    deadline = time.monotonic() + PATIENCE_S
    while not wanted(job):
        if time.monotonic() > deadline or job.state == "failed":
            logs = "".join(path.read_text()[-2000:] for path in job.path.glob("*.log"))
            pytest.fail(f"{job.state}: {job.error} {logs}")
        time.sleep(0.1)
        job = status(job.job_id)
    return job
