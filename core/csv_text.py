"""Tables as CSV text, safe to open in a spreadsheet: no cell of ours is run as a formula there."""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    import pandas as pd

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def inert(text: str) -> str:
    """Return a text with a leading apostrophe where a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def cell(value: Any) -> str:
    """Return a value as CSV text: nothing for None and NaN, `true` and `false`, six decimals, lists with spaces."""
    if isinstance(value, list | tuple):
        return " ".join(str(item) for item in value)
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return cell(value.tolist())
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6f}"
    return str(value) if isinstance(value, int) else inert(str(value))


def write_rows(
    stream: TextIO, columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, header: bool = True
) -> int:  # fmt: skip
    """Write a CSV header and one line a row, absent columns empty; return the number of rows."""
    writer = csv.writer(stream, lineterminator="\n")
    if header:
        writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([cell(row.get(column)) for column in columns])
        count += 1
    return count


def frame_csv(frame: "pd.DataFrame") -> str:
    """Return a frame as plain CSV, numbers to six significant digits; what it is goes into a side-car beside it."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    text = io.StringIO()
    safe = frame.copy()
    for name in safe.columns:
        if not (is_numeric_dtype(safe[name]) or is_bool_dtype(safe[name])):
            safe[name] = safe[name].map(_words, na_action="ignore")
    safe.to_csv(text, index=False, lineterminator="\n", float_format="%.6g")
    return text.getvalue()


def zipped(files: Mapping[str, str]) -> bytes:
    """Return text files by name as one zip archive, the same bytes for the same texts."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in files.items():
            opened.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def _words(value: Any) -> str:
    if hasattr(value, "tolist"):
        value = value.tolist()
    return inert(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
