"""A reader's own shortlist with notes, as a JSON file to take along and bring back."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from core.errors import RecordError

FORMAT: Final = 1
MAX_BYTES: Final = 200_000
MAX_NOTE: Final = 2_000

_ID = re.compile(r"[A-Za-z0-9._:-]{1,80}")


def shortlist_json(
    ids: Iterable[str], notes: Mapping[str, str], formulas: Mapping[str, str], release: str
) -> str:
    """Return a shortlist in its order, with formulas and notes, as JSON text."""
    rows = [{"id": id, "formula": formulas.get(id, ""), "note": notes.get(id, "")} for id in ids]
    return json.dumps({"format": FORMAT, "release": release, "shortlist": rows}, indent=1) + "\n"


def read_shortlist(data: bytes) -> dict[str, str]:
    """Return the notes of a shortlist by id, in its order.

    Raises `RecordError`, with what is wrong and where, for what is no such file.
    """
    if len(data) > MAX_BYTES:
        raise RecordError(f"the file has {len(data):,} bytes; a shortlist has at most {MAX_BYTES:,}.")
    try:
        content = json.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise RecordError(f"the file is not JSON ({error}); take one that this page wrote.") from None
    rows = content.get("shortlist") if isinstance(content, dict) else None
    if not isinstance(rows, list) or content.get("format") != FORMAT:
        raise RecordError(f"the file is no shortlist of format {FORMAT}; take one that this page wrote.")
    return dict(_entry(number, row) for number, row in enumerate(rows, start=1))


def _entry(number: int, row: Any) -> tuple[str, str]:
    id, note = (row.get("id"), row.get("note", "")) if isinstance(row, dict) else (None, None)
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise RecordError(f"entry {number} of the shortlist has no id of a candidate ({str(id)[:80]!r}).")
    if not isinstance(note, str) or len(note) > MAX_NOTE:
        raise RecordError(f"the note of {id} is no text of at most {MAX_NOTE:,} characters.")
    return id, note
