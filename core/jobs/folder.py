"""The folder of one run: its files, written whole or added to line by line, and read by whoever looks.

spec.json        what is asked; never changes
worker.json      process that works on it
status.json      state, times, error; replaced atomically
progress.jsonl   a line a report
cancel           flag: stop at the next step and keep the checkpoint
result.json, path.npz, and the files of core.dynamics: checkpoint and trajectory
"""

import contextlib
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from core.errors import ExplorerError, JobError, RunFileError, UnknownJobError
from core.jobs.process import ProcessIdentity
from core.jobs.spec import JobSpec
from core.settings import Settings

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,119}")
_PHASES: Final = ("npt", "nvt")


def runs_folder(given: Path | None = None) -> Path:
    """Return the folder that holds the runs: the one given, or the settings'."""
    return given or Settings.from_environment().runs


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """Paths and contents of one run's folder."""

    path: Path

    @classmethod
    def named(cls, job_id: str, runs: Path | None = None) -> "RunFolder":
        """Return an existing run's folder; raise `UnknownJobError` for a name that is none."""
        parent = runs_folder(runs)
        if not _NAME.fullmatch(job_id) or not (parent / job_id / "spec.json").is_file():
            raise UnknownJobError(job_id, parent)
        return cls(path=parent / job_id)

    @property
    def name(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def run_lock(self) -> Path:
        """Held by the worker for as long as it works."""
        return self.path / ".run.lock"

    @property
    def start_lock(self) -> Path:
        """Held by whoever starts a worker, while it does."""
        return self.path / ".start.lock"

    @property
    def cancel_flag(self) -> Path:
        """Its presence asks the worker to stop."""
        return self.path / "cancel"

    def create(self, spec: JobSpec) -> None:
        """Make the folder and its spec, unless they are there; raise `JobError` where nothing can be written."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not (self.path / "spec.json").exists():
                self.write("spec.json", spec.to_dict())
        except OSError as error:
            raise JobError(
                f"The run cannot be kept in {self.path.parent} ({error.strerror}); make the folder writable or name "
                "another with MGC_RUNS or --output."
            ) from None

    def spec(self) -> JobSpec:
        """Return what is asked; raise `RunFileError` where the file is damaged."""
        fields = self.read("spec.json")
        try:
            return JobSpec.from_dict(fields or {})
        except ExplorerError as error:
            raise RunFileError(self.path / "spec.json", str(error)) from error
        except (KeyError, TypeError, ValueError) as error:
            raise RunFileError(self.path / "spec.json", f"{type(error).__name__} {error}") from error

    def worker(self) -> ProcessIdentity | None:
        """Return the process that works, or worked, on it."""
        fields = self.read("worker.json")
        return ProcessIdentity(pid=int(fields["pid"]), started=fields.get("started")) if fields else None

    def write_status(self, state: str, **fields: Any) -> None:
        """Replace the status by this state with its time."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        kept = (self.read("status.json") or {}).get("submitted", now)
        self.write("status.json", {"state": state, "submitted": kept, "changed": now, **fields})

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file whole, or leave the old one whole."""
        temporary = self.path / f".{name}.{os.getpid()}-{threading.get_ident()}"
        try:
            with temporary.open("w", encoding="utf-8") as stream:
                json.dump(content, stream, indent=1, allow_nan=False)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(self.path / name)
        finally:
            temporary.unlink(missing_ok=True)

    def read(self, name: str) -> dict[str, Any] | None:
        """Return a JSON file's object, None where it is absent; raise `RunFileError` for anything else."""
        path = self.path / name
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise RunFileError(path, str(error)) from error
        if not isinstance(found, dict):
            raise RunFileError(path, "it is not a JSON object")
        return found

    def progress(self) -> list[dict[str, Any]]:
        """Return one row a report, in order: reports that a resumed run gave again replace those before."""
        rows: list[dict[str, Any]] = []
        for row in self._lines():
            while rows and _place(rows[-1]) >= _place(row):
                rows.pop()
            rows.append(row)
        return rows

    def latest(self) -> dict[str, Any] | None:
        """Return the last report without reading those before."""
        last = None
        for last in self._lines(tail_bytes=4096):  # noqa: B007 (the last one is meant)
            pass
        return last

    def _lines(self, tail_bytes: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield each whole line; one that a killed worker left torn, or a reader caught half written, is passed by."""
        try:
            with (self.path / "progress.jsonl").open("rb") as stream:
                size = stream.seek(0, os.SEEK_END)
                stream.seek(max(0, size - tail_bytes) if tail_bytes else 0)
                lines = stream.read().split(b"\n")
        except FileNotFoundError:
            return
        for line in lines:
            with contextlib.suppress(ValueError):
                row = json.loads(line)
                if isinstance(row, dict) and row.get("phase") in _PHASES:
                    yield row


def _place(row: Mapping[str, Any]) -> tuple[int, int]:
    return _PHASES.index(row["phase"]), int(row["step"])


class ProgressLog:
    """Adds lines to progress.jsonl, each handed to the system at once; use it as a context manager."""

    def __init__(self, folder: RunFolder) -> None:
        self._stream = (folder.path / "progress.jsonl").open("ab")
        if self._stream.tell():
            self._stream.write(b"\n")  # after a line that a killed worker left torn

    def __enter__(self) -> "ProgressLog":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def add(self, row: Mapping[str, Any]) -> None:
        """Add one report."""
        self._stream.write(json.dumps(row, allow_nan=False).encode() + b"\n")
        self._stream.flush()
