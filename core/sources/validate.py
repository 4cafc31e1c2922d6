"""What every structure must satisfy, whatever it was read from."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import StructureError
from core.records import Crystal
from core.sources.text import quoted

FloatArray = NDArray[np.float64]

MIN_LENGTH_A: Final = 1.0
MAX_LENGTH_A: Final = 500.0
MIN_HEIGHT_A: Final = 1.0
MIN_VOLUME_PER_SITE_A3: Final = 2.0
MAX_VOLUME_PER_SITE_A3: Final = 2000.0
MIN_DISTANCE_A: Final = (
    0.5  # half of MIN_HEIGHT_A: a pair this close is then found in the nearest image by rounding
)
MAX_FRACTION: Final = 1000.0
OCCUPANCY_TOLERANCE: Final = 1e-3
_BLOCK: Final = 256

_SYMBOL: Final = re.compile(r"([A-Za-z]{1,2})(?:\d*\.?\d*[+-]|[+-]\d*\.?\d*|0)?")


@cache
def _elements() -> frozenset[str]:
    from ase.data import chemical_symbols

    return frozenset(chemical_symbols[1:])


def is_element(symbol: str) -> bool:
    """Return whether `symbol` is the symbol of a chemical element, in its usual capitals."""
    return symbol in _elements()


@lru_cache(maxsize=4096)
def _symbol_or_none(text: str) -> str | None:
    match = _SYMBOL.fullmatch(text)
    symbol = match[1].capitalize() if match else ""
    return symbol if is_element(symbol) else None


def element_symbol(text: Any, site: str = "A site") -> str:
    """Return the element of `Mg`, `MG`, `Mg2+` or `Mg+2`; raise `StructureError` for isotopes and unknown ones."""
    symbol = _symbol_or_none(text) if isinstance(text, str) else None
    if symbol is not None:
        return symbol
    if str(text).rstrip("0123456789+-") in {"D", "T"}:
        raise StructureError(
            f"{site} is {quoted(text)}, an isotope of hydrogen: write H instead; voltage and bonding are the same."
        )
    raise StructureError(f"{site} is of element {quoted(text)}, which does not exist; correct the symbol.")


def checked_occupancy(value: float, site: str) -> None:
    """Raise `StructureError` unless the site is fully occupied."""
    if not 0.0 <= value <= 1.0 + OCCUPANCY_TOLERANCE:
        raise StructureError(
            f"{site} has occupancy {value:g}; it must lie between 0 and 1. Correct the file."
        )
    if value < 1.0 - OCCUPANCY_TOLERANCE:
        raise StructureError(
            f"The structure is disordered: {site} has occupancy {value:g}. A voltage needs every site filled by one "
            "element: build an ordered cell (for example with pymatgen's OrderDisorderedStructureTransformation or "
            "the program supercell) and give that."
        )


def checked_cell(lengths_a: Sequence[float], angles_deg: Sequence[float]) -> None:
    """Raise `StructureError` unless lengths (angstrom) and angles (degrees) make a cell of positive volume."""
    _check_lengths(lengths_a)
    for name, angle in zip(("alpha", "beta", "gamma"), angles_deg, strict=True):
        if not 0.0 < angle < 180.0:
            raise StructureError(
                f"The cell angle {name} is {angle:g} degrees; it must lie between 0 and 180."
            )
    alpha, beta, gamma = np.cos(np.radians(angles_deg))
    volume_squared = 1.0 + 2.0 * alpha * beta * gamma - alpha**2 - beta**2 - gamma**2
    if volume_squared <= 1e-6:
        shown = ", ".join(f"{angle:g}" for angle in angles_deg)
        raise StructureError(f"The cell angles {shown} degrees close no cell; correct them.")


def checked_crystal(
    *, id: str, lattice: Any, species: Any, frac: Any, source: str, max_sites: int, formula: str | None = None,
    **others: Any,
) -> Crystal:  # fmt: skip
    """Return the `Crystal` of untrusted numbers, or raise `StructureError` with the first thing that is wrong.

    `lattice`: 3 x 3, angstrom, rows are vectors; `species`: symbols; `frac`: n x 3. The formula is counted from the
    species where none is given. `others` are further fields of `Crystal`.
    """
    if not isinstance(species, list | tuple) or not species:
        raise StructureError(
            "The structure has no atoms; give a list of species with one coordinate row each."
        )
    if len(species) > max_sites:
        raise StructureError(f"The structure has {len(species):,} sites; at most {max_sites:,} are read.")
    symbols = tuple(element_symbol(text, f"Site {row}") for row, text in enumerate(species, start=1))
    lattice_a = numbers(lattice, "lattice", (3, 3))
    coordinates = numbers(frac, "frac", (len(symbols), 3))
    _check_lattice(lattice_a, len(symbols))
    _check_distances(lattice_a, coordinates, symbols)
    return Crystal(
        id=id, formula=formula or reduced_formula(symbols), lattice_a=lattice_a, species=symbols, frac=coordinates,
        source=source, **others,
    )  # fmt: skip


def numbers(value: Any, name: str, shape: tuple[int, ...]) -> FloatArray:
    """Return nested lists as a float array of `shape`; raise `StructureError` for anything but finite numbers."""
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "iuf" or array.shape != shape:
        wanted = " x ".join(map(str, shape))
        raise StructureError(
            f"`{name}` must hold {wanted} numbers; it is ragged, too short or holds something else."
        )
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise StructureError(f"`{name}` holds NaN or infinity; every value must be a finite number.")
    return array


def reduced_formula(symbols: Sequence[str]) -> str:
    """Return the reduced formula of a list of elements, written as pymatgen does."""
    from pymatgen.core import Composition

    return str(Composition(Counter(symbols)).reduced_formula)


def _check_lengths(lengths_a: Sequence[float]) -> None:
    for name, length in zip("abc", lengths_a, strict=True):
        if not MIN_LENGTH_A <= length <= MAX_LENGTH_A:
            raise StructureError(
                f"The cell length {name} is {length:g} angstrom; it must lie between {MIN_LENGTH_A:g} and "
                f"{MAX_LENGTH_A:g}."
            )


def _check_lattice(lattice_a: FloatArray, n_sites: int) -> None:
    _check_lengths(np.linalg.norm(lattice_a, axis=1).tolist())
    faces_a2 = np.linalg.norm(np.cross(lattice_a[[1, 2, 0]], lattice_a[[2, 0, 1]]), axis=1)
    volume_a3 = float(abs(np.linalg.det(lattice_a)))
    if volume_a3 < MIN_HEIGHT_A * faces_a2.max():
        raise StructureError(
            f"The cell is flat: {volume_a3 / max(faces_a2.max(), 1e-9):.2g} angstrom high; at least "
            f"{MIN_HEIGHT_A:g} is needed. Correct the lattice vectors."
        )
    if not MIN_VOLUME_PER_SITE_A3 <= volume_a3 / n_sites <= MAX_VOLUME_PER_SITE_A3:
        raise StructureError(
            f"The cell has {volume_a3 / n_sites:.3g} cubic angstrom a site; a crystal has between "
            f"{MIN_VOLUME_PER_SITE_A3:g} and {MAX_VOLUME_PER_SITE_A3:g}. Check the units of the lattice and the atoms."
        )


def _check_distances(lattice_a: FloatArray, frac: FloatArray, symbols: Sequence[str]) -> None:
    if np.abs(frac).max() > MAX_FRACTION:
        raise StructureError(
            f"A fractional coordinate is {frac.flat[np.abs(frac).argmax()]:.3g}; at most {MAX_FRACTION:g} is read. "
            "Cartesian coordinates must be divided by the lattice first."
        )
    i, j, distance_a = _closest_pair(lattice_a, frac)
    if distance_a < MIN_DISTANCE_A:
        raise StructureError(
            f"Atoms overlap: {symbols[i]} (site {i + 1}) and {symbols[j]} (site {j + 1}) are {distance_a:.2f} "
            f"angstrom apart; at least {MIN_DISTANCE_A:g} is needed. Remove the double or correct the coordinates."
        )


def _closest_pair(lattice_a: FloatArray, frac: FloatArray) -> tuple[int, int, float]:
    """Two sites and their distance, exact below `MIN_DISTANCE_A`; a block of rows at a time to bound the memory."""
    closest = (0, 0, float("inf"))
    for start in range(0, len(frac), _BLOCK):
        apart = frac[start : start + _BLOCK, None] - frac[None]
        vectors = (apart - np.round(apart)) @ lattice_a
        distances_a = np.sqrt(np.einsum("ijk,ijk->ij", vectors, vectors))
        rows = np.arange(len(distances_a))
        distances_a[rows, start + rows] = np.inf
        i, j = divmod(int(distances_a.argmin()), len(frac))
        if distances_a[i, j] < closest[2]:
            closest = (start + i, j, float(distances_a[i, j]))
    return closest
