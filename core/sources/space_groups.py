"""Settings of space groups by the names and numbers that CIFs write, from spglib's database of 530 Hall symbols."""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Operation = tuple[FloatArray, FloatArray]
"""Rotation (3, 3) and translation (3,), both in fractional coordinates."""

_HALL_NUMBERS: Final = range(1, 531)
_USUAL_CHOICES: Final = frozenset({"", "b", "b1", "1", "2", "H", "R"})
_SUFFIXES: Final = {"1": "1", "2": "2", "S": "1", "Z": "2", "H": "H", "R": "R"}
"""How a chosen origin or axes is written behind a symbol: `:1`, `:2`, S, Z (ICSD), H and R."""


def settings(name: str) -> list[list[Operation]]:
    """Return the operations of each setting that a Hermann-Mauguin symbol or a number (1-230) may mean.

    None where it is not known; several where origin (1 or 2) or axes (hexagonal or rhombohedral) are left open.
    """
    compact = re.sub(r"[\s_]", "", name)
    hall_numbers = _by_name().get(compact, [])
    if not hall_numbers and (match := re.fullmatch(r"(.+?):?([12SZHR])", compact)):
        choice = _SUFFIXES[match[2]]
        hall_numbers = [hall for hall in _by_name().get(match[1], []) if _type(hall).choice == choice]
    return [_operations(hall) for hall in hall_numbers]


@cache
def _by_name() -> dict[str, list[int]]:
    names: dict[str, list[int]] = defaultdict(list)
    for hall in _HALL_NUMBERS:
        for name in _names(hall):
            names[name].append(hall)
    return names


def _names(hall: int) -> Iterator[str]:
    """The full symbol; of a monoclinic group with axis b its short form too; the number, of a usual setting."""
    group = _type(hall)
    words = group.international.split("=")[-1].replace("_", "").split()
    yield "".join(words)
    if len(words) == 4 and words[1] == words[3] == "1":
        yield words[0] + words[2]
    if group.choice in _USUAL_CHOICES:
        yield str(group.number)


@cache
def _type(hall: int) -> Any:
    import spglib

    return spglib.get_spacegroup_type(hall)


def _operations(hall: int) -> list[Operation]:
    import spglib

    symmetry: Any = spglib.get_symmetry_from_database(hall)
    rotations, translations = symmetry["rotations"], symmetry["translations"]
    return [(rotation.astype(float), shift) for rotation, shift in zip(rotations, translations, strict=True)]
