"""What commands share on their way out: tables that appear whole or not at all, and progress bars on stderr."""

import argparse
import contextlib
import sys
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from core.artifacts import replacing
from core.errors import ExplorerError, SourceError, UnknownIonError
from core.ions import charge_number
from core.settings import Settings

if TYPE_CHECKING:
    from tqdm import tqdm


@contextlib.contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Yield stdout, or a file beside `path` that takes its place only when the block ends well."""
    if path is None:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(
                line_buffering=True
            )  # a reader of the pipe sees each row, and a kill loses none
        yield sys.stdout
        sys.stdout.flush()
        return
    target = path.resolve()
    if target.is_dir() or not target.parent.is_dir():
        raise ExplorerError(f"Cannot write {path}: it must be a file name in a folder that exists.")
    if target.exists() and not target.is_file():  # a pipe or a device is written to, never replaced
        with target.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    with replacing(target) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def progress(iterable: Iterable[Any] | None = None, **options: Any) -> "tqdm[Any]":
    """Return a progress bar on stderr that stays quiet where stderr is not a terminal."""
    from tqdm import tqdm

    return tqdm(iterable, file=sys.stderr, disable=None, dynamic_ncols=True, **options)


class StageBars:
    """One progress bar after the other, from calls of (stage, done, total)."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> "StageBars":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def update(self, stage: str, done: int, total: int) -> None:
        """Move the bar of a stage, opening it when the stage is new."""
        if self._bar is None or stage != self._stage:
            self.__exit__()
            self._stage, self._bar = stage, progress(desc=stage, total=total)
        self._bar.update(done - self._bar.n)


def note(message: str) -> None:
    """Say one line on stderr, so that stdout holds nothing but the result."""
    print(message, file=sys.stderr)


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add `--data`."""
    parser.add_argument(
        "--data", type=Path, help="folder of the reference data (default MGC_DATA, ../shared/data)"
    )


def reference_data(given: Path | None) -> Path:
    """Return the folder of the reference data; an absent one is a `SourceError`."""
    folder = given or Settings.from_environment().data
    if not folder.is_dir():
        raise SourceError(f"No reference data in {folder}; name its folder with --data or MGC_DATA.")
    return folder


def parsed_ion(text: str) -> str:
    """Read an `--ion` argument; an element without labelled electrodes is refused with the known ones."""
    try:
        charge_number(text)
    except UnknownIonError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text
