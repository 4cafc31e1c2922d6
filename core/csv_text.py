"""Tables as CSV text, safe to open in a spreadsheet: no cell of ours is run as a formula there."""

import csv
import io
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


def frame_csv(frame: "pd.DataFrame", metadata: Mapping[str, Any] | None = None) -> str:
    """Return a frame as CSV, after one `# key: value` line for each metadatum; numbers keep all their digits.

    Read it back with `pandas.read_csv(path, comment="#")`. Without metadata it is plain CSV.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    text = io.StringIO()
    for key, value in (metadata or {}).items():
        text.write(f"# {_one_line(key)}: {_one_line(value)}\n")
    safe = frame.copy()
    for name in safe.columns:
        if not (is_numeric_dtype(safe[name]) or is_bool_dtype(safe[name])):
            safe[name] = safe[name].map(_words, na_action="ignore")
    # Quoted text keeps a "#" inside a cell from being read as a comment.
    quoting = csv.QUOTE_NONNUMERIC if metadata else csv.QUOTE_MINIMAL
    safe.to_csv(text, index=False, quoting=quoting, lineterminator="\n")
    return text.getvalue()


def _one_line(value: object) -> str:
    return " ".join(str(value).split())


def _words(value: Any) -> str:
    if hasattr(value, "tolist"):
        value = value.tolist()
    return inert(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
