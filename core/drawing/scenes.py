"""Pictures of crystals: a crystal-toolkit scene, flattened into compact JSON that the browser's viewer draws.

Importing crystal-toolkit takes seconds, so it happens on first use; call `warm_up` in the background at start.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.spatial import cKDTree

from core.records import Crystal, FloatArray

if TYPE_CHECKING:
    from crystal_toolkit.core.legend import Legend
    from crystal_toolkit.core.scene import Scene
    from pymatgen.analysis.graphs import StructureGraph
    from pymatgen.core import Structure

MAX_BONDED_SITES: Final = 200
"""Above this many sites only atoms and cell are drawn: bonds would take seconds and hide the picture."""

_MAX_CRYSTALNN_SITES = 80
_MAX_POLYHEDRON_CORNERS = 8
_ATOM_SCALE, _SMALLEST_RADIUS_A, _LARGEST_RADIUS_A, _UNKNOWN_RADIUS_A = 0.38, 0.26, 0.72, 0.5
_FLAT_A = 0.35
_SAME_PLACE_A = 0.01
_CELL_MARGIN = 0.06
_DIGITS = 4

_lock = threading.Lock()

_Atom = tuple[int, list[float]]
"""Site index and position, angstrom."""

_Solid = tuple[int, list[list[float]]]
"""Site index of the centre; positions of the centre and the corners, angstrom."""


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
        legend, scene = _scene(graph)
        return _flatten(crystal.formula, graph, legend, scene) | {
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


def _scene(graph: "StructureGraph") -> tuple["Legend", "Scene"]:
    import crystal_toolkit.renderables  # noqa: F401  (gives pymatgen's classes their get_scene)
    from crystal_toolkit.core.legend import Legend

    legend = Legend(graph.structure)
    scene = graph.get_scene(
        legend=legend,
        draw_image_atoms=len(graph.structure) <= MAX_BONDED_SITES,
        bonded_sites_outside_unit_cell=True,
        hide_incomplete_edges=True,
        site_get_scene_kwargs={"retain_atom_idx": True, "draw_magmoms": False},
    )
    return legend, scene


def _flatten(formula: str, graph: "StructureGraph", legend: "Legend", scene: "Scene") -> dict[str, Any]:
    structure = graph.structure
    layers = {layer.name: layer.contents for layer in scene.contents}
    symbols = [site.specie.symbol for site in structure]
    atoms = [(sphere._meta[0]["atom_idx"][0], _rounded(sphere.positions[0])) for sphere in layers["atoms"]]
    solids = _whole_polyhedra(layers.get("polyhedra", []), atoms, graph)
    atoms = _worth_drawing(atoms, solids, structure)
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
        "atoms": _by_element(atoms, symbols),
        "bonds": _bonds(layers.get("bonds", []), atoms, symbols),
        "polyhedra": [{"element": symbols[site], "positions": corners} for site, corners in solids],
    }


def _rounded(values: Any) -> list[Any]:
    rounded: list[Any] = (
        np.round(np.asarray(values, dtype=np.float64), _DIGITS) + 0.0
    ).tolist()  # no minus zero
    return rounded


def _places(atoms: list[_Atom]) -> cKDTree:
    return cKDTree(np.array([position for _, position in atoms]))


def _whole_polyhedra(solids: list[Any], atoms: list[_Atom], graph: "StructureGraph") -> list[_Solid]:
    """Return the polyhedra that lack no corner, have few enough of them, and enclose a volume.

    The scene also holds those of atoms at its rim, of which only some neighbours are drawn.
    """
    places, kept = _places(atoms), []
    for solid in solids:
        site = atoms[places.query(solid.positions[0])[1]][0]
        corners = len(solid.positions) - 1
        whole = corners == graph.get_coordination_of_site(site) and corners <= _MAX_POLYHEDRON_CORNERS
        if whole and not _is_flat(np.asarray(solid.positions)):
            kept.append((site, _rounded(solid.positions)))
    return sorted(kept)


def _worth_drawing(atoms: list[_Atom], solids: list[_Solid], structure: "Structure") -> list[_Atom]:
    """Return the atoms in or on the cell and at corners of polyhedra; others would only hang on a bond."""
    frac = structure.lattice.get_fractional_coords(np.array([position for _, position in atoms]))
    kept = ((frac > -_CELL_MARGIN) & (frac < 1.0 + _CELL_MARGIN)).all(axis=1)
    if solids:
        corners = cKDTree(np.concatenate([np.array(positions) for _, positions in solids]))
        distance_a, _ = corners.query(_places(atoms).data)
        kept |= distance_a < _SAME_PLACE_A
    return sorted(atom for atom, keep in zip(atoms, kept, strict=True) if keep)


def _by_element(atoms: list[_Atom], symbols: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "element": element,
            "sites": [site for site, _ in atoms if symbols[site] == element],
            "positions": [position for site, position in atoms if symbols[site] == element],
        }
        for element in dict.fromkeys(symbols)
    ]


def _bonds(cylinders: list[Any], atoms: list[_Atom], symbols: list[str]) -> list[dict[str, Any]]:
    """Return the bond halves, each from its atom to the middle, whose two ends are both drawn."""
    if not cylinders:
        return []
    pairs = np.array([cylinder.positionPairs[0] for cylinder in cylinders])
    ends = np.stack([pairs[:, 0], 2.0 * pairs[:, 1] - pairs[:, 0]])
    distance_a, _ = _places(atoms).query(ends)
    halves: dict[str, list[list[float]]] = {}
    for cylinder, pair, drawn in zip(cylinders, pairs, (distance_a < _SAME_PLACE_A).all(axis=0), strict=True):
        if drawn:
            halves.setdefault(symbols[cylinder._meta["atom_idx"][0]], []).append(_rounded(pair.ravel()))
    return [{"element": element, "segments": sorted(half)} for element, half in sorted(halves.items())]


def _is_flat(corners: FloatArray) -> bool:
    """Say whether corners (n, 3) lie in one plane, where a solid has no volume (square-planar metals)."""
    return bool(np.linalg.svd(corners - corners.mean(axis=0), compute_uv=False)[-1] < _FLAT_A)
