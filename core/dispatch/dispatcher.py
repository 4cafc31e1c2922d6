"""The process that starts waiting runs, one at a time for each free slot, and ends when nothing waits.

    python -m core.dispatch.dispatcher ARGUMENTS...      # of Python, for a worker; the run's folder follows them

All that it knows lies in the tickets: killed, it is called again by whoever submits or looks next (`call`).
"""

import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from core.artifacts import is_locked, locked, write_json
from core.dispatch.process import ProcessIdentity, start_detached
from core.dispatch.slots import POLL_SECONDS, free_slots
from core.dispatch.tickets import LOG, RUN_LOCK, START_LOCK, WORKER_FILE, Ticket, queue_folder, tickets

COMMAND: Final = ("-m", "core.dispatch.dispatcher")
_LOCK_TRIES: Final = 20
_LOCK_PAUSE_S: Final = 0.1

_log = logging.getLogger(__name__)


def call(start: Callable[[Path], ProcessIdentity]) -> None:
    """Start a dispatcher unless one lives; `start` takes the path of its log. Raises `OSError` where that fails."""
    folder = queue_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "call.lock"):
        if not _is_there():
            write_json(_identity_file(), start(folder / "dispatcher.log").to_dict())


def serve(worker: Sequence[str]) -> None:
    """Start workers until nothing waits; leave at once where another dispatcher lives."""
    for _ in range(_LOCK_TRIES):  # whoever looks holds the lock for an instant
        with locked(_lifetime_lock(), wait=False) as is_ours:
            if is_ours:
                while not _is_over():
                    take_turn(worker)
                    time.sleep(POLL_SECONDS)
                return
        time.sleep(_LOCK_PAUSE_S)


def take_turn(worker: Sequence[str]) -> None:
    """Start those whose turn it is: no run overtakes an earlier one that waits for the same device."""
    starting: Counter[str] = Counter()
    waiting = []
    for ticket in tickets():
        if ticket.worker is None:
            waiting.append(ticket)
        elif ticket.worker.is_alive:
            starting[ticket.device] += 1
        else:  # it died before the device was its own; its log says why
            ticket.discard()
    full: set[str] = set()
    for ticket in waiting:
        if ticket.device in full or free_slots(ticket.device, ticket.slots) <= starting[ticket.device]:
            full.add(ticket.device)
        elif _start(ticket, worker):
            starting[ticket.device] += 1


def _start(ticket: Ticket, worker: Sequence[str]) -> bool:
    """Start the worker of a ticket; False where the run was withdrawn, is at work, is gone, or cannot be started."""
    if not ticket.run.is_dir():
        ticket.discard()
        return False
    try:
        with locked(ticket.run / START_LOCK):
            if not ticket.file.exists():
                return False
            if is_locked(ticket.run / RUN_LOCK):
                ticket.discard()
                return False
            identity = start_detached(
                (*worker, str(ticket.run)), log=ticket.run / LOG, threads=ticket.threads, settings=ticket.settings,
            )  # fmt: skip
            ticket.handed_to(identity).write()
            write_json(ticket.run / WORKER_FILE, identity.to_dict())
    except (
        OSError
    ) as error:  # its folder is gone, or the disk is full: the run is interrupted, the others go on
        _log.error("run %s cannot be started: %s", ticket.run.name, error)
        ticket.discard()
        return False
    return True


def _is_over() -> bool:
    """Whether nothing waits; whoever puts a run into the queue from then on finds nobody and calls anew."""
    if tickets():
        return False
    with locked(queue_folder() / "call.lock"):
        if tickets():
            return False
        _identity_file().unlink(missing_ok=True)
        return True


def _is_there() -> bool:
    """Whether a dispatcher lives: of this machine by its process, of another that shares the folder by its lock."""
    try:
        fields = json.loads(_identity_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        fields = None
    identity = ProcessIdentity.from_dict(fields) if isinstance(fields, dict) else None
    return (identity is not None and identity.is_alive) or is_locked(_lifetime_lock())


def _identity_file() -> Path:
    return queue_folder() / "dispatcher.json"


def _lifetime_lock() -> Path:
    return queue_folder() / "dispatcher.lock"


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    serve(sys.argv[1:])
