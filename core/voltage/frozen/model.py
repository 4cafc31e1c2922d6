"""The frozen-host model as `core.voltage.predict.Network`: structures in, voltages of each member out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import StructureError
from core.records import Crystal
from core.settings import Settings
from core.voltage.frozen.cache import Describer, FeatureCache
from core.voltage.frozen.features import MetalEnergies
from core.voltage.frozen.head import Arrays, HeadConfig, HeadEnsemble
from core.voltage.predict import Outputs

KIND = "frozen-host"
CACHE_FILE = "frozen-features.npz"


def default_cache() -> FeatureCache:
    """Return the cache that training, build and prediction share, in the checkpoints folder."""
    return FeatureCache(Settings.from_environment().checkpoints / CACHE_FILE)


class FrozenHostEnsemble:
    """Potentials, features and heads."""

    def __init__(self, describer: Describer, heads: HeadEnsemble) -> None:
        self.describer = describer
        self.heads = heads

    def outputs(self, crystals: Sequence[Crystal], working_ions: Sequence[str]) -> Outputs:
        """Return the outputs; the first structure that the potentials cannot take raises `StructureError`."""
        rows = self.describer(crystals, working_ions)
        return self.outputs_of_features(_stack(rows))

    def outputs_of_features(self, features: NDArray[Any]) -> Outputs:
        """Return the outputs of (n, N_FEATURES) feature vectors."""
        voltages, vectors = self.heads(features)
        return Outputs(voltages_v=voltages, vectors=vectors, trusted=np.ones(len(features), dtype=np.bool_))

    def to_arrays(self) -> Arrays:
        """Return everything that `from_arrays` needs."""
        metals = self.describer.metals
        return self.heads.to_arrays() | {
            "metal.sevennet": metals.sevennet_ev,
            "metal.chgnet": metals.chgnet_ev,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, card: dict[str, Any]) -> "FrozenHostEnsemble":
        """Rebuild the model from its weights and card."""
        metals = MetalEnergies(sevennet_ev=arrays["metal.sevennet"], chgnet_ev=arrays["metal.chgnet"])
        heads = HeadEnsemble.from_arrays(
            arrays, n_members=int(card["n_members"]), config=HeadConfig(**card["config"])
        )
        return cls(Describer(metals, default_cache()), heads)


def _stack(rows: Sequence[Any]) -> NDArray[np.float32]:
    for row in rows:
        if isinstance(row, str):
            raise StructureError(row)
    return np.stack(rows)
