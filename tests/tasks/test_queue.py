"""Runs in processes of their own: found again, cancelled, resumed, and read while they write."""

import os

import pytest

from core.artifacts import locked
from core.dispatch import tickets
from core.dispatch.process import ProcessIdentity
from core.errors import JobError, PotentialError, RunFileError, UnknownJobError
from core.potentials import registry
from core.tasks import cancel, list_jobs, queue, resume, status, submit, unreadable_runs
from core.tasks.folder import ProgressLog
from core.tasks.worker import run_job
from tests.tasks.conftest import wait_until
from tests.tasks.toy_potential import NAME


@pytest.fixture
def started(monkeypatch):
    """What submit would start, without a process: this one stands for the dispatcher, which does nothing."""
    calls = []

    def start(arguments, *, log, threads):
        calls.append(arguments)
        return ProcessIdentity.current()

    monkeypatch.setattr(queue, "start_detached", start)
    return calls


DEAD = {"pid": 2**22 - 1, "started": 1.0}


def hand_to(job, worker, state="running"):
    """Leave the run's folder as its worker does once the device is its own."""
    tickets.withdraw(job.path)
    job.folder.write_status(state)
    job.folder.write("worker.json", worker)


def test_a_submitted_run_finishes_in_a_session_of_its_own(make_spec):
    job = submit(make_spec())
    assert job.state in ("queued", "running") and job.is_active
    job = wait_until(job, lambda it: it.folder.worker())
    worker = job.folder.worker()
    assert os.getsid(worker.pid) == worker.pid != os.getsid(0)
    assert os.readlink(f"/proc/{worker.pid}/fd/0") == os.devnull
    job = wait_until(job, lambda it: not it.is_active)
    assert (job.state, job.result.verdict) == ("finished", "too short")
    assert submit(make_spec()).state == "finished"
    assert [it.job_id for it in list_jobs()] == [job.job_id]


def test_an_active_run_is_left_alone(make_spec, started):
    job = submit(make_spec())
    assert (job.state, job.note) == ("queued", "place 1 in the queue")
    submit(make_spec())
    resume(job.job_id)
    assert [it.run for it in tickets.tickets()] == [job.path]
    assert submit(make_spec(seed=1)).note == "place 2 in the queue"
    assert len(list_jobs()) == 2 and len(started) == 1
    hand_to(job, ProcessIdentity.current().to_dict())
    assert submit(make_spec()).state == "running" and len(tickets.tickets()) == 1


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_dead_worker_is_an_interruption(make_spec, started, state):
    job = submit(make_spec())
    hand_to(job, DEAD, state)
    assert status(job.job_id).state == "interrupted"
    assert resume(job.job_id).state == "queued" and len(tickets.tickets()) == 1


def test_cancelling_a_dead_run_is_final_and_resuming_clears_it(make_spec, started):
    job = submit(make_spec())
    hand_to(job, DEAD)
    assert cancel(job.job_id).state == "cancelled"
    assert resume(job.job_id).state == "queued" and not job.folder.cancel_flag.exists()


def test_a_run_that_waits_is_cancelled_at_once_and_leaves_the_queue(make_spec, started):
    first, second = submit(make_spec()), submit(make_spec(seed=1))
    assert cancel(first.job_id).state == "cancelled"
    assert [it.run for it in tickets.tickets()] == [second.path]
    assert status(second.job_id).note == "place 1 in the queue"


def test_cancelling_what_is_over_changes_nothing(make_spec, started):
    job = submit(make_spec())
    job.folder.write_status("failed", error="broke")
    assert (cancel(job.job_id).state, job.folder.cancel_flag.exists()) == ("failed", False)


def test_a_run_that_is_being_started_is_queued(make_spec, started):
    job = submit(make_spec())
    hand_to(job, DEAD)
    with locked(job.folder.start_lock):
        assert status(job.job_id).state == "queued"


def test_a_number_used_again_is_another_process(make_spec, started):
    job = submit(make_spec())
    hand_to(job, {"pid": os.getpid(), "started": 1.0})
    assert status(job.job_id).state == "interrupted"
    assert not ProcessIdentity(pid=0, started=None).is_alive


@pytest.mark.parametrize("name", ["", "..", "../runs", ".devices", "a/b", "absent", "x" * 200])
def test_a_name_that_is_no_run_is_refused(name):
    for action in (status, cancel, resume):
        with pytest.raises(UnknownJobError):
            action(name)


def test_a_damaged_run_says_so_and_does_not_hide_the_others(make_spec, started, runs):
    job, other = submit(make_spec()), submit(make_spec(seed=1))
    for content in ("{", "[]", "{}", '{"id": 3, "crystal": {}, "protocol": {}}'):
        (job.path / "spec.json").write_text(content)
        with pytest.raises(RunFileError):
            status(job.job_id)
    (runs / "not a run").mkdir()
    assert [it.job_id for it in list_jobs()] == [other.job_id]
    (unreadable,) = unreadable_runs()
    assert unreadable.id == job.job_id and "Nothing was changed" in unreadable.reason
    submit(make_spec())
    assert status(job.job_id).spec.key == job.spec.key


def test_a_run_whose_potential_is_gone_is_still_listed(make_spec, started):
    job = submit(make_spec())
    job.folder.write_status("finished")
    del registry._ENTRIES[NAME]
    (listed,) = list_jobs()
    assert listed.spec.potential == NAME and listed.spec.settings()["potential"] == NAME
    with pytest.raises(PotentialError, match="not a potential"):
        listed.spec.check()


def test_a_kind_that_is_not_known_is_told_and_hides_nothing(make_spec, started):
    job, other = submit(make_spec()), submit(make_spec(seed=1))
    path = job.path / "spec.json"
    path.write_text(path.read_text().replace('"diffusion"', '"alchemy"'))
    assert [it.job_id for it in list_jobs()] == [other.job_id]
    assert "'alchemy' is not a kind of calculation" in unreadable_runs()[0].reason


@pytest.mark.parametrize(
    "content", ["{", "{}", '{"format": 1, "kind": "diffusion", "version": 1, "verdict": "x"}']
)
def test_a_damaged_result_can_be_made_anew_and_blocks_no_other(make_spec, content):
    job = run_job(queue.prepare(make_spec()).path)
    sound = job.result
    (job.path / "result.json").write_text(content)
    (listed,) = list_jobs()
    assert listed.state == "failed" and "runs resume" in listed.error and listed.result is None
    again = run_job(queue.prepare(make_spec()).path)
    assert again.state == "finished" and again.result.to_dict()["msd"] == sound.to_dict()["msd"]


def test_a_worker_file_that_says_nothing_is_nobody(make_spec, started):
    job = submit(make_spec())
    hand_to(job, DEAD)
    for content in ("{", '{"pid": "x"}', "[]", '{"pid": true}', '{"pid": 1e400}', f'{{"pid": {10**30}}}'):
        (job.path / "worker.json").write_text(content)
        assert status(job.job_id).state == "interrupted"


def test_a_runs_folder_that_cannot_be_written_is_told(make_spec, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(JobError, match="cannot be kept in"):
        submit(make_spec(), tmp_path / "file")


def test_a_flag_that_cannot_be_written_is_told(make_spec, started, monkeypatch):
    job = submit(make_spec())
    hand_to(job, ProcessIdentity.current().to_dict())
    job.folder.path.joinpath("cancel").symlink_to("/nowhere/at/all")
    with pytest.raises(JobError, match="could not be changed"):
        cancel(job.job_id)


def test_progress_reads_past_torn_and_repeated_lines(make_spec):
    folder = queue.prepare(make_spec())
    assert folder.progress() == [] and folder.latest() is None
    rows = [{"phase": "npt", "step": step} for step in (50, 100, 150)]
    with ProgressLog(folder) as log:
        for row in rows:
            log.add(row)
    with (folder.path / "progress.jsonl").open("ab") as stream:
        stream.write(b'{"phase": "npt", "st')
    assert folder.progress() == rows
    with ProgressLog(folder) as log:
        log.add({"phase": "npt", "step": 100})
        log.add({"phase": "nvt", "step": 150})
    assert [row["step"] for row in folder.progress()] == [50, 100, 150]
    assert folder.progress()[-1] == folder.latest() == {"phase": "nvt", "step": 150}
