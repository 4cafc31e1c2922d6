"""A folder to calculate in, without a queue: for tests that call a spec's `run` themselves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.calculations import Context, Result, Spec, Stopped


class Here(Context):
    """A folder, and a stop after some reports; nothing that was needed is there."""

    def __init__(self, folder: Path, stop_after: int | None = None) -> None:
        self.folder, self.device = folder, "cpu"
        self.rows: list[Mapping[str, Any]] = []
        self.stop_after = stop_after

    def should_stop(self) -> bool:
        return self.stop_after is not None and len(self.rows) >= self.stop_after

    def say(self, note: str) -> None:
        if self.should_stop():
            raise Stopped

    def report(self, row: Mapping[str, Any]) -> None:
        self.rows.append(row)

    def seconds_before(self) -> float:
        return 0.0

    def needed(self, spec: Spec) -> tuple[Result, Path]:
        raise AssertionError
