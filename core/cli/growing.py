"""A CSV file that grows row by row and outlives a kill: `NAME.part` until it is whole, then NAME."""

import contextlib
import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

from core.artifacts import locked, sync_folder
from core.cli.output import note, open_output
from core.errors import SourceError

PART: Final = ".part"

Rows = list[dict[str, str]]
"""Rows that an earlier run wrote, as text by column."""


@contextlib.contextmanager
def growing_output(
    path: Path | None, columns: Sequence[str], *, resume: bool
) -> Iterator[tuple[TextIO, Rows]]:  # fmt: skip
    """Yield a stream for CSV lines, each on disk once it is written, and the rows that an earlier run left.

    The stream stands after those rows; their header is there. Where the block fails, the rows stay in `NAME.part`.
    Standard output, pipes and devices have no earlier rows. Raises `SourceError` for rows of an earlier run that
    `resume` was not asked for, of other columns, or that another process is writing.
    """
    if path is None or (path.exists() and not path.is_file()) or not path.resolve().parent.is_dir():
        with open_output(path) as stream:
            yield stream, []
        return
    target = path.resolve()
    part, lock = target.with_name(target.name + PART), target.with_name(f".{target.name}.lock")
    with locked(lock, wait=False) as is_ours:
        if not is_ours:
            raise SourceError(f"Another process is writing {path}; wait for it, or name another output.")
        try:
            rows = _rows_there(part, columns, resume=resume)
            with part.open("a", encoding="utf-8", newline="", buffering=1) as stream:
                yield stream, rows
                os.fsync(stream.fileno())
            part.replace(target)
            sync_folder(target.parent)
        finally:
            _leave(part, columns)
            lock.unlink(missing_ok=True)


def _rows_there(part: Path, columns: Sequence[str], *, resume: bool) -> Rows:
    """The whole rows of an earlier run; a line that a kill cut is dropped from the file."""
    if not part.exists():
        return []
    text = part.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    head, *lines = csv.reader(whole.splitlines()) if whole else [list(columns)]
    if lines and not resume:
        raise SourceError(
            f"{part} holds {len(lines)} rows of a run that was stopped; go on with --resume, or name another output."
        )
    if head != list(columns):
        raise SourceError(f"{part} has other columns than are written now; name another output.")
    if len(whole) < len(text):
        with part.open("r+", encoding="utf-8", newline="") as stream:
            stream.truncate(len(whole.encode()))
    return [dict(zip(columns, line, strict=True)) for line in lines]


def _leave(part: Path, columns: Sequence[str]) -> None:
    """Say where the rows are, or remove a file that holds none."""
    if not part.exists():
        return
    if part.stat().st_size > len(",".join(columns)) + 1:
        note(f"The rows so far are in {part}; go on with --resume.")
    else:
        part.unlink()
