"""The head: what the label is beyond SevenNet-0's relaxed voltage, learned by small networks and by trees.

    V = V_SevenNet + mean over the members of f(x)

The relaxed voltage alone is near: on 220 magnesium rows the median error is 0.07 V with nothing learned but a constant.
So the members learn a remainder of a few tenths of a volt. For each seed there is a network that sees all features, and
a forest that sees those that are no learned vector; forests are the better on few rows, and the two kinds err apart.

What the members cannot know is told as doubt: how far the two potentials are apart on the relaxed host, and how far the
prediction went from the relaxed voltage.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.voltage.base import Arrays, Floats, Outputs
from core.voltage.kinds.frozen_host.backbones import CHGNET_VECTOR
from core.voltage.kinds.frozen_host.head import HeadConfig, HeadEnsemble, train_heads
from core.voltage.kinds.relaxed_ends.features import BLOCKS, block
from core.voltage.kinds.relaxed_ends.forest import Forest

FOREST_COLUMNS: Final = np.concatenate(
    [np.arange(*block(name).indices(10**6)) for name, length in BLOCKS.items() if length < CHGNET_VECTOR]
)
"""Places of the features that are no learned vector."""


class RemainderHeads:
    """Networks that share the standardisation of their training rows, and as many forests."""

    def __init__(self, networks: HeadEnsemble, forests: list[Forest]) -> None:
        self.networks = networks
        self.forests = forests

    def __call__(self, features: NDArray[Any]) -> Outputs:
        """Return the outputs of (n, N_FEATURES) feature vectors."""
        learned_v, vectors = self.networks(features)
        rows = features[:, FOREST_COLUMNS].astype(np.float32)
        remainders_v = np.hstack([learned_v, *(forest(rows)[:, None] for forest in self.forests)])
        both_v = relaxed_voltages(features)
        apart_v = both_v[:, 0] - both_v[:, 1]
        return Outputs(
            voltages_v=both_v[:, :1] + remainders_v, vectors=vectors,
            trusted=np.ones(len(features), dtype=np.bool_),
            doubt_v=np.sqrt(apart_v**2 + remainders_v.mean(axis=1) ** 2),
        )  # fmt: skip

    def to_arrays(self) -> Arrays:
        """Return everything that `from_arrays` needs."""
        arrays = self.networks.to_arrays()
        for number, forest in enumerate(self.forests):
            arrays |= forest.to_arrays(f"forest.{number}.")
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Arrays, *, n_members: int, config: HeadConfig) -> "RemainderHeads":
        """Rebuild the heads; missing or misshapen arrays raise KeyError or RuntimeError."""
        networks = HeadEnsemble.from_arrays(arrays, n_members=n_members, config=config)
        return cls(networks, [Forest.from_arrays(arrays, f"forest.{number}.") for number in range(n_members)])


def relaxed_voltages(features: NDArray[Any]) -> Floats:
    """Return the (n, 2) relaxed voltages of SevenNet-0 and of CHGNet in (n, N_FEATURES) feature vectors."""
    start = block("relaxed_voltage").start
    voltages: Floats = features[:, start : start + 2].astype(np.float64)
    return voltages


def train_remainder(
    features: NDArray[Any], voltages_v: Floats, *, seeds: tuple[int, ...], config: HeadConfig
) -> RemainderHeads:
    """Train a network and a forest a seed on (n, N_FEATURES) features and (n,) voltages. Raises `TrainingError`."""
    remainders_v = voltages_v - relaxed_voltages(features)[:, 0]
    networks = train_heads(features, remainders_v, seeds=seeds, config=config)
    rows = features[:, FOREST_COLUMNS].astype(np.float32)
    return RemainderHeads(networks, [Forest.fitted(rows, remainders_v, seed=seed) for seed in seeds])
