"""Scenes that the viewer draws, and the viewer's bundle."""

import hashlib
import json
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from core.drawing import scenes
from core.records import Crystal
from tests.store.small_release import spinel

VIEWER = Path(__file__).resolve().parents[2] / "app" / "components" / "structure_viewer"
BUNDLE = VIEWER.parents[1] / "static" / "structure_viewer.js"


def rock_salt() -> Crystal:
    """MgO, conventional cell."""
    face = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    return Crystal(
        id="test-mgo",
        formula="MgO",
        lattice_a=np.diag([4.212] * 3),
        species=("Mg",) * 4 + ("O",) * 4,
        frac=np.concatenate([face, (face + np.array([0.5, 0, 0])) % 1.0]),
        source="test",
    )


def drawn(scene: dict, element: str) -> dict:
    return next(part for part in scene["atoms"] if part["element"] == element)


def test_rock_salt_is_drawn_with_its_shared_atoms_and_whole_octahedra() -> None:
    scene = scenes.scene_json(rock_salt())
    assert len(drawn(scene, "Mg")["positions"]) == 14  # eight corners and six faces of the cell
    assert {len(solid["positions"]) for solid in scene["polyhedra"]} == {7}  # a centre and six corners
    assert {solid["element"] for solid in scene["polyhedra"]} == {"Mg"}
    assert scene["bonded"] and scene["note"] is None


def near_the_border() -> Crystal:
    """A perovskite whose cations lie a little before and behind the cell's border, as relaxed ones do."""
    return Crystal(
        id="test-perovskite", formula="CaTiO3", lattice_a=np.diag([3.9] * 3), species=("Ca", "Ti", "O", "O", "O"),
        frac=np.array([[0.5, 0.5, 0.5], [0.02, 0.98, -0.01], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]), source="test",
    )  # fmt: skip


@pytest.mark.parametrize("crystal", [rock_salt(), near_the_border(), spinel()], ids=lambda it: it.formula)
def test_every_polyhedron_in_the_cell_has_all_its_corners(crystal: Crystal) -> None:
    """Centres near two borders at once lost some of their images' polyhedra, which then looked cut."""
    scene = scenes.scene_json(crystal)
    places = np.concatenate([part["positions"] for part in scene["atoms"]])
    solids = {tuple(solid["positions"][0]): solid for solid in scene["polyhedra"]}
    for element in {solid["element"] for solid in scene["polyhedra"]}:
        part = drawn(scene, element)
        of_site: dict[int, set[int]] = {}
        for site, position in zip(part["sites"], part["positions"], strict=True):
            corners = solids[tuple(position)]["positions"][1:] if tuple(position) in solids else []
            of_site.setdefault(site, set()).add(len(corners))
            for corner in corners:
                assert np.linalg.norm(places - np.array(corner), axis=1).min() < 1e-3
        assert all(len(counts) == 1 for counts in of_site.values()), (element, of_site)


def test_a_cation_near_three_borders_is_drawn_at_all_corners_of_the_cell() -> None:
    scene = scenes.scene_json(near_the_border())
    assert len(drawn(scene, "Ti")["positions"]) == 8
    assert sum(solid["element"] == "Ti" for solid in scene["polyhedra"]) == 8


def test_legend_names_each_element_with_colour_radius_and_count() -> None:
    elements = scenes.scene_json(rock_salt())["elements"]
    assert {symbol: entry["count"] for symbol, entry in elements.items()} == {"Mg": 4, "O": 4}
    assert all(re.fullmatch("#[0-9a-f]{6}", entry["color"]) for entry in elements.values())
    assert elements["Mg"]["radius"] > elements["O"]["radius"] > 0.2
    assert elements["Mg"]["color"] != elements["O"]["color"]


def test_bonds_are_halves_between_drawn_atoms() -> None:
    scene = scenes.scene_json(rock_salt())
    places = np.concatenate([part["positions"] for part in scene["atoms"]])
    for part in scene["bonds"]:
        for segment in np.array(part["segments"]):
            start, middle = segment[:3], segment[3:]
            assert np.linalg.norm(middle - start) == pytest.approx(4.212 / 4, abs=1e-3)
            for end in (start, 2 * middle - start):
                assert np.linalg.norm(places - end, axis=1).min() < 1e-2


def test_scene_is_plain_rounded_json_and_always_the_same() -> None:
    first, second = (json.dumps(scenes.scene_json(rock_salt()), allow_nan=False) for _ in range(2))
    assert first == second
    assert max(len(digits) for digits in re.findall(r"\.(\d+)", first)) <= 4


def test_without_bonds_only_atoms_and_cell_remain() -> None:
    scene = scenes.scene_json(rock_salt(), bonded=False)
    assert scene["bonds"] == scene["polyhedra"] == []
    assert not scene["bonded"]


def test_supercell_repeats_cell_and_sites() -> None:
    scene = scenes.scene_json(rock_salt(), supercell=(2, 1, 1))
    assert scene["n_sites"] == 16
    assert np.linalg.det(scene["lattice"]) == pytest.approx(2 * 4.212**3, rel=1e-4)
    assert max(drawn(scene, "Mg")["sites"] + drawn(scene, "O")["sites"]) == 15


def test_large_cells_are_drawn_without_bonds_and_say_so() -> None:
    scene = scenes.scene_json(rock_salt(), supercell=(3, 3, 3))
    assert scene["n_sites"] == 216
    assert scene["bonds"] == []
    assert "216 atoms" in scene["note"] and str(scenes.MAX_BONDED_SITES) in scene["note"]
    assert sum(len(part["positions"]) for part in scene["atoms"]) == 216


def test_a_failing_neighbour_finder_leaves_the_atoms(monkeypatch: pytest.MonkeyPatch) -> None:
    from pymatgen.analysis.graphs import StructureGraph

    def fail(*_: object) -> None:
        raise ValueError("no Voronoi cell")

    monkeypatch.setattr(StructureGraph, "from_local_env_strategy", fail)
    scene = scenes.scene_json(rock_salt())
    assert not scene["bonded"] and "No bonds" in scene["note"]


def test_lone_atom_and_element_of_unknown_radius_are_drawn() -> None:
    lone = Crystal(
        id="test-he", formula="MgHe", lattice_a=np.diag([9.0, 9.0, 9.0]), species=("Mg", "He"),
        frac=np.array([[0.5, 0.5, 0.5], [0.1, 0.1, 0.1]]), source="test",
    )  # fmt: skip
    scene = scenes.scene_json(lone)
    assert scene["elements"]["He"]["radius"] == 0.5


def test_square_planar_metal_gets_no_flat_polyhedron() -> None:
    frac = np.array([[0.5, 0.5, 0.5], [0.7, 0.5, 0.5], [0.3, 0.5, 0.5], [0.5, 0.7, 0.5], [0.5, 0.3, 0.5]])
    planar = Crystal(
        id="test-square", formula="PtCl4", lattice_a=np.diag([11.5, 11.5, 9.0]), species=("Pt", *["Cl"] * 4),
        frac=frac, source="test",
    )  # fmt: skip
    assert scenes.scene_json(planar)["polyhedra"] == []


def test_scenes_are_quiet() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scenes.warm_up()


def test_bundle_was_built_from_these_sources() -> None:
    """The same digest as in build.mjs; if it differs: `npm ci && npm run build` in the viewer's folder."""
    inputs = [f"src/{path.name}" for path in (VIEWER / "src").iterdir()] + ["build.mjs", "package-lock.json"]
    digest = hashlib.sha256()
    for name in sorted(inputs):
        digest.update(f"{name}:{hashlib.sha256((VIEWER / name).read_bytes()).hexdigest()}\n".encode())
    banner = BUNDLE.read_text(encoding="utf-8").splitlines()[0]
    assert banner == f"/* sources sha256: {digest.hexdigest()} */"


def test_bundle_is_small_and_loads_nothing_from_elsewhere() -> None:
    text = BUNDLE.read_text(encoding="utf-8")
    assert len(text) < 700_000
    assert not re.search(r"\b(?:import|fetch)\(\s*[\"'`]https?:", text)
