"""How each of the graph networks is fitted: graphs once for all rows, then one network for each fit."""

import hashlib
import json
from dataclasses import asdict, dataclass
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
from core.voltage.kinds.cgcnn.network import PooledNetwork
from core.voltage.kinds.cgcnn.training import TrainedNetwork, TrainingConfig, train_network

EPOCHS: Final = 30
MAX_LEARNING_RATE: Final = 2e-3
"""Below that of CGCNN, whose batch normalisation takes a higher one; the same for all networks here."""


class GraphNetworkKind(VoltageKind):
    """One of the networks: a subclass says which."""

    family: ClassVar[str] = "Graph networks"
    citation: ClassVar[str]
    settings_words: ClassVar[str] = (
        f"fixed beforehand, no search: AdamW, L1 loss, {EPOCHS} epochs, batches of 64, rate up to {MAX_LEARNING_RATE:g}"
    )
    packages: ClassVar[tuple[str, ...]] = PACKAGES
    network: ClassVar[type[PooledNetwork]]

    def prepare(
        self, data: LabelledData, *, seeds: tuple[int, ...], checkpoints: Path, epochs: int | None = None,
        resume: bool = False, progress: Report | None = None,
    ) -> "PreparedGraphNetwork":  # fmt: skip
        """Return the graphs of the data; a fit always goes on from its own checkpoint, whatever `resume` says."""
        config = TrainingConfig(
            epochs=epochs or EPOCHS, max_learning_rate=MAX_LEARNING_RATE, checkpoint_every=1
        )
        return PreparedGraphNetwork(self, data, seeds, config, checkpoints, progress)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedGraphNetwork:
    """The network with the scale of its output, and the graphs of the rows that it may be asked about."""

    trained: TrainedNetwork
    table: GraphTable
    name: str

    @property
    def n_parameters(self) -> int:
        """Number of numbers that were fitted."""
        return sum(parameter.numel() for parameter in self.trained.network.parameters())

    def outputs_of_rows(self, rows: Indices) -> Outputs:
        """Return the voltages of rows; a baseline has no learned vectors."""
        voltages_v = self.trained.predict(self.table, rows).numpy().astype(np.float64)
        return Outputs(
            voltages_v=voltages_v[:, None], vectors=np.zeros((len(rows), 0), dtype=np.float32),
            trusted=np.ones(len(rows), dtype=np.bool_),
        )  # fmt: skip

    def to_arrays(self) -> Arrays:
        """A baseline does not ship."""
        raise ModelError(f"Models of kind {self.name!r} do not ship; cross-validate it instead.")


class PreparedGraphNetwork(Prepared):
    """The data as graphs."""

    has_domain = False

    def __init__(
        self, kind: GraphNetworkKind, data: LabelledData, seeds: tuple[int, ...], config: TrainingConfig,
        checkpoints: Path, progress: Report | None,
    ) -> None:  # fmt: skip
        self.data = data
        self.seeds = seeds
        self.kind = kind.name
        self.inputs = graph_key(data.crystals)
        training = asdict(config)
        del training["network"], training["checkpoint_every"]
        shapes = {name: list(value.shape) for name, value in kind.network().named_parameters()}
        self.settings: dict[str, Any] = {"network": shapes, "training": training}
        store = GraphStore.open_or_build(checkpoints.parent / GRAPHS_FILE, data.crystals)
        self._table = GraphTable.from_graphs(
            store, data.working_ions, merge_equivalent=True, merge_edges=True
        )
        self._network, self._config = kind.network, config
        self._checkpoints, self._progress = checkpoints, progress

    def fit(
        self, train: Indices, *, stage: str, validation: Indices | None = None, voltages_v: Floats | None = None,
        n_members: int | None = None,
    ) -> FittedGraphNetwork:  # fmt: skip
        """Train the network on rows of the data."""
        labels = self.data.voltages_v if voltages_v is None else voltages_v
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seeds[0])
            network = self._network()
        trained = train_network(
            self._table, labels, train=train, validation=validation, element_table=element_table(),
            config=self._config, seed=self.seeds[0], network=network, resume=True,
            checkpoint=self._checkpoints / f"{stage}-{self._fit_key(train, labels)}.safetensors",
            progress=None if self._progress is None else lambda done, total: self._report(stage, done, total),
        )  # fmt: skip
        return FittedGraphNetwork(trained=trained, table=self._table, name=self.kind)

    def _fit_key(self, train: Indices, labels: Floats) -> str:
        """Name all that decides a fit, so that the checkpoint of another one is never met."""
        content = [self.inputs, self.settings, self.seeds, train.tolist(), labels[train].tolist()]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]

    def _report(self, stage: str, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(f"{self.kind}, {stage}", done, total)
