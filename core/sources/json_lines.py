"""JSON lines of structures, plain or gzip, read one line at a time with a limit on each."""

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, cast

from core.errors import ExplorerError, SourceError, StructureError
from core.records import Crystal, FailedInput
from core.sources.limits import MAX_BLANK_LINES, MAX_INPUT_BYTES, MAX_SITES_PER_LINE
from core.sources.plain import crystal_from_dict, formula_of, loads, working_ion_of
from core.sources.text import readable_id

_GZIP_MAGIC: Final = b"\x1f\x8b"
_ID: Final = re.compile(rb'"id"\s*:\s*"([A-Za-z0-9._:-]{1,80})"')
_BOMB_BYTES: Final = 64_000_000
_BOMB_RATIO: Final = 100
"""A file that unpacks to more than `_BOMB_BYTES` and to `_BOMB_RATIO` times its size holds no structures."""


def read_json_lines(path: Path, *, source: str = "file") -> Iterator[Crystal | FailedInput]:
    """Yield the crystal of each line, in order; a line that holds none yields the reason, with its id if it has one.

    Blank lines are passed over, up to `MAX_BLANK_LINES`. A file that is damaged, absurdly compressed or has more of
    them yields one last failure. Raises `SourceError` where the file cannot be opened.
    """
    number = n_blank = 0
    try:
        for number, line in enumerate(_lines(path), start=1):
            if line.strip():
                yield _crystal_of(line, f"{path.name}:{number}", source)
            elif (n_blank := n_blank + 1) > MAX_BLANK_LINES:
                raise StructureError(
                    f"The file has over {MAX_BLANK_LINES:,} empty lines; stopped at line {number:,}. Remove them "
                    "(`grep -v '^ *$'`) and give it again."
                )
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = f"The compressed file is damaged after line {number}: {error}. Copy it again."
        yield FailedInput(id=f"{path.name}:{number + 1}", reason=reason)
    except StructureError as error:
        yield FailedInput(id=f"{path.name}:{number + 1}", reason=str(error))


def _lines(path: Path) -> Iterator[bytes]:
    try:
        raw = path.open("rb")
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.") from None
    with raw:
        packed = raw.read(2) == _GZIP_MAGIC
        raw.seek(0)
        stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw) if packed else raw)
        limit = max(_BOMB_BYTES, _BOMB_RATIO * path.stat().st_size) if packed else None
        yield from _bounded_lines(stream, limit)


def _bounded_lines(stream: IO[bytes], limit: int | None) -> Iterator[bytes]:
    """Lines without their ends. Of one over `MAX_INPUT_BYTES`, so much that it is seen to be too long."""
    total = 0
    while piece := stream.readline(MAX_INPUT_BYTES + 1):
        line = piece
        while True:
            total += len(piece)
            if limit is not None and total > limit:
                raise StructureError(
                    f"The file unpacks to over {limit:,} bytes, far more than structures do; stopped."
                )
            if piece.endswith(b"\n") or not (piece := stream.readline(MAX_INPUT_BYTES + 1)):
                break
        yield line


def _crystal_of(line: bytes, place: str, source: str) -> Crystal | FailedInput:
    data: dict[str, Any] = {}
    try:
        if len(line) > MAX_INPUT_BYTES:
            raise StructureError(
                f"The line is longer than {MAX_INPUT_BYTES:,} bytes; keep one structure in it."
            )
        data = loads(line.decode("utf-8-sig"))
        id = readable_id(data.get("id", place))
        return crystal_from_dict(data, id=id, source=source, max_sites=MAX_SITES_PER_LINE)
    except UnicodeDecodeError:
        return _failed(line, data, place, "The line is not UTF-8 text.")
    except ExplorerError as error:
        return _failed(line, data, place, str(error))


def _failed(line: bytes, data: dict[str, Any], place: str, reason: str) -> FailedInput:
    try:
        ion = working_ion_of(data)
    except ExplorerError:
        ion = None
    id_match = _ID.search(line)
    try:
        id = readable_id(data["id"]) if "id" in data else id_match[1].decode() if id_match else place
    except StructureError:
        id = place
    return FailedInput(id=id, reason=reason, formula=formula_of(data), working_ion=ion)
