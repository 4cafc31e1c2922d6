"""Devices that runs share: one run at a time on a GPU, as many as the settings allow on the CPU."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from core.artifacts import locked
from core.settings import Settings

POLL_SECONDS: Final = 0.5


@contextmanager
def device_slot(device: str, give_up: Callable[[], bool]) -> Iterator[bool]:
    """Wait until the device is free and hold it for the block; yield False if `give_up` came true before.

    The locks lie in the settings' runs folder, wherever a run writes its own files: the machine is one.
    """
    settings = Settings.from_environment()
    folder = settings.runs / ".devices"
    folder.mkdir(parents=True, exist_ok=True)
    n_slots = settings.cpu_slots if device == "cpu" else 1
    paths = [folder / f"{device.replace(':', '-')}-{slot}.lock" for slot in range(n_slots)]
    with ExitStack() as held:
        while not give_up():
            if any(held.enter_context(locked(path, wait=False)) for path in paths):
                yield True
                return
            time.sleep(POLL_SECONDS)
        yield False
