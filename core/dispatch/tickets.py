"""Runs that wait, one small file each, in the order in which they were asked for.

They lie in `.queue` of the settings' runs folder, wherever a run writes its own files: the machine is one.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from core.artifacts import write_json
from core.dispatch.process import ProcessIdentity, settings_here
from core.settings import Settings

START_LOCK: Final = ".start.lock"
"""In a run's folder: held by whoever queues the run, withdraws it or starts its worker, while it does."""

RUN_LOCK: Final = ".run.lock"
"""In a run's folder: held by the worker for as long as it works."""

WORKER_FILE: Final = "worker.json"
LOG: Final = "worker.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A run that waits for one of the `slots` of its device; `worker` is the process once one was started.

    `settings` are those of whoever asked: the dispatcher may have been called with others. The worker gives the ticket
    up when the device is its own.
    """

    file: Path
    run: Path
    device: str
    slots: int
    threads: int
    settings: Mapping[str, str]
    worker: ProcessIdentity | None = None

    def write(self) -> None:
        """Put it into the queue, or keep what has changed; raise `OSError` as the file system does."""
        content = {
            "run": str(self.run), "device": self.device, "slots": self.slots, "threads": self.threads,
            "settings": dict(self.settings), "worker": None if self.worker is None else self.worker.to_dict(),
        }  # fmt: skip
        write_json(self.file, content)

    def handed_to(self, worker: ProcessIdentity) -> "Ticket":
        """Return the ticket with the process that was started for it."""
        return replace(self, worker=worker)

    def discard(self) -> None:
        """Take it out of the queue."""
        self.file.unlink(missing_ok=True)


def queue_folder() -> Path:
    """Return where the tickets lie."""
    return Settings.from_environment().runs / ".queue"


def draw(run: Path, *, device: str, slots: int, threads: int) -> Ticket:
    """Put a run at the end of the queue, with the settings of this process; raise `OSError` where that fails."""
    folder = queue_folder()
    folder.mkdir(parents=True, exist_ok=True)
    ticket = Ticket(
        file=folder / f"{time.time_ns():020d}-{run.name}.json", run=run.resolve(), device=device, slots=slots,
        threads=threads, settings=settings_here(),
    )  # fmt: skip
    ticket.write()
    return ticket


def tickets() -> list[Ticket]:
    """Return all tickets, the oldest first; one that cannot be read is taken out, and its run is interrupted."""
    found = []
    for file in _files():
        ticket = _read(file)
        if ticket is None:
            file.unlink(missing_ok=True)
        else:
            found.append(ticket)
    return found


def ticket_of(run: Path) -> Ticket | None:
    """Return the ticket of a run, None where it has none."""
    found = (_read(file) for file in _files() if _run_name(file) == run.name)
    return next((it for it in found if it is not None and it.run == run.resolve()), None)


def place_of(ticket: Ticket) -> int:
    """Return the place of a ticket in the queue, the first is 1."""
    return sum(file.name <= ticket.file.name for file in _files())


def withdraw(run: Path) -> None:
    """Take a run out of the queue; one that is not in it stays so."""
    while (ticket := ticket_of(run)) is not None:
        ticket.discard()


def _files() -> list[Path]:
    folder = queue_folder()
    return sorted(folder.glob("[0-9]*.json")) if folder.is_dir() else []


def _run_name(file: Path) -> str:
    return file.name.removesuffix(".json").partition("-")[2]


def _read(file: Path) -> Ticket | None:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        worker = content["worker"]
        return Ticket(
            file=file, run=Path(content["run"]), device=str(content["device"]), slots=int(content["slots"]),
            threads=int(content["threads"]), settings=dict(content["settings"]),
            worker=None if worker is None else ProcessIdentity.from_dict(worker),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
