"""How much of an untrusted file is looked at, and how long."""

from dataclasses import dataclass
from typing import Final

MAX_INPUT_BYTES: Final = 2_000_000
"""Largest structure file, and largest line of JSON lines."""

MAX_SITES: Final = 400
"""Most sites of a CIF, POSCAR or JSON file, after symmetry."""

MAX_SITES_PER_LINE: Final = 2000
"""Most sites of one line of JSON lines: plain numbers cost less than a CIF."""

MAX_BLANK_LINES: Final = 10_000
"""Most empty lines of a JSON lines file: more hold a reader up without a structure."""

START_S: Final = 120.0
"""How long the parser may load its libraries: pymatgen takes a second, and longer on a busy disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseLimits:
    """What one file may cost the process that parses it.

    Time counts from the hand-over of the file, after the libraries are loaded. Processor time is the limit that an
    honest file can be held to on a busy machine; wall time catches a parser that waits instead of working.
    """

    cpu_s: float = 5.0
    wall_s: float = 15.0
    memory_bytes: int = 1 << 30
    max_sites: int = MAX_SITES
