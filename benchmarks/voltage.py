"""Training, prediction and screening a second, beside the original CGCNN's data path and model, in one run.

The peer is written here after the original code (github.com/txie-93/cgcnn): neighbours by pymatgen's
`get_all_neighbors`, dense tensors of twelve neighbours padded with atom 0, one Python item a sample kept
after its first use, `torch.cat` as collation, the concatenated linear map an edge, pooling over all atoms in
a Python loop. Element vectors, Gaussians, sizes and batch size are the same on both sides. Targets are the
structures' mean atomic volumes: what is learnt does not matter here.

The last line is of the default model, which has no such peer: seconds a structure from its CIF, on one thread and
without the cache of features.

    python -m benchmarks.voltage [--data ../shared/data] [--structures 256] [--repeats 3] [--default-structures 24]
"""

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter
from torch import Tensor, nn

from benchmarks.graphs import machine, original_neighbours, sample
from core.graphs import CUTOFF_A, GraphStore
from core.ions import WORKING_IONS
from core.records import Crystal
from core.settings import Settings
from core.sources.files import read_paths
from core.voltage import load_voltage_model
from core.voltage.elements import element_table
from core.voltage.kinds.cgcnn.batches import GraphTable
from core.voltage.kinds.cgcnn.ensemble import CgcnnEnsemble
from core.voltage.kinds.cgcnn.network import NetworkConfig, VoltageNetwork
from core.voltage.kinds.frozen_host.cache import FeatureCache
from core.voltage.kinds.frozen_host.featurizer import Featurizer
from core.voltage.kinds.frozen_host.model import FrozenHostEnsemble
from core.voltage.predict import VoltageModel

GNOME_CRYSTALS = 384_871
BATCH = 64
PeerItem = tuple[Tensor, Tensor, Tensor]


class PeerConvolution(nn.Module):
    """The original convolution on dense (n_atoms, 12) neighbours."""

    def __init__(self, n_features: int, n_edge_features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * n_features + n_edge_features, 2 * n_features)
        self.norm_gate, self.norm_sum = nn.BatchNorm1d(2 * n_features), nn.BatchNorm1d(n_features)

    def forward(self, atoms: Tensor, edges: Tensor, neighbours: Tensor) -> Tensor:
        """New atom vectors."""
        n_atoms, n_neighbours = neighbours.shape
        own = atoms.unsqueeze(1).expand(n_atoms, n_neighbours, atoms.shape[1])
        gated = self.linear(torch.cat([own, atoms[neighbours], edges], dim=2))
        gated = self.norm_gate(gated.view(-1, gated.shape[2])).view(n_atoms, n_neighbours, -1)
        gate, core = gated.chunk(2, dim=2)
        summed = (torch.sigmoid(gate) * nn.functional.softplus(core)).sum(dim=1)
        return nn.functional.softplus(atoms + self.norm_sum(summed))


class PeerNetwork(nn.Module):
    """The original network."""

    def __init__(self, n_elements: int, config: NetworkConfig) -> None:
        super().__init__()
        self.embed = nn.Linear(n_elements, config.n_features)
        self.convolutions = nn.ModuleList(
            PeerConvolution(config.n_features, config.n_gaussians) for _ in range(config.n_convolutions)
        )
        self.to_hidden = nn.Linear(config.n_features, config.n_hidden)
        self.out = nn.Linear(config.n_hidden, 1)

    def forward(self, atoms: Tensor, edges: Tensor, neighbours: Tensor, crystals: list[Tensor]) -> Tensor:
        """One number a crystal."""
        atoms = self.embed(atoms)
        for convolution in self.convolutions:
            atoms = convolution(atoms, edges, neighbours)
        pooled = torch.cat([atoms[rows].mean(dim=0, keepdim=True) for rows in crystals])
        hidden = nn.functional.softplus(self.to_hidden(nn.functional.softplus(pooled)))
        return self.out(hidden).squeeze(1)


def peer_item(structure: Structure, table: np.ndarray) -> PeerItem:
    """One sample of the original data set."""
    atoms = torch.tensor(np.vstack([table[structure[i].specie.number] for i in range(len(structure))]))
    indices, distances = original_neighbours(structure)
    centres = np.arange(0.0, CUTOFF_A + 0.2, 0.2)
    edges = np.exp(-((np.array(distances)[..., np.newaxis] - centres) ** 2) / 0.2**2)
    return atoms, torch.tensor(edges, dtype=torch.float32), torch.tensor(indices)


def peer_batch(items: list[PeerItem]) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
    """The original collation."""
    crystals, neighbours, first = [], [], 0
    for atoms, _, indices in items:
        neighbours.append(indices + first)
        crystals.append(torch.arange(len(atoms)) + first)
        first += len(atoms)
    return (
        torch.cat([item[0] for item in items]),
        torch.cat([item[1] for item in items]),
        torch.cat(neighbours),
        crystals,
    )


class Trainers:
    """One epoch of either side over the same structures."""

    def __init__(self, crystals: list[Crystal]) -> None:
        self.crystals = crystals
        self.structures = [crystal.to_pymatgen() for crystal in crystals]
        self.targets = torch.tensor(
            [crystal.volume_a3 / crystal.n_sites for crystal in crystals], dtype=torch.float32
        )
        self.elements = element_table()
        config = NetworkConfig()
        torch.manual_seed(0)
        self.ours = VoltageNetwork(torch.as_tensor(self.elements), config)
        self.peer = PeerNetwork(self.elements.shape[1], config)
        self.table: GraphTable | None = None
        self.items: list[PeerItem] = []

    def prepare_ours(self) -> None:
        """Structures to our tensors."""
        store, _ = GraphStore.build(self.crystals)
        self.table = GraphTable.from_graphs(
            store, ["Mg"] * len(store), merge_equivalent=True, merge_edges=True
        )

    def prepare_peer(self) -> None:
        """Structures to the original's cached items."""
        self.items = [peer_item(structure, self.elements) for structure in self.structures]

    def epoch_ours(self) -> None:
        """One epoch of ours."""
        table = self.table
        if table is not None:
            self._epoch(self.ours, lambda rows: self.ours(table.batch(rows)))

    def epoch_peer(self) -> None:
        """One epoch of the original, items cached."""
        self._epoch(self.peer, lambda rows: self.peer(*peer_batch([self.items[int(row)] for row in rows])))

    def _epoch(self, network: nn.Module, forward: Callable[[Tensor], Tensor]) -> None:
        network.train()
        optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
        for rows in torch.randperm(len(self.targets)).split(BATCH):
            loss = (forward(rows) - self.targets[rows]).abs().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def in_turns(
    ours: Callable[[], object], peer: Callable[[], object], repeats: int
) -> tuple[float, float, float]:
    """Median seconds of both and the median ratio, measured in turns so that both meet the same load."""
    pairs = [(timed(ours), timed(peer)) for _ in range(repeats)]
    return (
        statistics.median(mine for mine, _ in pairs),
        statistics.median(theirs for _, theirs in pairs),
        statistics.median(theirs / mine for mine, theirs in pairs),
    )


def line(name: str, n: int, ours_s: float, peer_s: float, ratio: float) -> None:
    print(f"{name:<42}{n / ours_s:>12.1f}{n / peer_s:>12.1f}{ratio:>8.1f}")


def training(crystals: list[Crystal], repeats: int) -> None:
    trainers, n = Trainers(crystals), len(crystals)
    prepared = in_turns(trainers.prepare_ours, trainers.prepare_peer, 1)
    line("structures to tensors, once", n, *prepared)
    epoch = in_turns(trainers.epoch_ours, trainers.epoch_peer, repeats)
    line("training, an epoch with tensors ready", n, *epoch)
    for n_epochs in (1, 30):
        ours, peer = (prepared[side] + n_epochs * epoch[side] for side in (0, 1))
        line(f"training, {n_epochs} epochs with all before", n * n_epochs, ours, peer, peer / ours)


def written(crystals: Sequence[Crystal], folder: Path) -> list[Path]:
    """CIF files of the crystals."""
    paths = [folder / f"{index:05d}.cif" for index in range(len(crystals))]
    for crystal, path in zip(crystals, paths, strict=True):
        CifWriter(crystal.to_pymatgen()).write_file(path)
    return paths


def predicted(model: VoltageModel, folder: Path, n: int, chunk: int) -> None:
    """Read the files of a folder and predict them, `chunk` at a time."""
    found = [item for item in read_paths([folder], "Mg") if isinstance(item, Crystal)]
    rows = []
    for start in range(0, len(found), chunk):
        part = found[start : start + chunk]
        rows += model.predict(part, ["Mg"] * len(part))
    if len(rows) != n or any(row.error for row in rows):
        raise SystemExit("a structure was lost on the way from its CIF")


@torch.no_grad()
def screening(crystals: list[Crystal], model_name: str, repeats: int) -> None:
    """From CIF files to voltages: each side reads, finds neighbours and predicts; ours with spread and domain
    too."""
    model = load_voltage_model(model_name)
    elements = element_table()
    peer = PeerNetwork(elements.shape[1], NetworkConfig()).eval()
    with tempfile.TemporaryDirectory() as folder:
        paths = written(crystals, Path(folder))

        def theirs() -> None:
            for start in range(0, len(paths), BATCH):
                structures = [Structure.from_file(path) for path in paths[start : start + BATCH]]
                peer(*peer_batch([peer_item(structure, elements) for structure in structures]))

        ours = partial(predicted, model, Path(folder), len(crystals), BATCH)
        line(f"screening, CIF to voltage ({model.name})", len(crystals), *in_turns(ours, theirs, repeats))


def default_model(crystals: list[Crystal], n_structures: int) -> None:
    """Seconds a structure of the default model, from CIF files to voltages, after a first one has loaded it."""
    model = load_voltage_model()
    if isinstance(model.network, FrozenHostEnsemble):
        metals = model.network.featurizer.metals
        model.network = FrozenHostEnsemble(Featurizer(metals, FeatureCache()), model.network.heads)
    chosen = crystals[:: max(len(crystals) // n_structures, 1)][:n_structures]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as first:
        written(chosen, Path(folder))
        smallest = min(crystals, key=lambda crystal: crystal.n_sites)
        written([smallest], Path(first))
        load_s = timed(partial(predicted, model, Path(first), 1, 1))
        # Few at a time, so that no worker processes are started.
        seconds = timed(partial(predicted, model, Path(folder), len(chosen), 8))
    n_sites = sum(crystal.n_sites for crystal in chosen)
    print(
        f"default model {model.name}, CIF to voltage: {seconds / len(chosen):.2f} s a structure ({len(chosen)} "
        f"structures, {n_sites / len(chosen):.0f} sites each, one thread); {load_s:.0f} s once to load it"
    )


def scaling(crystals: list[Crystal], model_name: str) -> None:
    """Time from stored graphs against number of crystals, and where its slope leads."""
    network = load_voltage_model(model_name).network
    if not isinstance(network, CgcnnEnsemble):
        raise SystemExit(f"model {model_name!r} does not start from graphs; give --model cgcnn")
    sizes, seconds = [], []
    for share in (4, 2, 1):
        store, _ = GraphStore.build(crystals[::share])
        run = partial(network.outputs_of_graphs, store, ["Mg"] * len(store))
        sizes.append(len(store))
        seconds.append(statistics.median(timed(run) for _ in range(3)))
        print(
            f"stored graphs to voltages, {len(network.members)} members: {sizes[-1]:>6,} in {seconds[-1]:.2f} s"
        )
    slope, offset = np.polyfit(sizes, seconds, 1)
    hours = (offset + slope * GNOME_CRYSTALS) / 3600.0
    print(
        f"slope {1000 * slope:.2f} ms a crystal; {GNOME_CRYSTALS:,} such crystals: {hours:.2f} h (extrapolated)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Settings.from_environment().data)
    parser.add_argument("--model", default="cgcnn", help="model that screens (default cgcnn)")
    parser.add_argument("--structures", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--default-structures", type=int, default=24, help="structures for the default model; 0 leaves it out"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=UserWarning, module="pymatgen")
    crystals = [
        crystal
        for crystal in sample(options.data, options.structures)
        if set(crystal.species) & set(WORKING_IONS)
    ]
    print(machine())
    print(
        f"{len(crystals)} structures, batches of {BATCH}, one thread; medians of {options.repeats} turns, wall time"
    )
    print(f"{'structures a second':<42}{'ours':>12}{'original':>12}{'ratio':>8}")
    training(crystals, options.repeats)
    screening(crystals, options.model, options.repeats)
    scaling(crystals, options.model)
    if options.default_structures:
        default_model(crystals, options.default_structures)


if __name__ == "__main__":
    main()
