"""The network: its layer against the plain formula, its pooling, and what must leave a voltage alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import softplus

from core.graphs import GraphStore, build_graph
from core.voltage.elements import LENGTH, N_ELEMENTS, element_table, random_element_table, valence_electrons
from core.voltage.kinds.cgcnn import gated_sum
from core.voltage.kinds.cgcnn.batches import GraphTable
from core.voltage.kinds.cgcnn.ensemble import CgcnnEnsemble
from core.voltage.kinds.cgcnn.merging import alike, joined
from core.voltage.kinds.cgcnn.network import CrystalConvolution, NetworkConfig, VoltageNetwork
from core.voltage.kinds.cgcnn.training import TrainedNetwork
from tests.voltage.crystals import SMALL, layered, lone_ion, moved, olivine_like, rock_salt, sparse, spinel


def network(seed: int = 0, **sizes) -> VoltageNetwork:
    """A network with random weights and running statistics."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = VoltageNetwork(torch.as_tensor(element_table()), NetworkConfig(**sizes))
        for layer in made.modules():
            if isinstance(layer, torch.nn.BatchNorm1d):
                layer.running_mean.normal_()
                layer.running_var.uniform_(0.5, 2.0)
                torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
    return made.eval()


def ensemble(**sizes) -> CgcnnEnsemble:
    return CgcnnEnsemble(
        [
            TrainedNetwork(network=network(seed, **sizes), mean_v=3.0, scale_v=1.4, history=[])
            for seed in range(2)
        ]
    )


def voltages(crystals) -> np.ndarray:
    return ensemble().outputs(crystals, ["Mg"] * len(crystals)).voltages_v


def plain_convolution(layer: CrystalConvolution, vectors, edge_index, edges, normalised: bool):
    """The equation of the paper, with the concatenation written out and a loop over the edges."""
    weight = torch.cat([layer.of_atom.weight, layer.of_neighbour.weight, layer.of_edge.weight], dim=1)
    rows = [torch.cat([vectors[i], vectors[j], u]) for j, i, u in zip(*edge_index, edges, strict=True)]
    linear = torch.stack(rows) @ weight.T + layer.of_atom.bias

    def norm(values, batch_norm):
        mean, var = values.mean(0), values.var(0, unbiased=False)
        if not normalised:
            mean, var = batch_norm.running_mean, batch_norm.running_var
        return (values - mean) / torch.sqrt(var + batch_norm.eps) * batch_norm.weight + batch_norm.bias

    n_features = vectors.shape[1]
    gated = norm(linear, layer.norm_gate)
    messages = torch.sigmoid(gated[:, :n_features]) * softplus(gated[:, n_features:])
    summed = torch.zeros_like(vectors)
    for (_, i), message in zip(edge_index.T, messages, strict=True):
        summed[i] += message
    return softplus(vectors + norm(summed, layer.norm_sum))


def some_edges(generator):
    """Seventeen edges between five atoms, in order of the atom they end at."""
    edges = torch.randint(0, 5, (2, 17), generator=generator)
    return edges[:, edges[1].argsort()]


@pytest.mark.parametrize("training", [True, False])
def test_the_layer_is_the_papers_equation(training):
    generator = torch.Generator().manual_seed(1)
    layer = network(n_features=8).convolutions[0].double()
    vectors = torch.randn(5, 8, generator=generator, dtype=torch.float64)
    edge_index = some_edges(generator)
    edges = torch.rand(17, 41, generator=generator, dtype=torch.float64)
    expected = plain_convolution(layer, vectors, edge_index, edges, normalised=training)
    layer.train(training)
    torch.testing.assert_close(layer(vectors, edge_index, edges), expected)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("piece", [5, 2048])
def test_the_written_gradient_is_that_of_the_equation(training, piece, monkeypatch):
    monkeypatch.setattr(gated_sum, "_PIECE", piece)
    generator = torch.Generator().manual_seed(2)
    layer = network(n_features=8).convolutions[0].double().train(training)
    vectors = torch.randn(5, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    edge_index = some_edges(generator)
    lengths = torch.randint(0, 6, (17,), generator=generator)
    edges = torch.rand(6, 41, generator=generator, dtype=torch.float64, requires_grad=True)
    counts = torch.randint(1, 4, (17,), generator=generator)
    each = torch.repeat_interleave(counts)
    inputs = [vectors, edges, *layer.parameters()]
    expected = plain_convolution(
        layer, vectors, edge_index[:, each], edges[lengths][each], normalised=training
    )
    found = layer(vectors, edge_index, edges, lengths, counts.double())
    torch.testing.assert_close(found, expected)
    if not training:
        with torch.no_grad():
            torch.testing.assert_close(layer(vectors, edge_index, edges, lengths, counts.double()), expected)
    weights = torch.rand(found.shape, generator=generator, dtype=torch.float64)
    for ours, plain in zip(
        torch.autograd.grad((found * weights).sum(), inputs),
        torch.autograd.grad((expected * weights).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(ours, plain)


def test_running_statistics_follow_the_batches_as_pytorchs_own_do():
    generator = torch.Generator().manual_seed(3)
    layer, plain = network(n_features=8).convolutions[0].double().train(), torch.nn.BatchNorm1d(16).double()
    plain.load_state_dict(layer.norm_gate.state_dict())
    vectors, edges = (
        torch.rand(shape, generator=generator, dtype=torch.float64) for shape in ((5, 8), (17, 41))
    )
    edge_index = some_edges(torch.Generator().manual_seed(0))
    neighbours, atoms = edge_index
    terms = layer.of_atom(vectors)[atoms] + layer.of_neighbour(vectors)[neighbours] + layer.of_edge(edges)
    plain.train()(terms)
    layer(vectors, edge_index, edges)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(layer.norm_gate.state_dict()[name], value)


def test_gaussians_stand_from_0_to_8_angstrom_in_steps_of_a_fifth():
    made = network()
    assert len(made.centres_a) == made.config.n_gaussians == 41
    torch.testing.assert_close(made.centres_a[[0, 1, 40]], torch.tensor([0.0, 0.2, 8.0]))


def test_only_the_working_ions_are_pooled():
    graph = build_graph(olivine_like())
    table = GraphTable.from_graphs([graph, graph], ["Mg", "Fe"])
    for pooling, atoms in (("working_ion", graph.atomic_numbers == 12), ("all", graph.atomic_numbers > 0)):
        made = network(pooling=pooling)
        batch = table.batch(torch.tensor([0]))
        expected = made.atom_vectors(batch)[torch.as_tensor(atoms)].mean(dim=0)
        torch.testing.assert_close(made.pooled(batch)[0], expected)
    first, second = network(pooling="working_ion")(table.batch(torch.tensor([0, 1])))
    assert abs(first - second) > 1e-4
    first, second = network(pooling="all")(table.batch(torch.tensor([0, 1])))
    torch.testing.assert_close(first, second)


@settings(max_examples=25, deadline=None)
@given(
    make=st.sampled_from(SMALL),
    scaling=st.tuples(*[st.integers(1, 2)] * 3),
    seed=st.integers(0, 10_000),
)
def test_supercell_rotation_shift_and_relabelling_leave_the_voltage(make, scaling, seed):
    crystal = make()
    one, many = voltages([crystal, moved(crystal, scaling=scaling, seed=seed)])
    np.testing.assert_allclose(one, many, rtol=0.0, atol=1e-5)


def test_merging_equivalent_atoms_leaves_the_voltage():
    graphs = [build_graph(make()) for make in SMALL]
    ions = ["Mg"] * len(graphs)
    rows = torch.arange(len(graphs))
    whole = GraphTable.from_graphs(graphs, ions, dtype=torch.float64)
    merged = GraphTable.from_graphs(graphs, ions, merge_equivalent=True, dtype=torch.float64)
    assert len(merged.atomic_numbers) < len(whole.atomic_numbers)
    for pooling in ("working_ion", "all"):
        made = network(pooling=pooling).double()
        torch.testing.assert_close(made(whole.batch(rows)), made(merged.batch(rows)), rtol=0.0, atol=1e-5)


@pytest.mark.parametrize(
    "merged", [{}, {"merge_equivalent": True}, {"merge_alike": True, "merge_edges": True}]
)
def test_edges_come_in_the_order_of_their_atoms(merged):
    graphs = [build_graph(make()) for make in SMALL]
    table = GraphTable.from_graphs(graphs, ["Mg"] * len(SMALL), **merged)
    assert (table.batch(torch.arange(len(SMALL))).edge_index[1].diff() >= 0).all()


def test_alike_atoms_and_edges_stand_as_one():
    graph = build_graph(spinel())
    whole, merged = (
        GraphTable.from_graphs([graph], ["Mg"], merge_alike=merge, merge_edges=merge, dtype=torch.float64)
        for merge in (False, True)
    )
    assert sorted(merged.atomic_numbers.tolist()) == [8, 12, 25] and len(whole.atomic_numbers) == 14
    ends = torch.bincount(merged.atoms, weights=merged.edge_counts)
    assert ends.tolist() == [12.0, 12.0, 12.0]
    assert len(merged.atoms) < 36 and len(merged.lengths_a) < len(merged.atoms)


def test_atoms_whose_edges_differ_are_not_alike():
    graph = build_graph(moved(rock_salt(), scaling=(2, 1, 1), seed=0))
    atom = int(np.flatnonzero(graph.atomic_numbers == 12)[0])
    longer = graph.distances_a.copy()
    longer[graph.edge_start[atom + 1] - 1] += 1e-3
    store = GraphStore.from_graphs([graph, graph, replace(graph, distances_a=longer)])
    classes = alike(store, *joined(store)).reshape(3, graph.n_atoms)
    assert [len(np.unique(row)) for row in classes[:2]] == [2, 2]
    assert len(np.unique(classes[:2])) == 4  # no class reaches into another graph
    assert classes[2, atom] not in np.delete(classes[2], atom)


@pytest.mark.parametrize("seed", range(3))
def test_merging_alike_atoms_and_edges_leaves_the_voltage(seed):
    crystals = [moved(make(), scaling=(2, 1, 1), seed=seed) for make in SMALL] + [lone_ion()]
    graphs, ions = [build_graph(crystal) for crystal in crystals], ["Mg"] * len(crystals)
    rows, made = torch.arange(len(graphs)), network().double()
    whole = GraphTable.from_graphs(graphs, ions, dtype=torch.float64)
    merged = GraphTable.from_graphs(graphs, ions, merge_alike=True, merge_edges=True, dtype=torch.float64)
    torch.testing.assert_close(made(whole.batch(rows)), made(merged.batch(rows)), rtol=0.0, atol=1e-6)


def test_merged_edges_train_the_same_network():
    graphs, ions = [build_graph(make()) for make in SMALL], ["Mg"] * len(SMALL)
    found = []
    for merge in (False, True):
        made = network().double().train()
        table = GraphTable.from_graphs(
            graphs, ions, merge_equivalent=True, merge_edges=merge, dtype=torch.float64
        )
        loss = made(table.batch(torch.arange(len(graphs)))).square().sum()
        loss.backward()
        running = [layer.norm_gate.running_var for layer in made.convolutions]
        found.append([loss, *(parameter.grad for parameter in made.parameters()), *running])
    for whole, merged in zip(*found, strict=True):
        torch.testing.assert_close(whole, merged, rtol=1e-4, atol=1e-6)


def test_a_batch_gives_what_each_structure_alone_gives():
    crystals = [make() for make in SMALL]
    together = voltages(crystals)
    alone = np.concatenate([voltages([crystal]) for crystal in crystals])
    np.testing.assert_allclose(together, alone, rtol=0.0, atol=1e-10)


def test_rows_of_a_table_can_be_taken_in_any_order():
    graphs = [build_graph(make()) for make in (spinel, layered, rock_salt)]
    table = GraphTable.from_graphs(graphs, ["Mg"] * 3)
    batch = table.batch(torch.tensor([2, 0]))
    expected = np.concatenate([graphs[2].atomic_numbers, graphs[0].atomic_numbers])
    assert batch.atomic_numbers.tolist() == expected.tolist()
    shifted = np.concatenate([graphs[2].neighbours, graphs[0].neighbours + graphs[2].n_atoms])
    assert batch.edge_index[0].tolist() == shifted.tolist()
    assert batch.n_graphs == 2


def test_element_vectors_have_one_bit_a_property():
    table = element_table()
    assert table.shape == (N_ELEMENTS + 1, LENGTH)
    assert set(np.unique(table)) == {0.0, 1.0}
    assert table[0].sum() == 0.0
    assert table[12].sum() == 9.0  # all nine properties of Mg are known
    assert len(np.unique(table[1:84], axis=0)) == 81  # Dy, Ho and Er share all bins
    assert table[12, 1] == table[20, 1] == 1.0  # group 2
    assert table[12, 18 + 2] == table[20, 18 + 3] == 1.0  # periods 3 and 4


def test_valence_electrons():
    from pymatgen.core import Element

    counts = {
        symbol: valence_electrons(Element(symbol)) for symbol in ("H", "He", "Mg", "O", "Mn", "Zn", "Ce")
    }
    assert counts == {"H": 1, "He": 2, "Mg": 2, "O": 6, "Mn": 7, "Zn": 12, "Ce": 4}


def test_random_element_vectors_repeat_with_their_seed():
    table = random_element_table(3)
    assert table.shape == (N_ELEMENTS + 1, 640)
    np.testing.assert_array_equal(table, random_element_table(3))
    assert (table != random_element_table(4)).any()


def test_an_ion_without_neighbours_has_a_number_that_is_not_trusted():
    outputs = ensemble().outputs([lone_ion(), sparse(), spinel()], ["Mg"] * 3)
    assert np.isfinite(outputs.voltages_v).all()
    assert outputs.trusted.tolist() == [False, True, True]
