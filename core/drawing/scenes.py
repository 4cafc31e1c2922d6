"""Pictures of crystals: atoms, bonds and polyhedra as compact JSON that the browser's viewer draws.

Every polyhedron whose centre lies in the cell or on its border is whole: its corners are drawn wherever they lie.
Colours and radii are crystal-toolkit's.

Importing crystal-toolkit takes seconds, so it happens on first use; call `warm_up` in the background at start.
"""

import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from operator import add
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from core.records import Crystal, FloatArray

if TYPE_CHECKING:
    from pymatgen.analysis.graphs import StructureGraph
    from pymatgen.core import Structure

MAX_BONDED_SITES: Final = 200
"""Above this many sites only atoms and cell are drawn: bonds would take seconds and hide the picture."""

_MAX_CRYSTALNN_SITES = 80
_FEWEST_CORNERS, _MOST_CORNERS = 4, 8
_ATOM_SCALE, _SMALLEST_RADIUS_A, _LARGEST_RADIUS_A, _UNKNOWN_RADIUS_A = 0.38, 0.26, 0.72, 0.5
_FLAT_A = 0.35
_CELL_MARGIN = 0.05
_DIGITS = 4

_lock = threading.Lock()

_Atom = tuple[int, tuple[int, ...]]
"""Site index, and the cell that the atom is drawn in."""

_Neighbours = list[list[_Atom]]
"""Of each site in the first cell."""


def scene_json(
    crystal: Crystal, *, supercell: tuple[int, int, int] = (1, 1, 1), bonded: bool = True
) -> dict[str, Any]:
    """Return the picture of `crystal` as JSON-safe lists, positions in angstrom rounded to four digits.

    Keys: `formula`; `lattice` (3, 3) rows of the drawn cell; `n_sites` in it; `elements` {symbol: colour, radius
    in angstrom, count in the cell}; `atoms` [{element, sites: (n,), positions: (n, 3)}]; `bonds` [{element,
    segments: (n, 6)}], each the half of a bond next to its element; `polyhedra` [{element, positions: (n, 3)}]
    with the centre first; `bonded`, and `note` on what was left out, or None.
    Sites are numbered as in `crystal` times the supercell. Bonds: CrystalNN (10.1021/acs.inorgchem.0c02996).
    """
    with _lock, _quiet():
        structure = _structure(crystal, supercell)
        graph, note = _graph(structure, bonded=bonded)
        return _flatten(crystal.formula, graph) | {
            "bonded": bool(graph.graph.edges),
            "note": note,
        }


def warm_up() -> None:
    """Import crystal-toolkit and draw a two-atom cell, so that the first picture of a visitor is quick."""
    salt = Crystal(
        id="warm-up",
        formula="MgO",
        lattice_a=np.array([[0.0, 2.1, 2.1], [2.1, 0.0, 2.1], [2.1, 2.1, 0.0]]),
        species=("Mg", "O"),
        frac=np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]),
        source="built in",
    )
    scene_json(salt)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what neighbour finders say about missing oxidation states; callers hold the lock (not thread-safe)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _structure(crystal: Crystal, supercell: tuple[int, int, int]) -> "Structure":
    structure = crystal.to_pymatgen().make_supercell(supercell, to_unit_cell=False)
    structure.add_site_property("display_radius", [_radius_a(site.specie) for site in structure])
    return structure


def _radius_a(element: Any) -> float:
    """Drawn radius, angstrom: the atomic radius made small, so that bonds and polyhedra stay in sight."""
    atomic = element.atomic_radius
    if atomic is None:
        return _UNKNOWN_RADIUS_A
    return float(np.clip(_ATOM_SCALE * float(atomic), _SMALLEST_RADIUS_A, _LARGEST_RADIUS_A))


def _graph(structure: "Structure", *, bonded: bool) -> tuple["StructureGraph", str | None]:
    """Return the bonds, from the finest neighbour finder that suits the size and works, and what was left out."""
    from pymatgen.analysis.graphs import StructureGraph
    from pymatgen.analysis.local_env import CrystalNN, MinimumDistanceNN

    empty = StructureGraph.from_empty_graph(structure)
    if not bonded:
        return empty, None
    if len(structure) > MAX_BONDED_SITES:
        return empty, f"{len(structure)} atoms: bonds and polyhedra are drawn up to {MAX_BONDED_SITES}."
    finders = [MinimumDistanceNN()]
    if len(structure) <= _MAX_CRYSTALNN_SITES:
        finders.insert(0, CrystalNN())
    for finder in finders:
        try:
            return StructureGraph.from_local_env_strategy(structure, finder), None
        except (ValueError, RuntimeError, IndexError, KeyError):
            continue  # neighbour finders fail on odd cells, each on other ones
    return empty, "No bonds could be told apart in this structure."


def _flatten(formula: str, graph: "StructureGraph") -> dict[str, Any]:
    import crystal_toolkit.renderables  # noqa: F401  (gives pymatgen's classes what the legend asks of them)
    from crystal_toolkit.core.legend import Legend

    structure, neighbours = graph.structure, _neighbours(graph)
    legend, symbols = Legend(structure), [site.specie.symbol for site in structure]
    centres = _in_cell(structure)
    solid_sites = {
        site for site, corners in enumerate(neighbours) if _has_polyhedron(structure, site, corners)
    }
    solids = [atom for atom in centres if atom[0] in solid_sites]
    atoms = sorted({*centres, *(corner for atom in solids for corner in _around(atom, neighbours))})
    places = _places(structure, atoms)
    return {
        "formula": formula,
        "n_sites": len(structure),
        "lattice": _rounded(structure.lattice.matrix),
        "elements": {
            site.specie.symbol: {
                "color": legend.get_color(site.specie, site=site),
                "radius": round(legend.get_radius(site.specie, site=site), _DIGITS),
                "count": symbols.count(site.specie.symbol),
            }
            for site in structure
        },
        "atoms": _by_element(places, symbols),
        "bonds": _bonds(places, neighbours, symbols),
        "polyhedra": [
            {
                "element": symbols[atom[0]],
                "positions": [places[it] for it in (atom, *_around(atom, neighbours))],
            }
            for atom in solids
        ],
    }


def _rounded(values: Any) -> list[Any]:
    rounded: list[Any] = (
        np.round(np.asarray(values, dtype=np.float64), _DIGITS) + 0.0
    ).tolist()  # no minus zero
    return rounded


def _neighbours(graph: "StructureGraph") -> _Neighbours:
    """Of each site, itself in the first cell."""
    return [
        sorted((it.index, tuple(int(step) for step in it.jimage)) for it in graph.get_connected_sites(site))
        for site in range(len(graph.structure))
    ]


def _in_cell(structure: "Structure") -> list[_Atom]:
    """Every atom in the cell and on its border, where a corner of the cell has eight; of large cells each site once."""
    if len(structure) > MAX_BONDED_SITES:
        return [(site, (0, 0, 0)) for site in range(len(structure))]
    return [
        (site, image)
        for site, frac in enumerate(structure.frac_coords)
        for image in product(*(_images(float(value)) for value in frac))
    ]


def _images(fraction: float) -> range:
    """Whole numbers that bring a coordinate into the cell or onto its border."""
    return range(math.ceil(-_CELL_MARGIN - fraction), math.floor(1.0 + _CELL_MARGIN - fraction) + 1)


def _around(atom: _Atom, neighbours: _Neighbours) -> list[_Atom]:
    """The neighbours of an atom wherever it is drawn: those of its site, moved along with it."""
    site, image = atom
    return [(index, tuple(map(add, there, image))) for index, there in neighbours[site]]


def _has_polyhedron(structure: "Structure", site: int, corners: list[_Atom]) -> bool:
    """Whether a site is drawn as a solid: four corners or a few more, all more electronegative, not in one plane."""
    centre = structure[site].specie
    if not _FEWEST_CORNERS <= len(corners) <= _MOST_CORNERS:
        return False
    if not all(structure[index].specie > centre for index, _ in corners):
        return False
    shape = _places(structure, [(site, (0, 0, 0)), *corners])
    return not _is_flat(np.array(list(shape.values())))


def _places(structure: "Structure", atoms: list[_Atom]) -> dict[_Atom, list[float]]:
    """Return where atoms stand, angstrom."""
    frac = structure.frac_coords[[site for site, _ in atoms]] + np.array([image for _, image in atoms])
    return dict(zip(atoms, _rounded(frac @ structure.lattice.matrix), strict=True))


def _by_element(places: dict[_Atom, list[float]], symbols: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "element": element,
            "sites": [site for site, _ in places if symbols[site] == element],
            "positions": [place for (site, _), place in places.items() if symbols[site] == element],
        }
        for element in dict.fromkeys(symbols)
    ]


def _bonds(
    places: dict[_Atom, list[float]], neighbours: _Neighbours, symbols: list[str]
) -> list[dict[str, Any]]:
    """Return the bond halves, each from its atom to the middle, whose two ends are both drawn."""
    halves: dict[str, list[list[float]]] = {}
    for atom, start in places.items():
        for end in (places[other] for other in _around(atom, neighbours) if other in places):
            middle = [round((a + b) / 2.0, _DIGITS) + 0.0 for a, b in zip(start, end, strict=True)]
            halves.setdefault(symbols[atom[0]], []).append([*start, *middle])
    return [{"element": element, "segments": sorted(half)} for element, half in sorted(halves.items())]


def _is_flat(corners: FloatArray) -> bool:
    """Say whether corners (n, 3) lie in one plane, where a solid has no volume (square-planar metals)."""
    return bool(np.linalg.svd(corners - corners.mean(axis=0), compute_uv=False)[-1] < _FLAT_A)
