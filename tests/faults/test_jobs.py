"""Running jobs: a killed worker, the same job twice at once, a dead holder of a lock."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from core.artifacts import locked
from core.dispatch import tickets
from core.dispatch.process import ProcessIdentity, start_detached
from core.dispatch.slots import device_slot
from core.tasks import cancel, queue, resume, status, submit
from core.tasks.worker import run_job
from tests.tasks.conftest import make_spec, runs, wait_until
from tests.tasks.toy_potential import PAUSE

__all__ = ["make_spec", "runs"]  # fixtures

HOLDER = """
import fcntl, sys, time
stream = open(sys.argv[1], "w")
fcntl.flock(stream, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


def hold(path: Path) -> subprocess.Popen:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    return holder


@pytest.mark.slow
def test_a_killed_worker_is_noticed_and_resuming_gives_the_unbroken_run(make_spec, runs, monkeypatch):
    """Kill -9 half way, then resume; the same frames to the bit as a run that nothing disturbed."""
    monkeypatch.setenv(PAUSE, "0.02")
    job = submit(make_spec())
    checkpoint = job.path / "checkpoint.npz"
    job = wait_until(job, lambda it: (it.progress and checkpoint.exists()) or it.state == "interrupted")
    assert job.state == "running" and job.eta_s > 0
    os.kill(job.folder.worker().pid, signal.SIGKILL)
    job = wait_until(job, lambda it: it.state == "interrupted")
    assert job.result is None and checkpoint.exists()
    monkeypatch.setenv(PAUSE, "0")
    job = wait_until(resume(job.job_id), lambda it: not it.is_active)
    assert (job.state, job.error) == ("finished", None)
    whole = run_job(queue.prepare(make_spec(), runs.parent / "undisturbed").path)
    assert (job.path / "trajectory.f32").read_bytes() == (whole.path / "trajectory.f32").read_bytes()
    assert job.result.msd == whole.result.msd
    steps = [row["step"] for row in job.progress]
    assert steps == sorted(set(steps))


def test_the_same_job_many_times_at_once_is_one(make_spec, monkeypatch):
    """Eight submit the same run at the same moment: one ticket, one dispatcher."""
    started = []

    def start(*arguments, **_):
        started.append(arguments)
        return ProcessIdentity.current()

    monkeypatch.setattr(queue, "start_detached", start)
    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(lambda _: submit(make_spec()), range(8)))
    assert len(started) == len(tickets.tickets()) == 1 and len({job.job_id for job in jobs}) == 1
    assert {job.state for job in jobs} == {"queued"}


def test_a_second_worker_on_a_run_gives_way(make_spec):
    """Where two workers were started all the same, the later leaves without touching the run."""
    folder = queue.prepare(make_spec())
    folder.write_status("running")
    with locked(folder.run_lock):
        start_detached((*queue.WORKER, str(folder.path)), log=folder.path / "second.log", threads=1)
        log = folder.path / "second.log"
        job = wait_until(status(folder.name), lambda it: "Another process works" in log.read_text())
    assert job.folder.read("status.json")["state"] == "running"
    assert not job.progress and job.folder.worker() is None


def test_a_device_is_free_again_when_its_holder_was_killed(runs):
    """The kernel takes the lock back from a dead process."""
    devices = runs / ".devices"
    devices.mkdir(parents=True)
    holder = hold(devices / "cpu-0.lock")
    tries = iter([False, True])
    with device_slot("cpu", lambda: next(tries)) as is_ours:
        assert not is_ours
    holder.kill()
    holder.wait()
    with device_slot("cpu", lambda: False) as is_ours:
        assert is_ours


def test_a_run_is_free_again_when_its_worker_was_killed(make_spec):
    """The same for the lock of a run."""
    folder = queue.prepare(make_spec())
    folder.write_status("running")
    holder = hold(folder.run_lock)
    assert status(folder.name).state == "running"
    holder.kill()
    holder.wait()
    assert status(folder.name).state == "interrupted"
    assert run_job(folder.path).state == "finished"


def test_two_slots_let_two_runs_share_the_cpu(runs, monkeypatch):
    """Two runs where two were allowed, and no third."""
    monkeypatch.setenv("MGC_CPU_SLOTS", "2")
    tries = iter([False, True])
    with (
        device_slot("cpu", lambda: False) as one,
        device_slot("cpu", lambda: False) as two,
        device_slot("cpu", lambda: next(tries)) as three,
        device_slot("cuda:0", lambda: False) as other,
    ):
        assert (one, two, three, other) == (True, True, False, True)


@pytest.mark.slow
def test_eight_submits_leave_one_dispatcher_and_one_worker(make_spec, runs, monkeypatch):
    """What waits holds no memory: the whole queue is one process of some megabytes, and it ends with the queue."""
    monkeypatch.setenv(PAUSE, "0.2")
    before = {it.pid for it in psutil.Process().children(recursive=True)}  # servers of other tests
    jobs = [submit(make_spec(seed=seed)) for seed in range(8)]
    first = wait_until(jobs[0], lambda it: it.state == "running")
    assert [status(it.job_id).note for it in jobs[1:]] == [f"place {n} in the queue" for n in range(1, 8)]
    started = [it for it in psutil.Process().children(recursive=True) if it.pid not in before]
    mine = [it for it in started if it.status() != psutil.STATUS_ZOMBIE]
    assert first.folder.worker().pid in [it.pid for it in mine] and len(mine) == 2
    dispatcher = next(it for it in mine if it.pid != first.folder.worker().pid)
    assert dispatcher.memory_full_info().uss < 30e6
    for job in jobs:
        cancel(job.job_id)
    wait_until(first, lambda it: it.state == "cancelled")
    assert {status(it.job_id).state for it in jobs} == {"cancelled"}
    _, alive = psutil.wait_procs(mine, timeout=30)
    assert not alive
