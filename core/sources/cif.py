"""CIF files as untrusted input; runs inside the parser's child process.

`core.sources.cif_tags` splits the file into tags and loops. Everything that decides which atoms there are is done here
in plain sight, because a reader that mends a file in silence (an atom of negative occupancy dropped, impossible angles
clipped, symmetry replaced by P1) turns a broken structure into a wrong voltage.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import StructureError
from core.sources.cif_tags import POSITION, Tags, blocks
from core.sources.symmetry import expand, operations
from core.sources.text import quoted
from core.sources.validate import checked_cell, checked_occupancy, element_symbol, is_element

FloatArray = NDArray[np.float64]

_NUMBER: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\(\d*\)?)?")
_UNSTATED: Final = frozenset({".", "?", ""})


def parse_cif(text: str, max_sites: int) -> dict[str, Any]:
    """Return lattice (angstrom), species and fractional coordinates of the one structure in a CIF.

    Raises `StructureError` where the file is cut, holds no or several structures, or says something impossible.
    """
    tags = _structure_block(text.replace("\N{MINUS SIGN}", "-"))
    lengths = [_number(_single(tags, f"_cell_length_{name}"), f"the cell length {name}") for name in "abc"]
    names = ("alpha", "beta", "gamma")
    angles = [_number(_single(tags, f"_cell_angle_{name}"), f"the cell angle {name}") for name in names]
    checked_cell(lengths, angles)
    lattice_a = _lattice(lengths, angles)
    symbols, positions = _atoms(tags, max_sites)
    species, frac = expand(symbols, positions, operations(tags, lattice_a), lattice_a, max_sites)
    _check_formula(tags, species)
    return {"lattice": lattice_a.tolist(), "species": species, "frac": frac.tolist()}


def _structure_block(text: str) -> Tags:
    """The tags, in lower case, of the only data block that holds atoms."""
    data_blocks = blocks(text)
    if not data_blocks:
        raise StructureError(
            "The CIF has no data block: a line that starts with data_ must open the structure."
        )
    structures = [block for block in data_blocks if any(tag in block for tag in POSITION)]
    if len(structures) > 1:
        raise StructureError(
            f"The CIF holds {len(structures)} structures; save each data block as a file of its own."
        )
    if not structures:
        raise StructureError(
            "The CIF has no atoms with fractional coordinates (_atom_site_fract_x); it is cut, or not a crystal."
        )
    return structures[0]


def _lattice(lengths_a: list[float], angles_deg: list[float]) -> FloatArray:
    """Rows a, b, c with c along z and a in the plane of x and z, as pymatgen lays a cell."""
    a, b, c = lengths_a
    radians = np.radians(angles_deg)
    (cos_alpha, cos_beta, cos_gamma), (sin_alpha, sin_beta, _) = np.cos(radians), np.sin(radians)
    gamma_star = np.arccos((cos_alpha * cos_beta - cos_gamma) / (sin_alpha * sin_beta))
    along_b = [-sin_alpha * np.cos(gamma_star), sin_alpha * np.sin(gamma_star), cos_alpha]
    return np.array([[a * sin_beta, 0.0, a * cos_beta], [b * part for part in along_b], [0.0, 0.0, c]])


def _atoms(tags: Tags, max_sites: int) -> tuple[list[str], FloatArray]:
    """The element of each listed atom and its position, (n, 3) fractional."""
    columns = [_column(tags, tag) for tag in POSITION]
    n_rows = len(columns[0])
    if any(len(column) != n_rows for column in columns):
        raise StructureError(
            "The CIF's atoms lack coordinates: x, y and z are not equally many. Complete the file."
        )
    if n_rows > max_sites:
        raise StructureError(f"The CIF lists {n_rows:,} atoms; at most {max_sites:,} sites are read.")
    labels = _column(tags, "_atom_site_label", n_rows) or [f"atom {row}" for row in range(1, n_rows + 1)]
    positions = [
        [_number(text, f"coordinate {axis}", label) for text, label in zip(column, labels, strict=True)]
        for axis, column in zip("xyz", columns, strict=True)
    ]
    for occupancy, label in _distinct(_column(tags, "_atom_site_occupancy", n_rows), labels):
        if occupancy not in _UNSTATED:
            checked_occupancy(_number(occupancy, "the occupancy", label), f"Atom {quoted(label)}")
    for count, label in _distinct(_column(tags, "_atom_site_attached_hydrogens", n_rows), labels):
        if count not in _UNSTATED | {"0"}:
            raise StructureError(f"Atom {quoted(label)} has hydrogens without positions; list each of them.")
    return _symbols(tags, labels), np.array(positions, dtype=np.float64).T


def _symbols(tags: Tags, labels: list[str]) -> list[str]:
    types = _column(tags, "_atom_site_type_symbol", len(labels))
    if not types:
        return [_symbol_of_label(label) for label in labels]
    known = {text: element_symbol(text, f"Atom {quoted(label)}") for text, label in _distinct(types, labels)}
    return [known[text] for text in types]


def _distinct(column: list[str], labels: list[str]) -> Iterable[tuple[str, str]]:
    """Each value of a column once, with the label of the first atom that has it."""
    first_labels: dict[str, str] = {}
    for value, label in zip(column, labels, strict=False):
        first_labels.setdefault(value, label)
    return first_labels.items()


def _symbol_of_label(label: str) -> str:
    """The element that a label such as Mg1 or OW2 starts with; CA1 could be carbon or calcium and is refused."""
    letters = re.match(r"[A-Za-z]{1,2}(?![a-z])", label)
    word = letters[0] if letters else label
    if len(word) == 2 and word.isupper() and is_element(word[0]):
        if is_element(word.capitalize()):
            raise StructureError(
                f"Atom {quoted(label)} may be {word[0]} or {word.capitalize()}; add _atom_site_type_symbol."
            )
        return word[0]
    return element_symbol(word, f"Atom {quoted(label)}")


def _check_formula(tags: Tags, species: list[str]) -> None:
    """Atoms that do not add up to the declared formula tell a file that was cut between two rows."""
    declared_text = tags.get("_chemical_formula_sum")
    if not isinstance(declared_text, str):
        return
    declared: dict[str, float] = {}
    for token in declared_text.split():
        match = re.fullmatch(r"([A-Z][a-z]?)(\d+\.?\d*|\.\d+)?", token)
        if match is None or not is_element(match[1]):
            return
        declared[match[1]] = declared.get(match[1], 0.0) + float(match[2] or 1.0)
    counted = {symbol: species.count(symbol) for symbol in sorted(set(species))}
    ratios = [counted[symbol] / declared[symbol] for symbol in counted if declared.get(symbol)]
    if set(counted) != set(declared) or not ratios or max(ratios) - min(ratios) > 1e-3 * max(ratios):
        have = " ".join(f"{symbol}{count}" for symbol, count in counted.items())
        raise StructureError(
            f"The CIF's atoms add up to {have}, but it declares {quoted(declared_text)}: atoms are missing or wrong. "
            "Complete the file, or correct _chemical_formula_sum."
        )


def _column(tags: Tags, tag: str, n_rows: int | None = None) -> list[str]:
    value = tags.get(tag)
    if value is None:
        return []
    column = [value] if isinstance(value, str) else list(value)
    if n_rows is not None and len(column) != n_rows:
        raise StructureError(
            f"The CIF has {len(column)} values of {tag} for {n_rows} atoms; complete the file."
        )
    return column


def _single(tags: Tags, tag: str) -> str:
    value = tags.get(tag)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or value in _UNSTATED:
        raise StructureError(
            f"The CIF does not state {tag}; all three lengths and angles of the cell are needed."
        )
    return value


def _number(text: str, what: str, label: str | None = None) -> float:
    match = _NUMBER.fullmatch(text)
    if match is None:
        owner = "" if label is None else f" of {quoted(label)}"
        raise StructureError(f"In the CIF, {what}{owner} is {quoted(text)}; a finite number is needed.")
    return float(match[1])
