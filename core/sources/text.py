"""Names, words and bytes of untrusted files: what may be repeated to a user, and what is text at all."""

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final

from core.errors import StructureError
from core.sources.limits import MAX_INPUT_BYTES

_COMPRESSED: Final = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_HTML: Final = re.compile(
    r"\s*(<\?xml[^>]*>)?\s*(<!--.*?-->)?\s*<(!doctype|html|head|body|script)\b", re.I | re.S
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def safe_name(name: str) -> str:
    """Return the last part of a file's name with all but letters, digits and `._:-` replaced, at most 80 long."""
    last = PurePosixPath(PureWindowsPath(name).name).name
    cleaned = re.sub(r"[^A-Za-z0-9._:-]+", "_", last).lstrip(".-")[:80]
    return cleaned or "structure"


def quoted(value: Any) -> str:
    """Return a piece of an untrusted file that an error message may repeat: short, plain and in quotes."""
    plain = re.sub(r"[^A-Za-z0-9 .,:+/'?_-]", "?", str(value))
    return f'"{plain[:40]}"' + ("..." if len(plain) > 40 else "")


def readable_id(value: Any) -> str:
    """Return an id that may stand in a table, or raise `StructureError`."""
    if isinstance(value, str) and 0 < len(value) <= 80 and value.isprintable() and value.strip() == value:
        return value
    raise StructureError(f"The id {quoted(value)} must be a text of 1 to 80 printable characters.")


def decode(data: bytes) -> str:
    """Return the text of a structure file, or raise `StructureError` with what it is instead.

    A byte-order mark is read and dropped; bytes that are not UTF-8 are taken as Latin-1, as old CIFs write them.
    """
    if len(data) > MAX_INPUT_BYTES:
        raise StructureError(
            f"The file has more than {MAX_INPUT_BYTES:,} bytes, the most that is read. Keep one structure in it, "
            "without reflection lists or volumetric data."
        )
    if data.startswith(_COMPRESSED):
        raise StructureError("The file is compressed; unpack it and give the CIF, POSCAR or JSON inside.")
    text = _decoded(data)
    if not text.strip():
        raise StructureError("The file is empty; give a CIF, a POSCAR or a JSON structure.")
    if _CONTROL.search(text):
        raise StructureError("The file is binary, not text; give a CIF, a POSCAR or a JSON structure.")
    if _HTML.match(text):
        raise StructureError(
            "The file is a web page, not a structure; download the CIF itself (the link's target, not the page)."
        )
    return text


def _decoded(data: bytes) -> str:
    if data.startswith(_UTF16):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
