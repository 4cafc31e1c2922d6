"""Work over processes: in order, tools loaded once in each, and a process that dies is told."""

import operator
import os
import signal

import pytest

from core.errors import ModelError
from core.voltage.workers import Workers


def test_a_few_are_made_here_and_many_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGC_THREADS", "2")
    workers = Workers(os.getpid, operator.mul, pays_from=4)
    assert list(workers([1, 2, 3])) == [os.getpid(), 2 * os.getpid(), 3 * os.getpid()]
    made = list(workers([1] * 8))
    assert os.getpid() not in made and len(set(made)) <= 2
    assert [it % 10 for it in Workers(int, operator.add, pays_from=4)(range(8))] == list(range(8))


def test_one_thread_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGC_THREADS", "1")
    assert list(Workers(os.getpid, operator.mul, pays_from=2)([1] * 4)) == [os.getpid()] * 4


def test_a_process_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGC_THREADS", "2")
    with pytest.raises(ModelError, match="MGC_THREADS=1"):
        list(Workers(os.getpid, os.kill, pays_from=2)([signal.SIGKILL] * 2))
