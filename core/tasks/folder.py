"""The folder of one run: its files, written whole or added to line by line, and read by whoever looks.

spec.json        what is asked; never changes
worker.json      process that works on it
status.json      state, times, error; replaced atomically
progress.jsonl   a line a report
legs.json        under which conditions it was made, from which step on
cancel           flag: stop at the next step and keep the checkpoint
result.json      what came out, and the files that its kind writes: checkpoint, trajectory, pictures
seal.json        SHA-256 of spec, result and kept files, as the worker left them
"""

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.artifacts import is_full, overwrite, why_not_written, write_json, write_text
from core.calculations import Calculation, Result, Spec, read_result, read_spec
from core.calculations.base import now
from core.dispatch.process import ProcessIdentity
from core.dispatch.tickets import RUN_LOCK, START_LOCK, WORKER_FILE
from core.errors import ExplorerError, JobError, RunFileError, UnknownJobError
from core.settings import Settings
from core.tasks.seal import SEAL_FILE, broken, seal

_RUN_NAME: Final = re.compile(r"\w.*-[0-9a-f]{10}")
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
        path = parent / job_id
        if not _NAME.fullmatch(job_id) or not path.is_dir() or not cls.is_meant_by(path):
            raise UnknownJobError(job_id, parent)
        return cls(path=path)

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

    @classmethod
    def is_meant_by(cls, path: Path) -> bool:
        """Return whether a folder is, or was, a run: by a file of runs in it, or by a name such as runs have."""
        files = ("spec.json", "status.json", "result.json", "progress.jsonl", WORKER_FILE, SEAL_FILE)
        return bool(_RUN_NAME.fullmatch(path.name)) or any((path / name).exists() for name in files)

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
                f"The run cannot be kept in {self.path.parent} ({why_not_written(self.path, error)}); make room and "
                "the folder writable, or name another with MGC_RUNS or --output."
            ) from None

    def spec(self) -> Spec:
        """Return what is asked; raise `RunFileError` where the file is damaged, or of a kind that is not known.

        So it is where the folder's name is another calculation's: names of before the kind's version are their own.
        """
        fields = self.read("spec.json")
        if fields is None:
            is_empty = not any(self.path.iterdir())
            raise RunFileError(
                self.path / "spec.json", f"it is missing{'; the folder is empty and can go' * is_empty}"
            )
        try:
            spec = read_spec(fields)
        except ExplorerError as error:
            raise RunFileError(self.path / "spec.json", str(error)) from error
        if fields.get("version") == spec.version and not spec.may_be_called(self.name):
            raise RunFileError(self.path / "spec.json", f"it was changed: it asks for {spec.name}")
        return spec

    def result(self) -> Result | None:
        """Return what came out, None where there is nothing yet.

        Raises `RunFileError` where it, or a file that belongs to it, is damaged or not as the worker left it.
        """
        fields = self.read("result.json")
        if fields is None:
            return None
        if problem := broken(self.path):
            raise RunFileError(self.path / "result.json", problem)
        try:
            return read_result(fields)
        except ExplorerError as error:
            raise RunFileError(self.path / "result.json", str(error)) from error

    def keep_result(self, spec: Spec, result: Result) -> None:
        """Write what came out with its seal; raise `OSError` as the file system does."""
        text = json.dumps(result.to_dict(), indent=1, allow_nan=False) + "\n"
        seal(self.path, ("spec.json", *spec.kept_files), text.encode())
        write_text(self.path / "result.json", text)

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

    def status(self) -> dict[str, str]:
        """Return the texts of the status file, nothing where it is absent or damaged: the worker's lock tells more."""
        try:
            fields = self.read("status.json") or {}
        except RunFileError:
            return {}
        return {name: value for name, value in fields.items() if isinstance(value, str)}

    def write_status(self, state: str, **fields: Any) -> None:
        """Replace the status by this state with its time, on a full disk in place: the reason must not be lost."""
        time = now()
        kept = self.status().get("submitted", time)
        content = {"state": state, "submitted": kept, "changed": time, **fields}
        try:
            self.write("status.json", content)
        except OSError as error:
            if not is_full(error) or not (self.path / "status.json").exists():
                raise
            overwrite(self.path / "status.json", json.dumps(content).encode())

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
        except OSError:
            return
        for line in lines:
            with contextlib.suppress(ValueError):
                row = json.loads(line)
                if _is_report(row):
                    yield row


def _is_report(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("step"), int)
        and all(isinstance(row.get(name), int | float | None) for name in ("fraction", "eta_s", "wall_s"))
    )


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
