"""Pictures of crystals: crystal-toolkit's scenes, flattened into compact JSON that the browser's viewer draws.

Each atom's scene is asked for by itself: of the whole structure's, polyhedra near two borders at once come out cut.
Every polyhedron whose centre lies in the cell or on its border is whole: its corners are drawn wherever they lie.

Importing crystal-toolkit takes seconds, so it happens on first use; call `warm_up` in the background at start.
"""

import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from core.records import Crystal, FloatArray

if TYPE_CHECKING:
    from crystal_toolkit.core.legend import Legend
    from pymatgen.analysis.graphs import StructureGraph
    from pymatgen.core import Structure

MAX_BONDED_SITES: Final = 200
"""Above this many sites only atoms and cell are drawn: bonds would take seconds and hide the picture."""

_MAX_CRYSTALNN_SITES = 80
_MAX_POLYHEDRON_CORNERS = 8
_ATOM_SCALE, _SMALLEST_RADIUS_A, _LARGEST_RADIUS_A, _UNKNOWN_RADIUS_A = 0.38, 0.26, 0.72, 0.5
_FLAT_A = 0.35
_CELL_MARGIN = 0.05
_DIGITS = 4

_lock = threading.Lock()

_Atom = tuple[int, tuple[int, ...]]
"""Site index, and the cell that the atom is drawn in."""


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
    import crystal_toolkit.renderables  # noqa: F401  (gives pymatgen's classes their get_scene)
    from crystal_toolkit.core.legend import Legend

    structure = graph.structure
    legend, symbols = Legend(structure), [site.specie.symbol for site in structure]
    centres = _in_cell(structure)
    solids = {atom: solid for atom in centres if (solid := _polyhedron(graph, legend, atom)) is not None}
    drawn = {*centres, *(corner for atom in solids for corner in _around(graph, atom))}
    layers = {atom: _layers(graph, legend, atom, drawn) for atom in sorted(drawn)}
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
        "atoms": _by_element(layers, symbols),
        "bonds": _bonds(layers, symbols),
        "polyhedra": [{"element": symbols[site], "positions": solids[site, image]} for site, image in solids],
    }


def _rounded(values: Any) -> list[Any]:
    rounded: list[Any] = (
        np.round(np.asarray(values, dtype=np.float64), _DIGITS) + 0.0
    ).tolist()  # no minus zero
    return rounded


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


def _around(graph: "StructureGraph", atom: _Atom) -> dict[_Atom, Any]:
    """Return the neighbours of an atom, pymatgen's connected sites by where they are drawn."""
    site, image = atom
    return {
        (it.index, tuple(int(step) for step in it.jimage)): it
        for it in graph.get_connected_sites(site, jimage=image)
    }


def _layers(
    graph: "StructureGraph", legend: "Legend", atom: _Atom, drawn: set[_Atom] | None = None
) -> dict[str, list[Any]]:
    """Return one atom's scene by layers: itself, half bonds to those drawn (None: all neighbours), its solid."""
    from pymatgen.core import PeriodicSite

    site, around = graph.structure[atom[0]], _around(graph, atom)
    place = PeriodicSite(
        site.species, site.frac_coords + np.array(atom[1]), site.lattice, properties=site.properties
    )
    scene = place.get_scene(
        connected_sites=[it for key, it in around.items() if drawn is None or key in drawn],
        draw_polyhedra=drawn is None, draw_magmoms=False, legend=legend,
    )  # fmt: skip
    return {layer.name: layer.contents for layer in scene.contents}


def _polyhedron(graph: "StructureGraph", legend: "Legend", atom: _Atom) -> list[Any] | None:
    """Return places of centre and corners; None where crystal-toolkit draws none, or one of many corners, or flat."""
    solid = _layers(graph, legend, atom)["polyhedra"]
    if not solid or len(solid[0].positions) - 1 > _MAX_POLYHEDRON_CORNERS:
        return None
    return None if _is_flat(np.asarray(solid[0].positions)) else _rounded(solid[0].positions)


def _by_element(layers: dict[_Atom, dict[str, list[Any]]], symbols: list[str]) -> list[dict[str, Any]]:
    places = {atom: _rounded(scene["atoms"][0].positions[0]) for atom, scene in layers.items()}
    return [
        {
            "element": element,
            "sites": [site for site, _ in places if symbols[site] == element],
            "positions": [place for (site, _), place in places.items() if symbols[site] == element],
        }
        for element in dict.fromkeys(symbols)
    ]


def _bonds(layers: dict[_Atom, dict[str, list[Any]]], symbols: list[str]) -> list[dict[str, Any]]:
    """Return the bond halves, each from its atom to the middle."""
    halves: dict[str, list[list[float]]] = {}
    for (site, _), scene in layers.items():
        for cylinder in scene["bonds"]:
            halves.setdefault(symbols[site], []).append(_rounded(np.ravel(cylinder.positionPairs[0])))
    return [{"element": element, "segments": sorted(half)} for element, half in sorted(halves.items())]


def _is_flat(corners: FloatArray) -> bool:
    """Say whether corners (n, 3) lie in one plane, where a solid has no volume (square-planar metals)."""
    return bool(np.linalg.svd(corners - corners.mean(axis=0), compute_uv=False)[-1] < _FLAT_A)
