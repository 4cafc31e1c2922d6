"""The head: what the label is beyond the mean of the two relaxed voltages, learned by small networks.

    V = (V_SevenNet + V_CHGNet) / 2 + f(x)

The relaxed voltages alone are near; a remainder of a few tenths of a volt is learned from fewer rows than a voltage of
several volts. What the networks cannot know is told as doubt: how far the two potentials are apart on the relaxed host,
and how far the prediction is from their mean.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.voltage.base import Arrays, Floats, Outputs
from core.voltage.kinds.frozen_host.head import HeadConfig, HeadEnsemble, train_heads
from core.voltage.kinds.relaxed_ends.features import block


class RemainderHeads:
    """Members that share the standardisation of their training rows."""

    def __init__(self, heads: HeadEnsemble) -> None:
        self.heads = heads

    def __call__(self, features: NDArray[Any]) -> Outputs:
        """Return the outputs of (n, N_FEATURES) feature vectors."""
        remainders_v, vectors = self.heads(features)
        both_v = relaxed_voltages(features)
        voltages_v = remainders_v + both_v.mean(axis=1, keepdims=True)
        apart_v = both_v[:, 0] - both_v[:, 1]
        moved_v = remainders_v.mean(axis=1)
        return Outputs(
            voltages_v=voltages_v, vectors=vectors, trusted=np.ones(len(features), dtype=np.bool_),
            doubt_v=np.sqrt(apart_v**2 + moved_v**2),
        )  # fmt: skip

    def to_arrays(self) -> Arrays:
        """Return everything that `from_arrays` needs."""
        return self.heads.to_arrays()

    @classmethod
    def from_arrays(cls, arrays: Arrays, *, n_members: int, config: HeadConfig) -> "RemainderHeads":
        """Rebuild the heads; missing or misshapen arrays raise KeyError or RuntimeError."""
        return cls(HeadEnsemble.from_arrays(arrays, n_members=n_members, config=config))


def relaxed_voltages(features: NDArray[Any]) -> Floats:
    """Return the (n, 2) relaxed voltages of SevenNet-0 and of CHGNet in (n, N_FEATURES) feature vectors."""
    start = block("relaxed_voltage").start
    voltages: Floats = features[:, start : start + 2].astype(np.float64)
    return voltages


def train_remainder(
    features: NDArray[Any], voltages_v: Floats, *, seeds: tuple[int, ...], config: HeadConfig
) -> RemainderHeads:
    """Train one member a seed on (n, N_FEATURES) features and (n,) voltages. Raises `TrainingError`."""
    remainders_v = voltages_v - relaxed_voltages(features).mean(axis=1)
    return RemainderHeads(train_heads(features, remainders_v, seeds=seeds, config=config))
