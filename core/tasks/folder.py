"""The folder of one run: its files, written whole or added to line by line, and read by whoever looks.

spec.json        what is asked; never changes
worker.json      process that works on it
status.json      state, times, error; replaced atomically
progress.jsonl   a line a report
cancel           flag: stop at the next step and keep the checkpoint
result.json      what came out, and the files that its kind writes: checkpoint, trajectory, pictures
"""

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.artifacts import write_json
from core.calculations import Calculation, Result, Spec, read_result, read_spec
from core.calculations.base import now
from core.dispatch.process import ProcessIdentity
from core.dispatch.tickets import RUN_LOCK, START_LOCK, WORKER_FILE
from core.errors import ExplorerError, JobError, RunFileError, UnknownJobError
from core.settings import Settings

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,119}")


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

    @classmethod
    def of(cls, spec: Spec, runs: Path | None = None) -> "RunFolder":
        """Return the folder of a spec, which need not be there yet.

        A run of an older version has a name of its time: it is found by its readable prefix and the key that its spec
        has today, so that what was done is not done again.
        """
        parent = runs_folder(runs)
        path = parent / spec.name
        if not path.exists() and parent.is_dir():
            for older in parent.glob(f"{spec.prefix}-*"):
                with contextlib.suppress(ExplorerError):
                    if cls(path=older).spec().key == spec.key:
                        return cls(path=older)
        return cls(path=path)

    @property
    def name(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def run_lock(self) -> Path:
        """Held by the worker for as long as it works."""
        return self.path / RUN_LOCK

    @property
    def start_lock(self) -> Path:
        """Held by whoever queues or withdraws it or starts a worker, while it does."""
        return self.path / START_LOCK

    @property
    def cancel_flag(self) -> Path:
        """Its presence asks the worker to stop."""
        return self.path / "cancel"

    def create(self, spec: Spec) -> None:
        """Make the folder and its spec, unless they are there; raise `JobError` where nothing can be written.

        A spec that cannot be read any more is written again: the folder's name says that it was this one.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                self.spec()
            except ExplorerError:
                write_json(self.path / "spec.json", spec.to_dict())
        except OSError as error:
            raise JobError(
                f"The run cannot be kept in {self.path.parent} ({error.strerror}); make the folder writable or name "
                "another with MGC_RUNS or --output."
            ) from None

    def spec(self) -> Spec:
        """Return what is asked; raise `RunFileError` where the file is damaged or of a kind that is not known."""
        try:
            return read_spec(self.read("spec.json") or {})
        except RunFileError:
            raise
        except ExplorerError as error:
            raise RunFileError(self.path / "spec.json", str(error)) from error

    def result(self) -> Result | None:
        """Return what came out, None where there is nothing yet; raise `RunFileError` where the file is damaged."""
        fields = self.read("result.json")
        if fields is None:
            return None
        try:
            return read_result(fields)
        except ExplorerError as error:
            raise RunFileError(self.path / "result.json", str(error)) from error

    def calculation(self) -> Calculation:
        """Return a finished run as a calculation; raise `JobError` for one without result, or damaged files."""
        result = self.result()
        if result is None:
            raise JobError(f"Run {self.name} has no result yet; wait for it, or go on with `runs resume`.")
        return Calculation(
            name=self.name, spec=self.spec(), result=result, read_file=self.read_file, folder=self.path
        )

    def read_file(self, name: str) -> bytes | None:
        """Return the bytes of a file of the folder, None where it is absent."""
        try:
            return (self.path / name).read_bytes()
        except OSError:
            return None

    def worker(self) -> ProcessIdentity | None:
        """Return the process that works, or worked, on it; None where nobody is known to."""
        try:
            return ProcessIdentity.from_dict(self.read(WORKER_FILE) or {})
        except RunFileError:
            return None

    def status(self) -> dict[str, Any]:
        """Return what the status file says; nothing where it is absent or damaged: the worker's lock tells the rest."""
        try:
            return self.read("status.json") or {}
        except RunFileError:
            return {}

    def write_status(self, state: str, **fields: Any) -> None:
        """Replace the status by this state with its time."""
        time = now()
        kept = self.status().get("submitted", time)
        self.write("status.json", {"state": state, "submitted": kept, "changed": time, **fields})

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file whole, or leave the old one whole."""
        write_json(self.path / name, dict(content))

    def read(self, name: str) -> dict[str, Any] | None:
        """Return a JSON file's object, None where it is absent; raise `RunFileError` for anything else."""
        path = self.path / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise RunFileError(path, str(error)) from error
        if not isinstance(content, dict):
            raise RunFileError(path, "it is not a JSON object")
        return content

    def progress(self) -> list[dict[str, Any]]:
        """Return one row a report, in order: reports that a resumed run gave again replace those before."""
        rows: list[dict[str, Any]] = []
        for row in self._lines():
            while rows and rows[-1]["step"] >= row["step"]:
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
                if isinstance(row, dict) and isinstance(row.get("step"), int):
                    yield row


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
