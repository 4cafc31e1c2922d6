"""Files that are whole or not there: written beside, brought to disk, renamed."""

from pathlib import Path

from core.artifacts import why_not_written, write_bytes
from core.errors import CheckpointError


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content at once; on a full or read-only disk raise `CheckpointError`, the old file whole."""
    try:
        write_bytes(path, content)
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> CheckpointError:
    """Return what to raise where a run's file cannot be written."""
    return CheckpointError(
        f"{path.name} could not be written in {path.parent} ({why_not_written(path.parent, error)}); the last "
        "checkpoint is whole. Free some space or choose another folder, then resume."
    )
