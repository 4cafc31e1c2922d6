"""Crystal graphs: the original code's edges, the same from every view of a crystal."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import StructureError
from core.graphs import (
    CUTOFF_A,
    MAX_NEIGHBOURS,
    CrystalGraph,
    GraphStore,
    atomic_numbers,
    build_graph,
    graph_key,
)
from core.records import Crystal
from core.settings import Settings
from tests.voltage.crystals import (
    SMALL,
    layered,
    lone_ion,
    mixed_tie,
    moved,
    olivine_like,
    rock_salt,
    sparse,
    spinel,
)


def original_edges(crystal: Crystal) -> list[list[tuple[float, int]]]:
    """Distance and atomic number of each atom's edges by the rule of the original code."""
    rows = []
    for neighbours in crystal.to_pymatgen().get_all_neighbors(CUTOFF_A):
        nearest = sorted(neighbours, key=lambda item: item.nn_distance)
        rows.append([(float(item.nn_distance), item.specie.Z) for item in nearest])
    return rows


def check_against_original(crystal: Crystal) -> None:
    """Same distances; same elements but where the original cuts a tie of unlike neighbours."""
    graph = build_graph(crystal)
    for atom, row in enumerate(original_edges(crystal)):
        edges = slice(graph.edge_start[atom], graph.edge_start[atom + 1])
        distances, numbers = graph.distances_a[edges], graph.atomic_numbers[graph.neighbours[edges]]
        expected = row[:MAX_NEIGHBOURS]
        np.testing.assert_allclose(distances, [distance for distance, _ in expected], atol=1e-4)
        cut = row[MAX_NEIGHBOURS][0] - 2e-4 if len(row) > MAX_NEIGHBOURS else np.inf
        ours = Counter(int(z) for z, distance in zip(numbers, distances, strict=True) if distance < cut)
        assert ours == Counter(z for distance, z in expected if distance < cut)


def edges_by_atom(graph: CrystalGraph) -> list[tuple]:
    """What each atom sees, two steps deep, in an order that no label enters."""
    starts = graph.edge_start
    near = [
        (int(graph.atomic_numbers[atom]), *sorted(
            (round(float(graph.distances_a[edge]), 3), int(graph.atomic_numbers[graph.neighbours[edge]]))
            for edge in range(starts[atom], starts[atom + 1])
        ))
        for atom in range(graph.n_atoms)
    ]  # fmt: skip
    return sorted(
        (near[atom], sorted(near[graph.neighbours[edge]] for edge in range(starts[atom], starts[atom + 1])))
        for atom in range(graph.n_atoms)
    )


@pytest.mark.parametrize("make", SMALL)
def test_edges_are_those_of_the_original_code_on_made_crystals(make):
    check_against_original(make())


def test_edges_are_those_of_the_original_code_on_real_crystals(real_crystals):
    for crystal in real_crystals:
        check_against_original(crystal)


@pytest.fixture(scope="module")
def real_crystals():
    data = Settings.from_environment().data
    if not (data / "structures_electrodes.jsonl.gz").exists():
        pytest.skip(f"no reference data in {data}")
    from core.sources.reference import read_electrode_structures

    structures = read_electrode_structures(data)
    small = [structures[name] for name in sorted(structures) if structures[name].n_sites <= 40]
    return small[::100]


@settings(max_examples=25, deadline=None)
@given(
    make=st.sampled_from(SMALL),
    scaling=st.tuples(*[st.integers(1, 2)] * 3),
    seed=st.integers(0, 10_000),
)
def test_supercell_rotation_shift_and_relabelling_leave_the_graph(make, scaling, seed):
    crystal = make()
    one, many = (
        edges_by_atom(build_graph(crystal)),
        edges_by_atom(build_graph(moved(crystal, scaling=scaling, seed=seed))),
    )
    copies = int(np.prod(scaling))
    assert [row for row in one for _ in range(copies)] == many


def test_tie_at_the_twelfth_place_goes_by_element():
    graph = build_graph(mixed_tie())
    mn = graph.atomic_numbers.tolist().index(25)
    edges = slice(graph.edge_start[mn], graph.edge_start[mn + 1])
    # Mn has 6 anions at 2.0 and 8 Mg at 3.46; the next shell, 6 Mn at 4.0, is out of reach.
    assert Counter(graph.atomic_numbers[graph.neighbours[edges]].tolist()) == {8: 2, 9: 2, 17: 2, 12: 6}


def test_small_noise_of_a_file_leaves_the_graph():
    crystal = rock_salt()
    rng = np.random.default_rng(0)
    noisy = Crystal(
        id="noisy", formula=crystal.formula, lattice_a=np.round(crystal.lattice_a, 6),
        species=crystal.species, frac=crystal.frac + 1e-7 * rng.standard_normal(crystal.frac.shape), source="made",
    )  # fmt: skip
    assert edges_by_atom(build_graph(noisy)) == edges_by_atom(build_graph(crystal))


def test_equal_surroundings_share_an_environment_class():
    assert len(set(build_graph(spinel()).environments.tolist())) == 3
    assert len(set(build_graph(olivine_like()).environments.tolist())) == 6
    assert len(set(build_graph(layered()).environments.tolist())) == 3


def test_fewer_than_twelve_neighbours_are_kept_as_they_are():
    graph = build_graph(sparse())
    assert np.all(np.diff(graph.edge_start) < MAX_NEIGHBOURS)
    assert graph.distances_a.max() <= CUTOFF_A
    assert not graph.isolated.any()


def test_an_isolated_atom_has_no_edge():
    graph = build_graph(lone_ion())
    assert graph.isolated.tolist() == [True]
    assert graph.distances_a.size == 0


def test_a_store_gives_back_its_graphs_and_is_built_once(tmp_path: Path, monkeypatch):
    crystals = [make() for make in SMALL]
    path = tmp_path / "graphs.npz"
    built = GraphStore.open_or_build(path, crystals)
    monkeypatch.setattr("core.graphs.build_graph", lambda crystal: pytest.fail("built twice"))
    loaded = GraphStore.open_or_build(path, crystals)
    monkeypatch.undo()
    assert len(loaded) == len(crystals)
    assert loaded.key == built.key == graph_key(crystals) != graph_key(crystals[1:])
    for index, crystal in enumerate(crystals):
        fresh = build_graph(crystal)
        for name in ("atomic_numbers", "edge_start", "neighbours", "distances_a", "environments"):
            np.testing.assert_array_equal(getattr(loaded[index], name), getattr(fresh, name))
        assert loaded[index].id == crystal.id


def test_a_store_of_other_crystals_is_built_anew(tmp_path: Path):
    path = tmp_path / "graphs.npz"
    GraphStore.open_or_build(path, [spinel()])
    assert GraphStore.open_or_build(path, [layered()]).ids.tolist() == ["layered"]


def overlapping() -> Crystal:
    return Crystal(
        id="overlapping", formula="MgO", lattice_a=4.0 * np.eye(3), species=("Mg", "O"),
        frac=np.zeros((2, 3)), source="made",
    )  # fmt: skip


def test_structures_without_a_graph_are_counted_with_the_reason():
    done: list[int] = []
    store, skipped = GraphStore.build([spinel(), overlapping()], progress=done.append)
    assert len(store) == 1
    assert [item.id for item in skipped] == ["overlapping"]
    assert "one place" in skipped[0].reason
    assert done == [1, 2]


def test_a_store_that_must_hold_all_refuses_a_bad_structure(tmp_path: Path):
    with pytest.raises(StructureError, match="1 structures have no graph"):
        GraphStore.open_or_build(tmp_path / "graphs.npz", [spinel(), overlapping()])


def test_an_empty_store_is_refused():
    with pytest.raises(StructureError, match="at least one graph"):
        GraphStore.from_graphs([])


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04broken"])
def test_a_damaged_store_says_so(tmp_path: Path, content: bytes):
    path = tmp_path / "graphs.npz"
    path.write_bytes(content)
    with pytest.raises(StructureError, match="not a readable graph store"):
        GraphStore.load(path)


def test_unknown_element_and_limits_are_refused():
    with pytest.raises(StructureError, match="'Xx' is not a chemical element"):
        atomic_numbers(["Mg", "Xx"])
    with pytest.raises(StructureError, match="must be positive"):
        build_graph(spinel(), cutoff_a=0.0)


def test_a_neighbour_at_the_cutoff_counts():
    at_cutoff = Crystal(
        id="at-cutoff", formula="Mg", lattice_a=CUTOFF_A * np.eye(3), species=("Mg",), frac=np.zeros((1, 3)),
        source="made",
    )  # fmt: skip
    assert build_graph(at_cutoff).distances_a.tolist() == [CUTOFF_A] * 6
