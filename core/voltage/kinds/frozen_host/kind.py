"""How the frozen-host model is fitted: features once for all rows, then an ensemble of heads for each fit."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from core.voltage.base import Arrays, Floats, Indices, Outputs, Prepared, Report, VoltageKind
from core.voltage.card import VoltageCard
from core.voltage.dataset import LabelledData, check_all_described
from core.voltage.kinds.frozen_host.backbones import Backbones
from core.voltage.kinds.frozen_host.features import metal_energies
from core.voltage.kinds.frozen_host.featurizer import Featurizer
from core.voltage.kinds.frozen_host.head import HeadConfig, HeadEnsemble, train_heads
from core.voltage.kinds.frozen_host.model import FrozenHostEnsemble, default_cache


class FrozenHostKind(VoltageKind):
    """SevenNet-0 and CHGNet, unrelaxed; five heads."""

    name: ClassVar[str] = "frozen-host"
    description: ClassVar[str] = (
        "SevenNet-0 and CHGNet on the discharged crystal and its frozen host; an ensemble of small networks learns the "
        "relaxation"
    )
    default_members: ClassVar[int] = 5
    explains_atoms: ClassVar[bool] = True
    packages: ClassVar[tuple[str, ...]] = ("torch", "nequip", "e3nn", "chgnet", "numpy")

    def prepare(
        self, data: LabelledData, *, seeds: tuple[int, ...], checkpoints: Path, epochs: int | None = None,
        resume: bool = False, progress: Report | None = None,
    ) -> "PreparedFrozenHost":  # fmt: skip
        """Return the features of the data, computed or cached; raise `TrainingError` where one is missing."""
        config = HeadConfig() if epochs is None else HeadConfig(epochs=epochs)
        featurizer = Featurizer(metal_energies(Backbones.load()), default_cache())
        return PreparedFrozenHost(data, featurizer, _features(data, featurizer, progress), seeds, config)

    def load(self, arrays: Arrays, card: VoltageCard) -> FrozenHostEnsemble:
        """Return the network of a shipped model."""
        return FrozenHostEnsemble.from_arrays(
            arrays, n_members=len(card.seeds), config=HeadConfig(**card.settings)
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedHeads:
    """Heads, and the features of the rows that they may be asked about."""

    ensemble: FrozenHostEnsemble
    features: NDArray[np.float32]

    def outputs_of_rows(self, rows: Indices) -> Outputs:
        """Return the outputs of rows of the data."""
        return self.ensemble.outputs_of_features(self.features[rows])

    def to_arrays(self) -> Arrays:
        """Return the weights."""
        return self.ensemble.to_arrays()


class PreparedFrozenHost(Prepared):
    """The data as features."""

    def __init__(
        self, data: LabelledData, featurizer: Featurizer, features: NDArray[np.float32], seeds: tuple[int, ...],
        config: HeadConfig,
    ) -> None:  # fmt: skip
        self.data = data
        self.seeds = seeds
        self.settings: dict[str, Any] = asdict(config)
        self.kind = FrozenHostKind.name
        self.inputs = hashlib.sha256(features.tobytes()).hexdigest()
        self._featurizer, self._features, self._config = featurizer, features, config

    def fit(
        self, train: Indices, *, stage: str, validation: Indices | None = None, voltages_v: Floats | None = None,
        n_members: int | None = None,
    ) -> FittedHeads:  # fmt: skip
        """Train heads on rows of the data."""
        labels = self.data.voltages_v if voltages_v is None else voltages_v
        heads: HeadEnsemble = train_heads(
            self._features[train], labels[train], seeds=self.seeds[:n_members], config=self._config
        )
        return FittedHeads(ensemble=FrozenHostEnsemble(self._featurizer, heads), features=self._features)


def _features(data: LabelledData, featurizer: Featurizer, progress: Report | None) -> NDArray[np.float32]:
    """The features of the data; a structure that the potentials refuse stops the training, since none should."""

    def report(done: int) -> None:
        if progress is not None:
            progress("featurize", done, len(data))

    features, errors = featurizer(data.crystals, data.working_ions, progress=report)
    featurizer.cache.save()
    check_all_described(data, errors)
    return features
