"""File locks: held by an open file, so the kernel frees them when their process dies, however it dies."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.errors import JobError
from core.settings import Settings

POLL_SECONDS: Final = 0.5


@contextmanager
def held(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold an exclusive lock on a file for the block; without `wait`, yield False at once if another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield _try_lock(descriptor, wait=wait)
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Return whether some process holds the lock; one that was never taken is not held."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def cpu_slots() -> int:
    """Return how many runs may share the CPU, from MGC_CPU_SLOTS (default 1); raise `JobError` if that is no number."""
    text = os.environ.get("MGC_CPU_SLOTS", "1")
    if not text.isdecimal() or not int(text):
        raise JobError(
            f"MGC_CPU_SLOTS is {text!r}; give the number of runs that may share the CPU, 1 or more."
        )
    return int(text)


def job_threads() -> int:
    """Return the threads of one run, from MGC_THREADS; 1 by default, as compiled potentials want it."""
    return max(int(os.environ.get("MGC_THREADS", "0")), 1)


@contextmanager
def device_slot(device: str, give_up: Callable[[], bool]) -> Iterator[bool]:
    """Wait until the device is free and hold it for the block; yield False if `give_up` came true before.

    A GPU takes one run at a time, the CPU as many as `cpu_slots`. The locks lie in the settings' runs folder, wherever
    a run writes its own files: the machine is one.
    """
    folder = Settings.from_environment().runs / ".devices"
    folder.mkdir(parents=True, exist_ok=True)
    n_slots = cpu_slots() if device == "cpu" else 1
    paths = [folder / f"{device.replace(':', '-')}-{slot}.lock" for slot in range(n_slots)]
    descriptors = [os.open(path, os.O_RDWR | os.O_CREAT, 0o644) for path in paths]
    try:
        yield _wait_for_any(descriptors, give_up)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _wait_for_any(descriptors: list[int], give_up: Callable[[], bool]) -> bool:
    while not give_up():
        if any(_try_lock(descriptor, wait=False) for descriptor in descriptors):
            return True
        time.sleep(POLL_SECONDS)
    return False


def _try_lock(descriptor: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
