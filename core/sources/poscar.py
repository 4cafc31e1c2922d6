"""POSCAR and CONTCAR files as untrusted input; runs inside the parser's child process."""

from typing import Any

from core.errors import StructureError
from core.sources.text import quoted
from core.sources.validate import element_symbol

_HEADER_LINES = 7


def parse_poscar(text: str, max_sites: int) -> dict[str, Any]:
    """Return lattice (angstrom), species and fractional coordinates of a POSCAR with element symbols (VASP 5 on).

    Raises `StructureError` for a header that is cut, has no symbols or counts more than `max_sites`, and for
    coordinate rows that are missing or not numbers.
    """
    from pymatgen.io.vasp.inputs import Poscar

    symbols = _checked_header(text.splitlines(), max_sites)
    try:
        structure = Poscar.from_str(text, read_velocities=False).structure
    except (ValueError, IndexError, KeyError, ZeroDivisionError, OverflowError) as error:
        raise StructureError(
            f"The POSCAR cannot be read ({quoted(error)}): rows are missing or hold something else than numbers."
        ) from None
    species = [site.specie.symbol for site in structure]
    if sorted(set(species)) != sorted(set(symbols)):
        raise StructureError(
            "The POSCAR's symbols and counts do not fit together; give one count for each symbol."
        )
    return {
        "lattice": structure.lattice.matrix.tolist(),
        "species": species,
        "frac": structure.frac_coords.tolist(),
    }


def _checked_header(lines: list[str], max_sites: int) -> list[str]:
    """The symbols of the header, after looking at its numbers before any work is done on them."""
    if len(lines) <= _HEADER_LINES:
        raise StructureError(
            f"The POSCAR is cut: {len(lines)} lines; a header of {_HEADER_LINES} and the atoms follow."
        )
    scale = lines[1].split()
    if len(scale) != 1 or not _is_number(scale[0]) or float(scale[0]) == 0.0:
        raise StructureError(
            f"The POSCAR's scale is {quoted(lines[1])}; one number that is not zero is needed."
        )
    for row in lines[2:5]:
        if len(row.split()) < 3 or not all(map(_is_number, row.split()[:3])):
            raise StructureError(
                f"A lattice vector of the POSCAR is {quoted(row)}; three numbers are needed."
            )
    rows = [line.split() for line in lines[5:]]
    first_count = next(
        (index for index, row in enumerate(rows) if row and row[0].lstrip("+-").isdigit()), len(rows)
    )
    symbols = [token.split("/")[0].split("_")[0] for row in rows[:first_count] for token in row]
    if not symbols:
        raise StructureError(
            "The POSCAR names no elements: add a line of symbols above the counts (VASP 5 format)."
        )
    _check_counts(rows[first_count : 2 * first_count], len(symbols), max_sites)
    return [element_symbol(token, f"Species {index}") for index, token in enumerate(symbols, start=1)]


def _check_counts(rows: list[list[str]], n_symbols: int, max_sites: int) -> None:
    counts = [token for row in rows for token in row]
    if len(counts) != n_symbols or not all(token.isdecimal() and int(token[:9]) > 0 for token in counts):
        raise StructureError(
            f"The POSCAR's counts {quoted(' '.join(counts))} must be one positive number for each of its "
            f"{n_symbols} symbols."
        )
    if (total := sum(int(token[:9]) for token in counts)) > max_sites:
        raise StructureError(f"The POSCAR has {total:,} sites; at most {max_sites:,} are read.")


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True
