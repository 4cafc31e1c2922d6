"""Devices that runs share: one run at a time on a GPU, as many as the settings allow on the CPU."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from core.artifacts import is_locked, locked
from core.settings import Settings

POLL_SECONDS: Final = 0.5


@contextmanager
def device_slot(device: str, give_up: Callable[[], bool]) -> Iterator[bool]:
    """Wait until the device is free and hold it for the block; yield False if `give_up` came true before.

    The locks lie in the settings' runs folder, wherever a run writes its own files: the machine is one.
    """
    paths = _slots(device, slots_of(device))
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        while not give_up():
            if any(held.enter_context(locked(path, wait=False)) for path in paths):
                yield True
                return
            time.sleep(POLL_SECONDS)
        yield False


def slots_of(device: str) -> int:
    """Return how many runs may share a device."""
    return Settings.from_environment().cpu_slots if device == "cpu" else 1


def free_slots(device: str, n_slots: int) -> int:
    """Return how many of the slots of a device no process holds now."""
    return sum(not is_locked(path) for path in _slots(device, n_slots))


def _slots(device: str, n_slots: int) -> list[Path]:
    folder = Settings.from_environment().runs / ".devices"
    return [folder / f"{device.replace(':', '-')}-{slot}.lock" for slot in range(n_slots)]
