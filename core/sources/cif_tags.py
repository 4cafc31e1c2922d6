"""The tags and loops of a CIF: by gemmi where the file keeps CIF's grammar, by pymatgen, who is lenient, elsewhere.

gemmi splits a file many times faster and needs none of pymatgen's imports, which take a second; what it refuses (a cut
loop, a doubled tag or block, an open quote) goes on to pymatgen, so that old, sloppy files are read too.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from core.errors import StructureError

Tags = Mapping[str, str | list[str]]
"""Values by tag in lower case: a text, or the column of a loop. Quotes are taken off."""

POSITION: Final = tuple(f"_atom_site_fract_{axis}" for axis in "xyz")
_BLOCK: Final = re.compile(r"^\s*data_", re.MULTILINE | re.IGNORECASE)


def blocks(text: str) -> list[Tags]:
    """Return the data blocks of a CIF; raise `StructureError` where a loop is cut or atoms are listed twice."""
    data_blocks = strict_blocks(text)
    if data_blocks is None:
        data_blocks = [_lenient_tags(f"data_{piece}") for piece in _BLOCK.split(f"\n{text}")[1:]]
    return data_blocks


@lru_cache(maxsize=1)
def strict_blocks(text: str) -> list[Tags] | None:
    """Return the data blocks of a CIF that keeps the grammar; None where a lenient reader is needed.

    The last file is kept: whoever asks whether pymatgen is needed reads it next.
    """
    from gemmi import cif

    try:
        document = cif.read_string(_ascii(text))
        return [dict(_strict_items(block)) for block in document]
    except (ValueError, RuntimeError):  # gemmi's own for every breach of the grammar
        return None


def _strict_items(block: Any) -> Iterator[tuple[str, str | list[str]]]:
    """Each tag with its value or column; `ValueError` for a save frame or an empty loop."""
    for item in block:
        if item.pair is not None:
            yield item.pair[0].lower(), _unquoted(item.pair[1])
        elif item.loop is not None and item.loop.values:
            tags, values = item.loop.tags, [_unquoted(value).strip() for value in item.loop.values]
            for column, tag in enumerate(tags):
                yield tag.lower(), values[column :: len(tags)]
        else:
            raise ValueError(item)


def _unquoted(value: str) -> str:
    if value[0] in "'\"":
        return value[1:-1]
    if "\n" in value:  # a text between two lines that open with a semicolon
        return " ".join(value[1:-1].strip().splitlines())
    return value


def _lenient_tags(block: str) -> Tags:
    from pymatgen.io.cif import CifBlock

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = CifBlock.from_str(block)
    except (ValueError, IndexError, ZeroDivisionError):
        raise StructureError(
            "A loop of the CIF is cut or unbalanced: its values do not fill its columns. Complete the file."
        ) from None
    in_loops = [tag.lower() for loop in parsed.loops for tag in loop]
    for tag in POSITION:
        if in_loops.count(tag) > 1:
            raise StructureError(f"The CIF gives {tag} twice; keep one list of atoms.")
    return {tag.lower(): value for tag, value in parsed.data.items()}


def _ascii(text: str) -> str:
    return text.encode("ascii", "ignore").decode("ascii")
