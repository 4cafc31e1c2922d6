"""Extremely randomised trees (scikit-learn) as plain arrays, so that they ship without a pickle.

Each tree splits at random thresholds of random features and gives the mean of the training rows in a leaf
(doi:10.1007/s10994-006-6226-1). Kept by node: the feature asked for (-1 in a leaf), the threshold, the right child, the
value; the left child follows its parent.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor

from core.voltage.base import Arrays, Floats

N_TREES: Final = 30
MIN_LEAF: Final = 3
SHARE_OF_FEATURES: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forest:
    """(n_nodes,) arrays of all trees, one after another, and the (n_trees,) nodes where each begins."""

    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]
    roots: NDArray[np.int32]

    @classmethod
    def fitted(cls, rows: NDArray[np.float32], targets: Floats, *, seed: int) -> "Forest":
        """Return a forest fitted on (n, d) rows and (n,) targets."""
        trees = ExtraTreesRegressor(
            N_TREES, min_samples_leaf=MIN_LEAF, max_features=SHARE_OF_FEATURES, random_state=seed, n_jobs=1
        ).fit(rows, targets)
        parts: dict[str, list[NDArray[Any]]] = {"feature": [], "threshold": [], "right": [], "value": []}
        roots, start = [], 0
        for estimator in trees.estimators_:
            tree = estimator.tree_
            is_leaf = tree.children_left < 0
            parts["feature"].append(np.where(is_leaf, -1, tree.feature).astype(np.int16))
            parts["threshold"].append(np.where(is_leaf, 0.0, tree.threshold).astype(np.float32))
            parts["right"].append(np.where(is_leaf, 0, tree.children_right + start).astype(np.int32))
            parts["value"].append(tree.value[:, 0, 0].astype(np.float32))
            roots.append(start)
            start += tree.node_count
        return cls(
            **{name: np.concatenate(arrays) for name, arrays in parts.items()},
            roots=np.array(roots, dtype=np.int32),
        )

    def __call__(self, rows: NDArray[np.float32]) -> Floats:
        """Return (n,) means over the trees."""
        places = np.arange(len(rows))
        total: Floats = np.zeros(len(rows))
        for root in self.roots:
            nodes = np.full(len(rows), root, dtype=np.int64)
            inner = self.feature[nodes] >= 0
            while inner.any():
                at = nodes[inner]
                goes_left = rows[places[inner], self.feature[at]] <= self.threshold[at]
                nodes[inner] = np.where(goes_left, at + 1, self.right[at])
                inner = self.feature[nodes] >= 0
            total += self.value[nodes]
        return total / len(self.roots)

    def to_arrays(self, prefix: str) -> Arrays:
        """Return the arrays under names that begin with `prefix`."""
        return {f"{prefix}{name}": getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_arrays(cls, arrays: Arrays, prefix: str) -> "Forest":
        """Read them back; a missing one is a KeyError."""
        return cls(**{name: arrays[f"{prefix}{name}"] for name in cls.__slots__})
