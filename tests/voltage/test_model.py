"""The network: its layer against the plain formula, its pooling, and what must leave a voltage alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import softplus

from core.graphs import build_graph
from core.voltage.batches import GraphTable
from core.voltage.cgcnn import CgcnnEnsemble
from core.voltage.elements import LENGTH, N_ELEMENTS, element_table, random_element_table, valence_electrons
from core.voltage.model import CrystalConvolution, NetworkConfig, VoltageNetwork
from core.voltage.train import TrainedNetwork
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


@pytest.mark.parametrize("training", [True, False])
def test_the_layer_is_the_papers_equation(training):
    generator = torch.Generator().manual_seed(1)
    layer = network(n_features=8).convolutions[0].double()
    vectors = torch.randn(5, 8, generator=generator, dtype=torch.float64)
    edge_index = torch.randint(0, 5, (2, 17), generator=generator)
    edges = torch.rand(17, 41, generator=generator, dtype=torch.float64)
    expected = plain_convolution(layer, vectors, edge_index, edges, normalised=training)
    layer.train(training)
    torch.testing.assert_close(layer(vectors, edge_index, edges), expected)


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
