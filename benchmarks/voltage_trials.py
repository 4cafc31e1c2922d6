"""Changes to the voltage network, each beside the plain one on the same test folds.

    python -m benchmarks.voltage_trials --data ../shared/data [--trial NAME] [--folds 1]

Every trial is `cgcnn` of `benchmarks.cross_validation` (same seed, number of steps, optimizer) with one change, whose
setting was fixed before any test fold was looked at. Fold 0, on which hyper-parameters were chosen, is not used.
Finished folds are kept in checkpoints/, so a stopped run goes on.

- `pretraining`: the convolutions are first trained on formation energies (mean over all atoms), then on voltages at 0.3
  of the learning rate. Nothing is pretrained on that shares id or composition with an end of a test electrode.
- `steps`: single voltage steps of training electrodes as further labels. Nearly all of `voltage_steps.csv` repeats the
  electrodes' own labels; the others count where their discharged structure is in the reference data.
- `strain`: each crystal also in four copies with random strains of 1 %, as many optimizer steps as without. Supercells
  change nothing: with the working ions pooled and equivalent atoms merged theirs is the very graph of the cell.
- `attention`: a softmax over the neighbours in place of the sigmoid gate.
- `edge-updates`: what an edge passes on in one convolution is added to its vector for the next.
- `seed`: nothing but another seed, which says what a difference must exceed.
- `steps-frozen-host`: the steps as labels for one head of the default model, beside that head without them.
"""

import argparse
import csv
import gzip
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pymatgen.core import Composition
from torch import Tensor, nn
from torch.nn.functional import softplus

from benchmarks.cross_validation import CGCNN_EPOCHS
from core.graphs import GraphStore, build_graph
from core.provenance import package_versions
from core.records import Crystal
from core.settings import Settings
from core.sources.reference import CANDIDATE_STRUCTURES, ELECTRODE_STRUCTURES, read_structures
from core.voltage.dataset import LabelledData, load_labelled
from core.voltage.elements import element_table
from core.voltage.evaluation.cross_validate import partitions
from core.voltage.kinds.cgcnn.batches import GraphBatch, GraphTable
from core.voltage.kinds.cgcnn.network import NetworkConfig, VoltageNetwork
from core.voltage.kinds.cgcnn.training import TrainedNetwork, TrainingConfig, train_network
from core.voltage.kinds.frozen_host.backbones import Backbones
from core.voltage.kinds.frozen_host.features import metal_energies
from core.voltage.kinds.frozen_host.featurizer import Featurizer
from core.voltage.kinds.frozen_host.head import HeadConfig, train_heads
from core.voltage.kinds.frozen_host.model import default_cache

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
RATE = TrainingConfig().max_learning_rate
FINE_TUNING = 0.3
N_STRAINED = 4
STRAIN = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A single voltage step, V, of the electrode in row `row`, with the crystal that it ends in."""

    row: int
    crystal: Crystal
    voltage_v: float


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Labelled electrodes and their graphs; crystals with formation energies, eV/atom; single steps."""

    data: LabelledData
    graphs: GraphStore
    energies: list[tuple[Crystal, float]]
    steps: list[Step]
    epochs: int = CGCNN_EPOCHS
    pretraining_epochs: int = 15

    @classmethod
    def load(cls, folder: Path) -> "Bench":
        """Read the reference data; graphs of the electrodes come from checkpoints/ if they are there."""
        data = load_labelled(folder)
        store = Settings.from_environment().checkpoints / "graphs-electrodes.npz"
        ends = {crystal.id: crystal for crystal in read_structures(folder / ELECTRODE_STRUCTURES)}
        candidates = {crystal.id: crystal for crystal in read_structures(folder / CANDIDATE_STRUCTURES)}
        return cls(
            data=data,
            graphs=GraphStore.open_or_build(store, data.crystals),
            energies=[(ends[id], energy) for id, energy in formation_energies(folder / ELECTRODE_STRUCTURES)],
            steps=single_steps(folder / "voltage_steps.csv", data, candidates | ends),
        )

    @cached_property
    def table(self) -> GraphTable:
        """The graphs of all electrodes."""
        return GraphTable.from_graphs(self.graphs, self.data.working_ions, merge_equivalent=True)

    def steps_of(self, rows: Rows) -> list[Step]:
        """Return the steps of the electrodes in the given rows."""
        known = set(rows.tolist())
        return [step for step in self.steps if step.row in known]

    def predicted(self, network: TrainedNetwork, rows: Rows) -> Floats:
        """Return the (n_rows,) voltages of the given rows, V."""
        return network.predict(self.table, rows).numpy().astype(np.float64)


Trial = Callable[[Bench, Rows, Rows], Floats]
"""From training and test rows to the (n_test,) voltages of the test rows, V."""


def formation_energies(path: Path) -> list[tuple[str, float]]:
    """Return id and formation energy, eV/atom, of the structures that state one."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        items = [json.loads(line) for line in stream]
    name = "formation_energy_per_atom"
    return [(item["id"], item[name]) for item in items if item.get(name) is not None]


def single_steps(path: Path, data: LabelledData, structures: dict[str, Crystal]) -> list[Step]:
    """Return the steps that are no electrode's own label and whose end has a known structure."""
    rows = {electrode.battery_id: row for row, electrode in enumerate(data.electrodes)}
    with path.open(encoding="utf-8", newline="") as stream:
        steps = [item for item in csv.DictReader(stream) if item["is_full_range"] == "False"]
    return [
        Step(
            row=rows[step["battery_id"]],
            crystal=structures[step["id_discharge"]],
            voltage_v=float(step["step_voltage"]),
        )
        for step in steps
        if step["battery_id"] in rows and step["id_discharge"] in structures
    ]


class OpenNetwork(VoltageNetwork):
    """The plain network with its convolutions written out, so that their parts can be changed."""

    def weights(self, gate: Tensor, _atoms: Tensor) -> Tensor:
        """Return what the (n_edges, n_features) messages are weighted by."""
        return torch.sigmoid(gate)

    def edges_after(self, _convolution: int, edges: Tensor, _messages: Tensor) -> Tensor:
        """Return the (n_edges, n_gaussians) edge vectors for the next convolution."""
        return edges

    def atom_vectors(self, batch: GraphBatch) -> Tensor:
        """Return (n_atoms, n_features) vectors after the last convolution."""
        vectors = self.embed_element(self.element_table[batch.atomic_numbers])
        offsets = (batch.distances_a.unsqueeze(1) - self.centres_a) / self.config.gaussian_step_a
        edges = torch.exp(-offsets.square())
        neighbours, atoms = batch.edge_index
        for number, layer in enumerate(self.convolutions):
            ends = layer.of_atom(vectors)[atoms] + layer.of_neighbour(vectors)[neighbours]
            gate, core = layer.norm_gate(ends + layer.of_edge(edges)).chunk(2, dim=1)
            messages = self.weights(gate, atoms) * softplus(core)
            summed = torch.zeros_like(vectors).index_add(0, atoms, messages)
            vectors = softplus(vectors + layer.norm_sum(summed))
            edges = self.edges_after(number, edges, messages)
        return vectors


class AttentionNetwork(OpenNetwork):
    """sum_j softmax_j(gate_ij) * softplus(core_ij), channel by channel."""

    def weights(self, gate: Tensor, atoms: Tensor) -> Tensor:
        """Return the softmax over the neighbours of each atom."""
        rows, n_atoms = atoms.unsqueeze(1).expand_as(gate), int(atoms.max()) + 1
        empty = gate.new_zeros(n_atoms, gate.shape[1])
        highest = empty.scatter_reduce(0, rows, gate.detach(), "amax", include_self=False)
        powers = torch.exp(gate - highest[atoms])
        return powers / empty.index_add(0, atoms, powers)[atoms]


class EdgeUpdateNetwork(OpenNetwork):
    """u_ij <- u_ij + W m_ij after each convolution but the last; m_ij is what the edge passes on."""

    def __init__(self, elements: Tensor, config: NetworkConfig) -> None:
        super().__init__(elements, config)
        self.of_message = nn.ModuleList(
            nn.Linear(config.n_features, config.n_gaussians) for _ in range(config.n_convolutions - 1)
        )

    def edges_after(self, convolution: int, edges: Tensor, messages: Tensor) -> Tensor:
        """Return the edge vectors with what the edges passed on."""
        if convolution == len(self.of_message):
            return edges
        return edges + self.of_message[convolution](messages)


def made(kind: type[VoltageNetwork], *, seed: int = 0, **sizes: str) -> VoltageNetwork:
    """Return a network with the starting weights that `train_network` would give it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind(torch.as_tensor(element_table()), NetworkConfig(**sizes))


def learned(
    network: VoltageNetwork, table: GraphTable, labels: Floats, train: Rows, *, epochs: int,
    rate: float = RATE, seed: int = 0,
) -> TrainedNetwork:  # fmt: skip
    """Train a given network."""
    config = TrainingConfig(network=network.config, epochs=epochs, max_learning_rate=rate)
    return train_network(
        table, labels, train=train, validation=None, element_table=element_table(), config=config, seed=seed,
        network=network,
    )  # fmt: skip


def network_trial(kind: type[VoltageNetwork], seed: int = 0) -> Trial:
    """Return the trial of another network, or of another seed."""

    def trial(bench: Bench, train: Rows, test: Rows) -> Floats:
        network, labels = made(kind, seed=seed), bench.data.voltages_v
        trained = learned(network, bench.table, labels, train, epochs=bench.epochs, seed=seed)
        return bench.predicted(trained, test)

    return trial


def pretraining(bench: Bench, train: Rows, test: Rows) -> Floats:
    """Learn formation energies of other compositions than the tested, then voltages."""
    source, target = made(VoltageNetwork, pooling="all"), made(VoltageNetwork)
    crystals, energies = zip(*without_ends(bench, test), strict=True)
    graphs = [build_graph(crystal) for crystal in crystals]
    # All atoms are pooled here, so that any element does for the working ion.
    any_ion = [crystal.species[0] for crystal in crystals]
    table = GraphTable.from_graphs(graphs, any_ion, merge_equivalent=True)
    learned(source, table, np.array(energies), np.arange(len(energies)), epochs=bench.pretraining_epochs)
    target.embed_element.load_state_dict(source.embed_element.state_dict())
    target.convolutions.load_state_dict(source.convolutions.state_dict())
    labels, rate = bench.data.voltages_v, FINE_TUNING * RATE
    return bench.predicted(learned(target, bench.table, labels, train, epochs=bench.epochs, rate=rate), test)


def without_ends(bench: Bench, test: Rows) -> list[tuple[Crystal, float]]:
    """Return the energies that share neither id nor composition with an end of a test electrode."""
    electrodes = [bench.data.electrodes[row] for row in test]
    ids = {id for electrode in electrodes for id in (electrode.id_charge, electrode.id_discharge)}
    tested = {
        reduced(formula)
        for electrode in electrodes
        for formula in (electrode.formula_charge, electrode.formula_discharge, electrode.host_formula)
    } | {reduced(crystal.formula) for crystal, _ in bench.energies if crystal.id in ids}
    return [item for item in bench.energies if reduced(item[0].formula) not in tested]


@cache
def reduced(formula: str) -> str:
    """Return the reduced formula, which names a composition."""
    return Composition(formula).reduced_formula


def steps(bench: Bench, train: Rows, test: Rows) -> Floats:
    """Learn the training electrodes' single steps beside their labels."""
    known, ions = bench.steps_of(train), bench.data.working_ions
    graphs = [bench.graphs[row] for row in train] + [build_graph(step.crystal) for step in known]
    all_ions = [ions[row] for row in [*train, *(step.row for step in known)]]
    table = GraphTable.from_graphs(graphs, all_ions, merge_equivalent=True)
    labels = np.concatenate([bench.data.voltages_v[train], [step.voltage_v for step in known]])
    every = np.arange(len(labels))
    return bench.predicted(learned(made(VoltageNetwork), table, labels, every, epochs=bench.epochs), test)


def strain(bench: Bench, train: Rows, test: Rows) -> Floats:
    """Learn each crystal as it is and strained, in fewer epochs of as many more crystals."""
    rng, copies = np.random.default_rng(0), 1 + N_STRAINED
    graphs = [bench.graphs[row] for row in train]
    graphs += [
        build_graph(strained(bench.data.crystals[row], rng)) for _ in range(N_STRAINED) for row in train
    ]
    ions = [bench.data.working_ions[row] for row in train] * copies
    table = GraphTable.from_graphs(graphs, ions, merge_equivalent=True)
    labels, every = np.tile(bench.data.voltages_v[train], copies), np.arange(len(graphs))
    epochs = bench.epochs // copies
    return bench.predicted(learned(made(VoltageNetwork), table, labels, every, epochs=epochs), test)


def strained(crystal: Crystal, rng: np.random.Generator) -> Crystal:
    """Return the crystal under a random strain of standard deviation `STRAIN` along each axis."""
    tensor = rng.normal(scale=STRAIN, size=(3, 3))
    return replace(crystal, lattice_a=crystal.lattice_a @ (np.eye(3) + (tensor + tensor.T) / 2))


def frozen_host(bench: Bench, train: Rows, test: Rows) -> Floats:
    """Train one head of the default model."""
    return frozen_head(bench, train, test, [])


def steps_frozen_host(bench: Bench, train: Rows, test: Rows) -> Floats:
    """Train one head of the default model, the single steps among its labels."""
    return frozen_head(bench, train, test, bench.steps_of(train))


def frozen_head(bench: Bench, train: Rows, test: Rows, known: list[Step]) -> Floats:
    """Return the test rows' voltages; a step whose end the potentials refuse is left out."""
    rows, ions = [*train, *test], bench.data.working_ions
    described, _ = featurizer()([bench.data.crystals[row] for row in rows], [ions[row] for row in rows])
    ends, errors = featurizer()([step.crystal for step in known], [ions[step.row] for step in known])
    sound = [step for step, error in zip(known, errors, strict=True) if error is None]
    labels = np.concatenate([bench.data.voltages_v[train], [step.voltage_v for step in sound]])
    learnt = np.concatenate([described[: len(train)], ends])
    head = train_heads(learnt, labels, seeds=(0,), config=HeadConfig())
    return head(described[len(train) :])[0][:, 0]


@cache
def featurizer() -> Featurizer:
    """Return what makes the features of the default model, with its cache."""
    return Featurizer(metal_energies(Backbones.load()), default_cache())


def plain_cgcnn(bench: Bench, train: Rows, test: Rows) -> Floats:
    """Train the network of `benchmarks.cross_validation`."""
    network = train_network(
        bench.table, bench.data.voltages_v, train=train, validation=None, element_table=element_table(),
        config=TrainingConfig(epochs=CGCNN_EPOCHS), seed=0,
    )  # fmt: skip
    return network.predict(bench.table, test).numpy().astype(np.float64)


CGCNN, FROZEN = "cgcnn", "frozen-host"
PLAIN: dict[str, Trial] = {CGCNN: plain_cgcnn, FROZEN: frozen_host}
TRIALS: dict[str, tuple[str, Trial]] = {
    "pretraining": (CGCNN, pretraining),
    "steps": (CGCNN, steps),
    "strain": (CGCNN, strain),
    "attention": (CGCNN, network_trial(AttentionNetwork)),
    "edge-updates": (CGCNN, network_trial(EdgeUpdateNetwork)),
    "seed": (CGCNN, network_trial(VoltageNetwork, seed=1)),
    "steps-frozen-host": (FROZEN, steps_frozen_host),
}
"""Each trial with the plain model that it is compared with."""


def summary(labels: Floats, trial: Floats, plain: Floats) -> str:
    """Return n, MAE of the trial and of the plain model, and their difference, V, with paired bootstraps."""
    errors = np.abs(np.stack([trial, plain]) - labels)
    errors = np.vstack([errors, errors[0] - errors[1]])
    picks = np.random.default_rng(0).integers(0, len(labels), size=(2000, len(labels)))
    low, high = np.percentile(errors[:, picks].mean(axis=2), [2.5, 97.5], axis=1)
    parts = [
        f"{value:{sign}.3f} ({a:{sign}.3f} to {b:{sign}.3f})"
        for value, a, b, sign in zip(errors.mean(axis=1), low, high, "--+", strict=True)
    ]
    return f"{len(labels):>5}  " + "  ".join(parts)


def kept(path: Path, trial: Trial, bench: Bench, train: Rows, test: Rows) -> Floats:
    """Return a fold's predictions from the file, or compute and keep them."""
    if not path.is_file():
        begun = time.perf_counter()
        found = trial(bench, train, test)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, found)
        print(f"  {path.parent.name}/{path.stem}: {time.perf_counter() - begun:.0f} s", flush=True)
    return np.load(path)


def compare(name: str, partition: str, folds: list[tuple[int, Rows]], bench: Bench, folder: Path) -> str:
    """Return a trial beside its plain model over the given numbered folds."""
    plain_name, trial = TRIALS[name]
    plain_folder = folder / (
        "cross-validation-cgcnn" if plain_name == CGCNN else "voltage-trials/frozen-host"
    )
    found: list[NDArray[np.float64]] = []
    for number, test in folds:
        train, file = np.setdiff1d(np.arange(len(bench.data)), test), f"{partition}-{number}.npy"
        changed = kept(folder / "voltage-trials" / name / file, trial, bench, train, test)
        plain = kept(plain_folder / file, PLAIN[plain_name], bench, train, test)
        found.append(np.stack([bench.data.voltages_v[test], changed, plain]))
    labels, changed, plain = np.concatenate(found, axis=1)
    return summary(labels, changed, plain)


def main() -> None:
    """Print one line a trial and partition."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Settings.from_environment().data)
    parser.add_argument("--trial", choices=tuple(TRIALS), help="one of them; all when not given")
    parser.add_argument(
        "--folds", type=int, default=1, help="how many folds of each partition, from fold 1 on"
    )
    arguments = parser.parse_args()
    bench, folder = Bench.load(arguments.data), Settings.from_environment().checkpoints
    data = bench.data
    folds_of = partitions(data)
    print(package_versions(("torch", "numpy")))
    print(f"{len(bench.energies)} formation energies, {len(bench.steps)} single steps")
    print("trial, folds, n, MAE of the trial, of the plain model, difference; V, 95 % intervals", flush=True)
    for name in [arguments.trial] if arguments.trial else TRIALS:
        for partition, folds in folds_of.items():
            chosen = list(enumerate(folds))[1 : 1 + arguments.folds]
            print(f"{name:<18}{partition:<7}{compare(name, partition, chosen, bench, folder)}", flush=True)


if __name__ == "__main__":
    main()
