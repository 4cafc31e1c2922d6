"""Graph networks beside CGCNN: what they cannot tell apart, that merged edges change nothing, and that they learn."""

import dataclasses

import numpy as np
import pytest
import torch

from core.errors import ModelError
from core.graphs import build_graph
from core.voltage.kinds import voltage_kind
from core.voltage.kinds.cgcnn.batches import GraphTable
from core.voltage.kinds.graph_networks import KINDS
from core.voltage.kinds.graph_networks.megnet import working_ion_numbers
from tests.voltage.crystals import spinel
from tests.voltage.labelled import labelled


def answer(kind, crystals, ions, **merging):
    """What a network of fixed weights says of crystals."""
    torch.manual_seed(0)
    network = kind.network().double().eval()
    table = GraphTable.from_graphs(
        [build_graph(crystal) for crystal in crystals], ions, dtype=torch.float64, **merging
    )
    with torch.no_grad():
        return network(table.batch(torch.arange(len(table)))).numpy()


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    """Each of the networks."""
    return KINDS[request.param]


def test_supercell_shift_and_order_change_nothing(kind):
    crystal = spinel()
    order = np.random.default_rng(0).permutation(crystal.n_sites)
    moved = dataclasses.replace(
        crystal, frac=(crystal.frac[order] + np.array([0.1, 0.2, 0.3])) % 1.0,
        species=tuple(crystal.species[site] for site in order),
    )  # fmt: skip
    double = dataclasses.replace(
        crystal, lattice_a=crystal.lattice_a * np.array([[2.0], [1.0], [1.0]]),
        frac=np.concatenate([(crystal.frac + np.eye(3)[0] * shift) / [2.0, 1.0, 1.0] for shift in (0.0, 1.0)]),
        species=crystal.species * 2,
    )  # fmt: skip
    voltages = answer(kind, [crystal, moved, double], ["Mg"] * 3)
    assert np.allclose(voltages, voltages[0], atol=1e-5)


def test_merged_atoms_and_edges_change_nothing(kind):
    data = labelled()
    crystals, ions = data.crystals[:30], data.working_ions[:30]
    merged = answer(kind, crystals, ions, merge_alike=True, merge_edges=True)
    assert np.allclose(merged, answer(kind, crystals, ions), atol=1e-4)


def test_the_state_is_the_working_ion():
    data = labelled()
    table = GraphTable.from_graphs([build_graph(crystal) for crystal in data.crystals], data.working_ions)
    numbers = working_ion_numbers(table.batch(torch.arange(len(table))))
    assert set(numbers[np.array(data.working_ions) == "Mg"].tolist()) == {12}


def test_learns_thirty_structures_and_goes_on_from_its_checkpoint(kind, tmp_path):
    data = labelled()
    rows = np.arange(30)
    kept = tmp_path / "kept"
    prepared = kind.prepare(data, seeds=(0,), checkpoints=kept, epochs=60)
    fitted = prepared.fit(rows, stage="test")
    voltages_v = fitted.outputs_of_rows(rows).voltages_v[:, 0]
    labels_v = data.voltages_v[rows]
    assert np.abs(voltages_v - labels_v).mean() < 0.7 * np.abs(labels_v - np.median(labels_v)).mean()
    assert 100_000 < fitted.n_parameters < 250_000
    assert len(list(kept.glob("test-*.safetensors"))) == 1
    again = kind.prepare(data, seeds=(0,), checkpoints=kept, epochs=60).fit(rows, stage="test")
    assert np.array_equal(again.outputs_of_rows(rows).voltages_v[:, 0], voltages_v)


def test_does_not_ship(kind, tmp_path):
    data = labelled()
    prepared = kind.prepare(data, seeds=(0,), checkpoints=tmp_path / "kept", epochs=1)
    with pytest.raises(ModelError, match="do not ship"):
        prepared.fit(np.arange(20), stage="test").to_arrays()
    assert voltage_kind(kind.name) is kind
