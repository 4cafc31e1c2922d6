"""Symmetry of a CIF: its operations, read without evaluating them, and all atoms of the cell from the listed ones."""

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import StructureError
from core.sources.space_groups import Operation, settings
from core.sources.text import quoted

FloatArray = NDArray[np.float64]
MAX_OPERATIONS: Final = 192
SAME_POSITION_A: Final = 0.1
METRIC_TOLERANCE: Final = 0.05

_TERM: Final = re.compile(r"([+-]?)(?:([xyz])|(\d+(?:\.\d*)?(?:/\d+)?|\.\d+))")
_COMPONENT: Final = re.compile(rf"(?:{_TERM.pattern})(?:(?=[+-]){_TERM.pattern})*")
_LISTED: Final = ("_symmetry_equiv_pos_as_xyz", "_space_group_symop_operation_xyz")
_SYMBOLS: Final = (
    "_symmetry_space_group_name_h-m", "_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m_alt",
    "_space_group_name_h-m",
)  # fmt: skip
_NUMBERS: Final = ("_symmetry_int_tables_number", "_space_group_it_number")
_REMEDY: Final = "Export the CIF with its list of operations (_symmetry_equiv_pos_as_xyz)."


def operations(tags: Mapping[str, Any], lattice_a: FloatArray) -> list[Operation]:
    """Return the symmetry operations that a CIF lists, or that its space group has; the identity where it names none.

    Raises `StructureError` for operations that are not crystallographic, too many, foreign to the cell, or that a bare
    symbol leaves open (the 24 groups with two origins).
    """
    if any("magn_operation" in tag for tag in tags):
        raise StructureError(
            "The CIF describes a magnetic space group; export the crystal without magnetism."
        )
    listed = next((tags[tag] for tag in _LISTED if tags.get(tag)), None)
    if listed is None:
        group = _from_space_group(tags, lattice_a)
    else:
        lines = [listed] if isinstance(listed, str) else listed
        if len(lines) > MAX_OPERATIONS:
            raise StructureError(
                f"The CIF lists {len(lines):,} symmetry operations; no space group has more than {MAX_OPERATIONS}."
            )
        group = [parse_operation(line) for line in lines]
    if not _fits(group, lattice_a):
        raise StructureError(
            f"The CIF's cell does not have the symmetry of its operations or group. {_REMEDY}"
        )
    return group


def parse_operation(text: str) -> Operation:
    """Return the operation of a text such as `-y, x-y, z+1/3`; raise `StructureError` for anything else in it."""
    # Not gemmi.Op: it rounds shifts to 1/24 in silence (0.123 becomes 1/8), refuses fifths, reads `a,b,c` and `z/2`,
    # and takes rotations that do not keep the volume.
    components = text.lower().replace(" ", "").split(",")
    if len(text) > 80 or len(components) != 3 or not all(map(_COMPONENT.fullmatch, components)):
        raise StructureError(f"{quoted(text)} is no symmetry operation; one like -x, y+1/2, z is needed.")
    rotation, translation = np.zeros((3, 3)), np.zeros(3)
    for row, component in enumerate(components):
        for sign, axis, shift in _TERM.findall(component):
            factor = -1.0 if sign == "-" else 1.0
            if axis:
                rotation[row, "xyz".index(axis)] += factor
            elif re.fullmatch(r".*/0+", shift):
                raise StructureError(f"{quoted(text)} divides by zero; correct the symmetry operation.")
            else:
                translation[row] += factor * _fraction(shift)
    if round(abs(np.linalg.det(rotation)), 6) != 1.0:
        raise StructureError(
            f"{quoted(text)} does not keep the volume; it is no symmetry operation of a crystal."
        )
    return rotation, translation


def expand(
    symbols: Sequence[str],
    positions: FloatArray,
    group: Sequence[Operation],
    lattice_a: FloatArray,
    max_sites: int,
) -> tuple[list[str], FloatArray]:
    """Return species and positions, (n_sites, 3) fractional in [0, 1), of the whole cell.

    Images of one atom nearer than 0.1 angstrom are one site. Raises `StructureError` as soon as `max_sites` is passed.
    """
    rotations = np.array([rotation for rotation, _ in group])
    translations = np.array([translation for _, translation in group])
    if len(group) == 1:
        moved = positions @ rotations[0].T + translations[0]
        return list(symbols), moved - np.floor(moved)
    species: list[str] = []
    sites: list[FloatArray] = []
    for symbol, position in zip(symbols, positions, strict=True):
        images = rotations @ position + translations
        images -= np.floor(images)
        apart = images[:, None] - images[None]
        distance_a = np.linalg.norm((apart - np.round(apart)) @ lattice_a, axis=-1)
        first_twin = np.argmax(distance_a < SAME_POSITION_A, axis=1)
        distinct = images[first_twin == np.arange(len(images))]
        if len(set(np.unique_counts(first_twin).counts.tolist())) > 1:
            raise StructureError(
                f"The symmetry operations make no group around {symbol} at {_shown(position)}: the list is incomplete, "
                "or the atom lies just beside a symmetry element. Correct one of them."
            )
        species.extend([symbol] * len(distinct))
        sites.append(distinct)
        if len(species) > max_sites:
            raise StructureError(
                f"Symmetry makes more than {max_sites:,} sites of the CIF's atoms, the most that is read."
            )
    return species, np.concatenate(sites)


def _shown(position: FloatArray) -> str:
    return ", ".join(f"{value:g}" for value in position)


def _fraction(text: str) -> float:
    numerator, _, denominator = text.partition("/")
    return float(Fraction(numerator) / Fraction(denominator or "1"))


def _from_space_group(tags: Mapping[str, Any], lattice_a: FloatArray) -> list[Operation]:
    name = _stated(tags, _SYMBOLS) or _stated(tags, _NUMBERS)
    if name is None:
        return [parse_operation("x, y, z")]
    known = settings(name)
    if not known:
        raise StructureError(f"The space group {quoted(name)} is not known by that name. {_REMEDY}")
    fitting = [candidate for candidate in known if _fits(candidate, lattice_a)]
    if len(fitting) > 1:
        raise StructureError(
            f"The space group {quoted(name)} has two origins, and the CIF does not say which. {_REMEDY}"
        )
    return fitting[0] if fitting else known[0]


def _stated(tags: Mapping[str, Any], names: Sequence[str]) -> str | None:
    values = (tags.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value not in {"", ".", "?"}), None)


def _fits(group: Sequence[Operation], lattice_a: FloatArray) -> bool:
    """Whether each rotation maps the cell onto itself: otherwise operations and cell are of different settings."""
    metric = lattice_a @ lattice_a.T
    tolerance = METRIC_TOLERANCE * np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    return all((np.abs(rotation.T @ metric @ rotation - metric) <= tolerance).all() for rotation, _ in group)
