"""How the crystal graph network is fitted: graphs once for all rows, then one network a seed for each fit."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from core.graphs import GraphStore, graph_key
from core.provenance import PACKAGES
from core.voltage.base import Arrays, Floats, Indices, Outputs, Prepared, Report, VoltageKind
from core.voltage.card import VoltageCard
from core.voltage.dataset import LabelledData
from core.voltage.elements import element_table
from core.voltage.kinds.cgcnn.batches import GraphTable
from core.voltage.kinds.cgcnn.ensemble import CgcnnEnsemble
from core.voltage.kinds.cgcnn.network import NetworkConfig
from core.voltage.kinds.cgcnn.training import TrainingConfig, train_network

GRAPHS_FILE = "graphs-electrodes.npz"
"""Graphs of the labelled electrodes, in the folder above the model's own checkpoints: all graph networks share it."""


class CgcnnKind(VoltageKind):
    """CGCNN after Xie and Grossman (doi:10.1103/PhysRevLett.120.145301) with the paper's pooling.

    `stops_early`: whether the weights of the best epoch on the next fold are taken; then one fold of ten is tested.
    """

    name: ClassVar[str] = "cgcnn"
    description: ClassVar[str] = (
        "CGCNN that pools the working ions alone; the voltage is the mean over the members."
    )
    default_members: ClassVar[int] = 3
    packages: ClassVar[tuple[str, ...]] = PACKAGES

    def __init__(self, *, stops_early: bool = True) -> None:
        self.stops_early = stops_early

    def prepare(
        self, data: LabelledData, *, seeds: tuple[int, ...], checkpoints: Path, epochs: int | None = None,
        resume: bool = False, progress: Report | None = None,
    ) -> "PreparedCgcnn":  # fmt: skip
        """Return the graphs of the data, built or read from the checkpoints."""
        config = TrainingConfig() if epochs is None else TrainingConfig(epochs=epochs)
        prepared = PreparedCgcnn(data, seeds, config, checkpoints, resume=resume, progress=progress)
        prepared.stops_early = self.stops_early
        prepared.n_test_folds = 1 if self.stops_early else None
        return prepared

    def load(self, arrays: Arrays, card: VoltageCard) -> CgcnnEnsemble:
        """Return the network of a shipped model."""
        return CgcnnEnsemble.from_arrays(arrays, NetworkConfig(**card.settings["network"]), name=card.name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedCgcnn:
    """Networks, and the graphs of the rows that they may be asked about."""

    ensemble: CgcnnEnsemble
    store: GraphStore
    working_ions: list[str]

    def outputs_of_rows(self, rows: Indices) -> Outputs:
        """Return the outputs of rows of the data."""
        return self.ensemble.outputs_of_graphs(
            [self.store[int(row)] for row in rows], [self.working_ions[row] for row in rows]
        )

    def to_arrays(self) -> Arrays:
        """Return the weights."""
        return self.ensemble.to_arrays()


class PreparedCgcnn(Prepared):
    """The data as graphs."""

    def __init__(
        self, data: LabelledData, seeds: tuple[int, ...], config: TrainingConfig, checkpoints: Path, *,
        resume: bool, progress: Report | None,
    ) -> None:  # fmt: skip
        self.data = data
        self.seeds = seeds
        training = asdict(config)
        self.settings: dict[str, Any] = {"network": training.pop("network"), "training": training}
        self.kind = CgcnnKind.name
        self.inputs = graph_key(data.crystals)
        self._store = GraphStore.open_or_build(checkpoints.parent / GRAPHS_FILE, data.crystals)
        self._table = GraphTable.from_graphs(
            self._store, data.working_ions, merge_equivalent=True, merge_edges=True
        )
        self._config, self._checkpoints, self._resume, self._progress = config, checkpoints, resume, progress

    def fit(
        self, train: Indices, *, stage: str, validation: Indices | None = None, voltages_v: Floats | None = None,
        n_members: int | None = None,
    ) -> FittedCgcnn:  # fmt: skip
        """Train one network a seed on rows of the data."""
        labels = self.data.voltages_v if voltages_v is None else voltages_v
        seeds = self.seeds[:n_members]
        members = [
            train_network(
                self._table, labels, train=train, validation=validation, element_table=element_table(),
                config=self._config, seed=seed,
                checkpoint=self._checkpoints / f"{stage}-{number}.safetensors", resume=self._resume,
                progress=self._reports(f"{stage} {number}/{len(seeds)}"),
            )
            for number, seed in enumerate(seeds, start=1)
        ]  # fmt: skip
        return FittedCgcnn(
            ensemble=CgcnnEnsemble(members), store=self._store, working_ions=self.data.working_ions
        )

    def _reports(self, label: str) -> Callable[[int, int], None] | None:
        report = self._progress
        if report is None:
            return None
        return lambda done, total: report(label, done, total)
