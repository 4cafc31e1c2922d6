"""The frozen-host model as `core.voltage.base.Network`: structures in, voltages of each member out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.records import Crystal
from core.settings import Settings
from core.voltage.base import Arrays, Done, Outputs
from core.voltage.kinds.frozen_host.cache import FeatureCache
from core.voltage.kinds.frozen_host.features import MetalEnergies
from core.voltage.kinds.frozen_host.featurizer import Featurizer
from core.voltage.kinds.frozen_host.head import HeadConfig, HeadEnsemble

CACHE_FILE = "frozen-features.npz"


def default_cache() -> FeatureCache:
    """Return the cache that training, build and prediction share, in the checkpoints folder."""
    return FeatureCache(Settings.from_environment().checkpoints / CACHE_FILE)


class FrozenHostEnsemble:
    """Featurizer and heads."""

    def __init__(self, featurizer: Featurizer, heads: HeadEnsemble) -> None:
        self.featurizer = featurizer
        self.heads = heads

    def outputs(
        self, crystals: Sequence[Crystal], working_ions: Sequence[str], *, progress: Done | None = None
    ) -> Outputs:
        """Return the outputs; a structure that the potentials cannot take has its error."""
        features, errors = self.featurizer(crystals, working_ions, progress=progress)
        return Outputs.with_gaps(self.outputs_of_features(features), errors)

    def outputs_of_features(self, features: NDArray[Any]) -> Outputs:
        """Return the outputs of (n, N_FEATURES) feature vectors."""
        voltages, vectors = self.heads(features)
        return Outputs(voltages_v=voltages, vectors=vectors, trusted=np.ones(len(features), dtype=np.bool_))

    def to_arrays(self) -> Arrays:
        """Return everything that `from_arrays` needs."""
        metals = self.featurizer.metals
        return self.heads.to_arrays() | {
            "metal.sevennet": metals.sevennet_ev,
            "metal.chgnet": metals.chgnet_ev,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, *, n_members: int, config: HeadConfig) -> "FrozenHostEnsemble":
        """Rebuild the model from its weights."""
        metals = MetalEnergies(sevennet_ev=arrays["metal.sevennet"], chgnet_ev=arrays["metal.chgnet"])
        heads = HeadEnsemble.from_arrays(arrays, n_members=n_members, config=config)
        return cls(Featurizer(metals, default_cache()), heads)
