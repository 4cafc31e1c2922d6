"""One process holds the queue: it starts no more than the slots allow, in order, and can be killed."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from core.artifacts import locked
from core.dispatch import dispatcher, tickets
from core.dispatch.process import start_detached
from core.dispatch.tickets import LOG, RUN_LOCK, draw, ticket_of, withdraw

WORKER = (str(Path(__file__).with_name("light_worker.py")),)
PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MGC_RUNS", str(tmp_path / "runs"))
    yield tmp_path / "runs"
    for process in processes(str(tmp_path)) + dispatchers():  # of a test that failed
        process.kill()


def asked(runs: Path, names: Sequence[str], slots: int = 1) -> list[Path]:
    folders = [runs / name for name in names]
    for folder in folders:
        folder.mkdir(parents=True)
        draw(folder, device="cpu", slots=slots, threads=1)
    return folders


def call() -> None:
    dispatcher.call(lambda log: start_detached((*dispatcher.COMMAND, *WORKER), log=log, threads=1))


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def processes(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if mark in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def dispatchers() -> list[psutil.Process]:
    return processes(f"{dispatcher.COMMAND[1]} {WORKER[0]}")


def test_as_many_work_as_there_are_slots_in_the_order_in_which_they_were_asked_for(runs, monkeypatch):
    monkeypatch.setenv("MGC_CPU_SLOTS", "2")
    folders = asked(runs, [f"run-{number}" for number in range(5)], slots=2)
    call()
    until(lambda: all((it / "began").exists() for it in folders[:2]))
    (alone,) = dispatchers()
    assert len(processes(str(runs))) == 2 and not (folders[2] / "began").exists()
    assert alone.memory_full_info().uss < 30e6, "what waits must hold next to no memory"
    for folder in folders:
        (folder / "end").touch()
    until(lambda: all((it / "done").exists() for it in folders))
    began = [int((it / "began").read_text()) for it in folders]
    assert max(began[:2]) < min(began[2:]) and tickets.tickets() == []
    until(lambda: not dispatchers())


def test_a_killed_dispatcher_is_called_again_and_starts_nothing_twice(runs):
    first, second = asked(runs, ["first", "second"])
    call()
    until(lambda: (first / "began").exists())
    (killed,) = dispatchers()
    os.kill(killed.pid, signal.SIGKILL)
    until(lambda: not dispatchers())
    call()
    call()
    assert len(dispatchers()) == 1
    (first / "end").touch()
    (second / "end").touch()
    until(lambda: (second / "done").exists())
    until(lambda: not dispatchers())


def test_a_second_dispatcher_leaves_at_once(runs, monkeypatch):
    monkeypatch.setattr(dispatcher, "_LOCK_PAUSE_S", 0.001)
    (folder,) = asked(runs, ["run"])
    with locked(tickets.queue_folder() / "dispatcher.lock"):
        dispatcher.serve(("unused",))
    assert ticket_of(folder) is not None


def test_one_that_serves_on_another_machine_is_left_to_it(runs):
    """Its number means nothing here, or names another process; its lock is seen through the shared folder."""
    asked(runs, ["run"])
    for content in ('{"pid": 4194303, "started": 1.0}', "{"):
        (tickets.queue_folder() / "dispatcher.json").write_text(content)
        with locked(tickets.queue_folder() / "dispatcher.lock"):
            dispatcher.call(lambda log: pytest.fail("a second one was started"))


def test_what_cannot_start_blocks_no_other(runs):
    gone, broken, cut, sound = asked(runs, ["gone", "broken", "cut", "sound"])
    gone.rmdir()
    (broken / "broken").touch()
    ticket_of(cut).file.write_text("{")
    (sound / "end").touch()
    call()
    until(lambda: (sound / "done").exists())
    until(lambda: not dispatchers())
    assert tickets.tickets() == [] and not (broken / "began").exists() and not (cut / "began").exists()


def test_a_run_that_another_process_works_on_needs_no_worker(runs):
    (folder,) = asked(runs, ["run"])
    with locked(folder / RUN_LOCK):
        dispatcher.take_turn(("-c", "raise SystemExit"))
    assert tickets.tickets() == [] and not (folder / "worker.json").exists()


def test_a_worker_has_the_settings_of_who_asked(runs, monkeypatch):
    monkeypatch.setenv("MGC_THREADS", "7")
    (folder,) = asked(runs, ["run"])
    monkeypatch.delenv("MGC_THREADS")
    monkeypatch.setenv("MGC_CPU_SLOTS", "5")
    script = "import os, sys; print(sorted(k for k in os.environ if k[:4] == 'MGC_'))"
    dispatcher.take_turn(("-c", script))
    until((folder / LOG).read_text)
    assert (folder / LOG).read_text() == "['MGC_RUNS', 'MGC_THREADS']\n"


def test_runs_of_one_name_in_two_folders_are_two(runs, tmp_path):
    here, there = asked(runs, ["run"])[0], asked(tmp_path / "other", ["run"])[0]
    assert tickets.place_of(ticket_of(here)) == 1 and tickets.place_of(ticket_of(there)) == 2
    withdraw(here)
    assert ticket_of(here) is None and tickets.place_of(ticket_of(there)) == 1
