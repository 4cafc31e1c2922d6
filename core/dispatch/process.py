"""Which process works on a run, told apart from a later one that got the same number."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from core.settings import ROOT

_CLOSE_S: Final = 0.5
"""Start times of one process differ by this much at most between two looks: clocks are corrected now and then."""

_SETTINGS: Final = ("MGC_", "CUDA_VISIBLE_DEVICES")
"""How the names of the variables begin that decide what a run does and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """A process number with the time it was started, seconds since the epoch; None where that cannot be known."""

    pid: int
    started: float | None

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity":
        """Return the identity of a process as it is now."""
        try:
            return cls(pid=pid, started=psutil.Process(pid).create_time())
        except (psutil.Error, ValueError):
            return cls(pid=pid, started=None)

    @classmethod
    def current(cls) -> "ProcessIdentity":
        """Return the identity of this process."""
        return cls.of(os.getpid())

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "ProcessIdentity | None":
        """Return the identity that `to_dict` gave, or None for anything else: then nobody is known to work."""
        pid, started = fields.get("pid"), fields.get("started")
        if type(pid) is not int or not isinstance(started, int | float | None):
            return None
        return cls(pid=pid, started=started)

    @property
    def is_alive(self) -> bool:
        """Whether that very process still works; one that ended and waits to be collected does not."""
        if self.pid <= 0:
            return False
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return self.started is None or abs(process.create_time() - self.started) < _CLOSE_S
        except psutil.AccessDenied:
            return True
        except (psutil.Error, OverflowError):  # a number that no process can have
            return False

    def to_dict(self) -> dict[str, Any]:
        """Return the identity as JSON holds it."""
        return {"pid": self.pid, "started": self.started}


def settings_here() -> dict[str, str]:
    """Return the settings of this process, as a process that works for it shall have them."""
    return {name: value for name, value in os.environ.items() if name.startswith(_SETTINGS)}


def start_detached(
    arguments: Sequence[str], *, log: Path, threads: int, settings: Mapping[str, str] | None = None
) -> ProcessIdentity:
    """Start Python with these arguments in a session of its own, deaf to the terminal, its output added to `log`.

    `settings` are those of whoever asks for it (`settings_here`), None for those of this process. Raises `OSError`
    where the log cannot be opened or no process started.
    """
    count = str(threads)
    others = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    own = settings_here() if settings is None else settings
    environment = others | dict(own) | {"OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count}
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, *arguments], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
            cwd=ROOT, env=environment, start_new_session=True,
        )  # fmt: skip
    # Collected when it ends, for as long as this process lives: no zombies under a long-running server.
    threading.Thread(target=process.wait, daemon=True, name=f"wait-{process.pid}").start()
    return ProcessIdentity.of(process.pid)
