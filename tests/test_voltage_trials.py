"""The trials on the voltage network: each trains on shipped crystals, and nothing tested is learnt from."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import voltage_trials as trials
from core.graphs import CrystalGraph, GraphStore, build_graph
from core.records import Electrode
from core.store import open_reader
from core.voltage.dataset import LabelledData
from core.voltage.kinds.cgcnn.batches import GraphTable
from core.voltage.kinds.cgcnn.training import TrainingConfig, train_network
from tests.voltage.crystals import moved

SHIPPED = (
    "mp-1039154", "mp-1077177", "mp-2343", "mp-1039188", "mp-1094715", "mp-1094941", "mp-1185851", "mp-1221953",
    "mp-978276", "mp-1185941",
)  # fmt: skip
TRAIN, TEST = np.arange(8), np.arange(8, 10)
STEPS_HEADER = "battery_id,id_discharge,step_voltage,is_full_range\n"


def electrode(row: dict[str, str]) -> Electrode:
    names = ("battery_id", "working_ion", "id_discharge", "host_formula", "voltage_check")
    return Electrode(
        **{name: row[name] for name in names}, average_voltage_v=float(row["voltage_v"]), id_charge="",
        formula_discharge=row["formula"], formula_charge=row["host_formula"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def bench(precomputed: Path) -> trials.Bench:
    """Ten shipped crystals with their labels; hull energies stand in for formation energies."""
    with (precomputed / "accuracy" / "frozen-host.csv").open() as stream:
        rows = {row["id_discharge"]: row for row in csv.DictReader(stream) if row["working_ion"] == "Mg"}
    reader = open_reader(precomputed)
    crystals = [reader.crystal(id) for id in SHIPPED]
    data = LabelledData(electrodes=tuple(electrode(rows[id]) for id in SHIPPED), crystals=tuple(crystals))
    return trials.Bench(
        data=data,
        graphs=GraphStore.build(crystals)[0],
        energies=[(crystal, crystal.e_above_hull_ev_per_atom or 0.0) for crystal in crystals],
        steps=[trials.Step(row=row, crystal=crystals[row], voltage_v=1.0) for row in (0, 9)],
        epochs=5,
        pretraining_epochs=1,
    )


@pytest.fixture
def features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Volume and size of the cells in place of the potentials' features."""
    monkeypatch.setattr(
        trials,
        "featurizer",
        lambda: (
            lambda crystals, _: (
                np.array([[c.volume_a3, c.n_sites] for c in crystals]).reshape(-1, 2),
                (None,) * len(crystals),
            )
        ),
    )


@pytest.mark.parametrize("name", trials.TRIALS)
@pytest.mark.usefixtures("features")
def test_every_trial_learns_and_differs_from_its_plain_model(name: str, bench: trials.Bench) -> None:
    plain, trial = trials.TRIALS[name]
    found = trial(bench, TRAIN, TEST)
    assert found.shape == TEST.shape
    assert np.isfinite(found).all()
    if plain == trials.FROZEN:
        assert not np.array_equal(found, trials.PLAIN[plain](bench, TRAIN, TEST))


def test_unchanged_network_is_trained_as_the_core_trains_it(bench: trials.Bench) -> None:
    labels = bench.data.voltages_v
    ours = trials.network_trial(trials.VoltageNetwork)(bench, TRAIN, TEST)
    theirs = train_network(
        bench.table, labels, train=TRAIN, validation=None, element_table=trials.element_table(),
        config=TrainingConfig(epochs=bench.epochs), seed=0,
    ).predict(bench.table, TEST)  # fmt: skip
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_convolutions_written_out_are_those_of_the_core(bench: trials.Bench) -> None:
    batch = bench.table.batch(torch.arange(len(bench.table)))
    open_network, plain = trials.made(trials.OpenNetwork).eval(), trials.made(trials.VoltageNetwork).eval()
    torch.testing.assert_close(open_network(batch), plain(batch), atol=1e-5, rtol=0.0)
    for kind in (trials.AttentionNetwork, trials.EdgeUpdateNetwork):
        assert not torch.allclose(trials.made(kind).eval()(batch), plain(batch), atol=1e-4)


def test_attention_adds_up_to_one_at_each_atom() -> None:
    atoms = torch.tensor([0, 0, 2, 2, 2])
    gate = torch.tensor([[1.0, -300.0], [1.0, 300.0], [0.0, 5.0], [1.0, 5.0], [2.0, 5.0]])
    weights = trials.made(trials.AttentionNetwork).weights(gate, atoms)
    torch.testing.assert_close(weights[:2], torch.tensor([[0.5, 0.0], [0.5, 1.0]]))
    torch.testing.assert_close(weights[2:].sum(0), torch.ones(2))
    torch.testing.assert_close(weights[2:, 0], torch.softmax(gate[2:, 0], 0))


def test_nothing_is_pretrained_on_a_composition_that_is_tested(bench: trials.Bench) -> None:
    left = {crystal.id for crystal, _ in trials.without_ends(bench, np.array([0]))}
    # MgBi stands in the data twice; both go.
    assert set(SHIPPED) - left == {"mp-1039154", "mp-1039188"}


def test_steps_are_those_of_training_rows(bench: trials.Bench) -> None:
    assert [step.row for step in bench.steps_of(TRAIN)] == [0]


def test_single_steps_leave_out_labels_and_unknown_ends(tmp_path: Path, bench: trials.Bench) -> None:
    first, second = (bench.data.electrodes[row].battery_id for row in (0, 1))
    table = tmp_path / "steps.csv"
    table.write_text(
        f"{STEPS_HEADER}{first},mp-2343,1.5,False\n{first},mp-2343,1.5,True\n"
        f"{second},mp-0,1.5,False\nother,mp-2343,1.5,False\n"
    )
    found = trials.single_steps(table, bench.data, {"mp-2343": bench.data.crystals[2]})
    assert [(step.row, step.crystal.id, step.voltage_v) for step in found] == [(0, "mp-2343", 1.5)]


def edges(graph: CrystalGraph) -> list[tuple[int, int, float]]:
    """The edges of the merged graph: class of the neighbour, class of the atom, distance."""
    batch = GraphTable.from_graphs([graph], ["Mg"], merge_equivalent=True).batch(torch.tensor([0]))
    classes = list(dict.fromkeys(graph.environments.tolist()))  # rows are in the order of first occurrence
    ends = ([classes[row] for row in rows] for rows in batch.edge_index.tolist())
    lengths_a = (round(distance, 4) for distance in batch.distances_a.tolist())
    return sorted(zip(*ends, lengths_a, strict=True))


@pytest.mark.parametrize("row", range(10))
def test_a_supercell_has_the_graph_of_its_cell(row: int, bench: trials.Bench) -> None:
    crystal = bench.data.crystals[row]
    cell, supercell = (build_graph(item) for item in (crystal, moved(crystal, scaling=(2, 1, 2), seed=1)))
    np.testing.assert_allclose(edges(cell), edges(supercell), atol=2e-4)


def test_strain_is_small_and_differs(bench: trials.Bench) -> None:
    crystal, rng = bench.data.crystals[0], np.random.default_rng(0)
    first, second = (trials.strained(crystal, rng).volume_a3 / crystal.volume_a3 for _ in range(2))
    assert first != second
    assert max(abs(first - 1.0), abs(second - 1.0)) < 0.1


def test_folds_are_kept_and_read_again(tmp_path: Path, bench: trials.Bench) -> None:
    calls = []

    def trial(_bench, _train, test):
        calls.append(len(test))
        return np.zeros(len(test))

    path = tmp_path / "trial" / "random-1.npy"
    for _ in range(2):
        assert trials.kept(path, trial, bench, TRAIN, TEST).tolist() == [0.0, 0.0]
    assert calls == [2]


def test_summary_pairs_the_rows() -> None:
    labels = np.linspace(0.0, 4.0, 40)
    line = trials.summary(labels, labels + 0.1, labels + 0.3)
    assert line.split(maxsplit=1)[0] == "40"
    assert "0.100 (0.100 to 0.100)" in line
    assert "-0.200 (-0.200 to -0.200)" in line


def test_compare_reads_trial_and_plain_of_the_same_rows(tmp_path: Path, bench: trials.Bench) -> None:
    labels = bench.data.voltages_v[TEST]
    for folder, shift in (("voltage-trials/seed", 0.5), ("cross-validation-cgcnn", 0.25)):
        (tmp_path / folder).mkdir(parents=True)
        np.save(tmp_path / folder / "host-1.npy", labels + shift)
    line = trials.compare("seed", "host", [(1, TEST)], bench, tmp_path)
    assert line == trials.summary(labels, labels + 0.5, labels + 0.25)


def test_formation_energies_pass_over_structures_without_one(tmp_path: Path) -> None:
    path = tmp_path / "structures.jsonl.gz"
    with gzip.open(path, "wt") as stream:
        stream.write('{"id": "mp-2343", "formation_energy_per_atom": -0.25}\n')
        stream.write('{"id": "mp-1", "formation_energy_per_atom": null}\n{"id": "mp-2"}\n')
    assert trials.formation_energies(path) == [("mp-2343", -0.25)]
