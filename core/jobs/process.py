"""Which process works on a run, told apart from a later one that got the same number."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.settings import ROOT

_PROC = "/proc"
_STATE_FIELD, _START_FIELD = 0, 19  # of /proc/PID/stat, counted after the command's closing bracket


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """A process number with the start time that the kernel counts for it; None where there is no /proc."""

    pid: int
    started: str | None

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity":
        """Return the identity of a process as it is now."""
        stat = _stat(pid)
        return cls(pid=pid, started=stat[_START_FIELD] if stat else None)

    @classmethod
    def current(cls) -> "ProcessIdentity":
        """Return the identity of this process."""
        return cls.of(os.getpid())

    @property
    def is_alive(self) -> bool:
        """Whether that very process still works; one that ended and waits to be collected does not."""
        if self.pid <= 0:
            return False
        stat = _stat(self.pid)
        if stat is not None:
            return stat[_STATE_FIELD] not in "ZX" and self.started in (None, stat[_START_FIELD])
        return not Path(_PROC, "self", "stat").exists() and _answers(self.pid)

    def to_dict(self) -> dict[str, Any]:
        """Return the identity as JSON holds it."""
        return asdict(self)


def start_detached(arguments: Sequence[str], *, log: Path, threads: int) -> ProcessIdentity:
    """Start Python with these arguments in a session of its own, deaf to the terminal, its output added to `log`.

    Raises `OSError` where the log cannot be opened or no process started.
    """
    count = str(threads)
    environment = os.environ | {"OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count}
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, *arguments], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
            cwd=ROOT, env=environment, start_new_session=True,
        )  # fmt: skip
    # Collected when it ends, for as long as this process lives: no zombies under a long-running server.
    threading.Thread(target=process.wait, daemon=True, name=f"wait-{process.pid}").start()
    return ProcessIdentity.of(process.pid)


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(_PROC, str(pid), "stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None


def _answers(pid: int) -> bool:
    """Without /proc the number is all there is: signal 0 asks whether anyone has it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
