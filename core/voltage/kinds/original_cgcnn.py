"""The baseline `original-cgcnn`: the network as its authors published it, pooling all atoms, with their settings.

txie-93/cgcnn (doi:10.1103/PhysRevLett.120.145301): SGD with momentum 0.9, learning rate 0.01, batches of 256, mean
squared error, 30 epochs, 128 hidden features.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import torch

from core.errors import ModelError
from core.graphs import GraphStore, graph_key
from core.provenance import PACKAGES
from core.voltage.base import Arrays, Floats, Indices, Outputs, Prepared, Report, VoltageKind
from core.voltage.dataset import LabelledData
from core.voltage.elements import element_table
from core.voltage.kinds.cgcnn.batches import GraphTable
from core.voltage.kinds.cgcnn.kind import GRAPHS_FILE
from core.voltage.kinds.cgcnn.network import NetworkConfig, VoltageNetwork

EPOCHS: Final = 30
BATCH_SIZE: Final = 256
LEARNING_RATE: Final = 0.01
MOMENTUM: Final = 0.9


class OriginalCgcnnKind(VoltageKind):
    """One all-atom network."""

    name: ClassVar[str] = "original-cgcnn"
    description: ClassVar[str] = (
        "CGCNN pooling all atoms with the original code's hyper-parameters, one network, 30 epochs"
    )
    packages: ClassVar[tuple[str, ...]] = PACKAGES

    def prepare(
        self, data: LabelledData, *, seeds: tuple[int, ...], checkpoints: Path, epochs: int | None = None,
        resume: bool = False, progress: Report | None = None,
    ) -> "PreparedOriginalCgcnn":  # fmt: skip
        """Return the graphs of the data."""
        return PreparedOriginalCgcnn(data, seeds, epochs or EPOCHS, checkpoints.parent / GRAPHS_FILE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedOriginalCgcnn:
    """The network with the scale of its output."""

    network: VoltageNetwork
    table: GraphTable
    mean_v: float
    scale_v: float

    def outputs_of_rows(self, rows: Indices) -> Outputs:
        """Return the voltages of rows; a baseline has no learned vectors."""
        with torch.no_grad():
            parts = [self.network(self.table.batch(part)) for part in torch.as_tensor(rows).split(128)]
        voltages_v = (self.mean_v + self.scale_v * torch.cat(parts).numpy()).astype(np.float64)
        return Outputs(
            voltages_v=voltages_v[:, None], vectors=np.zeros((len(rows), 0), dtype=np.float32),
            trusted=np.ones(len(rows), dtype=np.bool_),
        )  # fmt: skip

    def to_arrays(self) -> Arrays:
        """A baseline does not ship."""
        raise ModelError("Models of kind 'original-cgcnn' do not ship; cross-validate it instead.")


class PreparedOriginalCgcnn(Prepared):
    """The data as graphs."""

    has_domain = False

    def __init__(self, data: LabelledData, seeds: tuple[int, ...], epochs: int, graphs: Path) -> None:
        self.data = data
        self.seeds = seeds
        self.settings: dict[str, Any] = {
            "epochs": epochs, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE, "momentum": MOMENTUM,
        }  # fmt: skip
        self.kind = OriginalCgcnnKind.name
        self.inputs = graph_key(data.crystals)
        store = GraphStore.open_or_build(graphs, data.crystals)
        self._table = GraphTable.from_graphs(store, data.working_ions, merge_equivalent=True)
        self._epochs = epochs

    def fit(
        self, train: Indices, *, stage: str, validation: Indices | None = None, voltages_v: Floats | None = None,
        n_members: int | None = None,
    ) -> FittedOriginalCgcnn:  # fmt: skip
        """Train the network on rows of the data."""
        labels = self.data.voltages_v if voltages_v is None else voltages_v
        mean, scale = float(labels[train].mean()), float(labels[train].std())
        targets = torch.as_tensor((labels - mean) / scale, dtype=torch.float32)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seeds[0])
            network = VoltageNetwork(torch.as_tensor(element_table()), NetworkConfig(pooling="all"))
            optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
            network.train()
            for _ in range(self._epochs):
                for rows in torch.as_tensor(train)[torch.randperm(len(train))].split(BATCH_SIZE):
                    loss = torch.nn.functional.mse_loss(network(self._table.batch(rows)), targets[rows])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
        network.eval()
        return FittedOriginalCgcnn(network=network, table=self._table, mean_v=mean, scale_v=scale)


KIND: Final = OriginalCgcnnKind()
