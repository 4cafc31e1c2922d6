"""Runs on a Dask cluster of this machine: all finish, and a worker that is killed loses none."""

import contextlib
import threading
import time

import psutil
import pytest

from core import cli
from core.errors import JobError
from core.tasks import cluster
from core.tasks.cluster import Cluster, run_on
from core.tasks.folder import RunFolder


@pytest.mark.slow
def test_runs_finish_on_two_workers_and_finished_ones_are_not_done_again(make_spec) -> None:
    specs = [make_spec(seed=seed) for seed in range(3)]
    jobs = list(run_on(Cluster(workers=2), specs))
    assert sorted(job.spec.seed for job in jobs) == [0, 1, 2]
    assert {job.state for job in jobs} == {"finished"}
    changed = {job.job_id: (job.path / "result.json").stat().st_mtime_ns for job in jobs}
    again = list(run_on(Cluster(workers=2), specs))
    assert {job.job_id: (job.path / "result.json").stat().st_mtime_ns for job in again} == changed


@pytest.mark.slow
def test_a_worker_that_is_killed_with_its_run_loses_nothing(make_spec, monkeypatch) -> None:
    monkeypatch.setenv("MGC_TEST_PAUSE_S", "0.02")
    specs = [make_spec(seed=seed) for seed in range(4)]
    killed = threading.Thread(target=_kill_one_at_work, args=([RunFolder.of(spec) for spec in specs],))
    killed.start()
    jobs = list(run_on(Cluster(workers=2), specs))
    killed.join()
    assert {job.state for job in jobs} == {"finished"} and len(jobs) == 4


def _kill_one_at_work(folders: list[RunFolder]) -> None:
    """Kill the process of a run that is under way, and the Dask worker that it was started by."""
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                command = " ".join(process.cmdline())
                if any(str(it.path) in command and (it.path / "progress.jsonl").exists() for it in folders):
                    worker = process.parent()
                    process.kill()
                    worker.kill()
                    return
        time.sleep(0.05)


def test_an_interrupted_run_is_tried_again_by_the_scheduler(make_spec, monkeypatch) -> None:
    folder = RunFolder.of(make_spec())
    folder.create(make_spec())
    monkeypatch.setattr(cluster.subprocess, "run", lambda *_, **__: folder.write_status("interrupted"))
    with pytest.raises(JobError, match="tries again"):
        cluster._do(str(folder.path), 1, ("unused",))


def test_no_scheduler_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_CONNECT", "1s")
    with (
        pytest.raises(JobError, match=r"tcp://127\.0\.0\.1:9"),
        Cluster(address="tcp://127.0.0.1:9").client(),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--workers", "0"], "--workers is 0"),
        (["--scheduler", "tcp://x:1", "--slurm"], "not both"),
        (["--slurm", "queue"], "'queue' is none"),
    ],
)
def test_wrong_options_are_refused(options: list[str], words: str, capsys, tmp_path) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("mp-1221953\n")
    assert cli.main(["curve", "campaign", "--ids-file", str(ids), *options]) == 2
    assert words in capsys.readouterr().err


def test_jobs_of_slurm_are_described_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    jobqueue = pytest.importorskip("dask_jobqueue")
    asked: dict[str, object] = {}

    class Recorded:
        def __init__(self, **options: object) -> None:
            asked.update(options)

        def scale(self, jobs: int) -> None:
            asked["jobs"] = jobs

    monkeypatch.setattr(jobqueue, "SLURMCluster", Recorded)
    Cluster(workers=3, slurm={"queue": "gpu", "memory": "8GB"})._slurm_cluster()
    assert asked == {"cores": 1, "processes": 1, "memory": "8GB", "queue": "gpu", "jobs": 3}
