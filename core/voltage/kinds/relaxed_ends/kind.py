"""How the relaxed-ends model is fitted: raw ends once for all rows, then an ensemble of heads for each fit."""

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
from core.voltage.kinds.frozen_host.features import MetalEnergies, metal_energies
from core.voltage.kinds.frozen_host.head import HeadConfig
from core.voltage.kinds.relaxed_ends.extract import fair_order
from core.voltage.kinds.relaxed_ends.head import RemainderHeads, train_remainder
from core.voltage.kinds.relaxed_ends.model import RelaxedEndsEnsemble, described
from core.voltage.kinds.relaxed_ends.store import default_store


class RelaxedEndsKind(VoltageKind):
    """SevenNet-0 relaxes the host, CHGNet judges it; five networks and five forests."""

    name: ClassVar[str] = "relaxed-ends"
    description: ClassVar[str] = (
        "SevenNet-0 relaxes the host without its ions for a few steps, CHGNet judges it; small networks and trees "
        "learn what is left (some 2.5 seconds of one core a structure)"
    )
    default_members: ClassVar[int] = 5
    packages: ClassVar[tuple[str, ...]] = ("torch", "nequip", "e3nn", "chgnet", "ase", "numpy")

    def prepare(
        self, data: LabelledData, *, seeds: tuple[int, ...], checkpoints: Path, epochs: int | None = None,
        resume: bool = False, progress: Report | None = None,
    ) -> "PreparedRelaxedEnds":  # fmt: skip
        """Return the features of the data; ends that are not in the checkpoints yet are made, for hours.

        Raises `TrainingError` where a structure has none.
        """

        def report(done: int) -> None:
            if progress is not None:
                progress("relax", done, len(data))

        config = HeadConfig() if epochs is None else HeadConfig(epochs=epochs)
        metals, store = metal_energies(Backbones.load()), default_store()
        order = fair_order(data.working_ions)
        rows, errors = described(
            data.crystals, data.working_ions, metals, store, order=order, progress=report
        )
        store.save()
        check_all_described(data, errors)
        return PreparedRelaxedEnds(data, metals, rows, seeds, config)

    def load(self, arrays: Arrays, card: VoltageCard) -> RelaxedEndsEnsemble:
        """Return the network of a shipped model."""
        return RelaxedEndsEnsemble.from_arrays(
            arrays, n_members=len(card.seeds), config=HeadConfig(**card.settings)
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedRemainder:
    """Heads, and the features of the rows that they may be asked about."""

    heads: RemainderHeads
    metals: MetalEnergies
    features: NDArray[np.float32]

    def outputs_of_rows(self, rows: Indices) -> Outputs:
        """Return the outputs of rows of the data."""
        return self.heads(self.features[rows])

    def to_arrays(self) -> Arrays:
        """Return the weights."""
        return RelaxedEndsEnsemble(self.metals, self.heads, default_store()).to_arrays()


class PreparedRelaxedEnds(Prepared):
    """The data as features."""

    def __init__(
        self, data: LabelledData, metals: MetalEnergies, features: NDArray[np.float32], seeds: tuple[int, ...],
        config: HeadConfig,
    ) -> None:  # fmt: skip
        self.data = data
        self.seeds = seeds
        self.settings: dict[str, Any] = asdict(config)
        self.kind = RelaxedEndsKind.name
        self.inputs = hashlib.sha256(features.tobytes()).hexdigest()
        self._metals, self._features, self._config = metals, features, config

    def fit(
        self, train: Indices, *, stage: str, validation: Indices | None = None, voltages_v: Floats | None = None,
        n_members: int | None = None,
    ) -> FittedRemainder:  # fmt: skip
        """Train heads on rows of the data."""
        labels = self.data.voltages_v if voltages_v is None else voltages_v
        heads = train_remainder(
            self._features[train], labels[train], seeds=self.seeds[:n_members], config=self._config
        )
        return FittedRemainder(heads=heads, metals=self._metals, features=self._features)
