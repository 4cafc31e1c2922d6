"""The peers, and the prediction of every electrode once from the nine folds that do not hold it.

Every peer learns the difference from the median label of the row's working ion among its training rows, so
that none has to learn the ion's mean level first.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from core.ions import WORKING_IONS
from core.voltage.evaluate import baselines
from core.voltage.folds import Indices

Floats = NDArray[np.float64]
Rows = NDArray[np.float32]
ION_COLUMNS: Final = len(WORKING_IONS) + 2
"""Width of the `ion` block, which stands first in every peer's rows."""


class Regressor(Protocol):
    """What scikit-learn's regressors have in common."""

    def fit(self, X: Rows, y: Floats) -> Any: ...

    def predict(self, X: Rows) -> Floats: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A regressor on some feature blocks; `make(seed)` returns it untrained."""

    description: str
    blocks: tuple[str, ...]
    make: Callable[[int], Regressor]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossPrediction:
    """(n,) predictions of rows not trained on, V; mean and median baselines of the same folds; CPU seconds."""

    predicted_v: Floats
    baseline_v: tuple[Floats, Floats]
    seconds: float


@dataclass(slots=True, kw_only=True)
class SoapKernelRidge:
    """Kernel ridge on rows [ion block, SOAP]: k = cos(SOAP, SOAP')^power * (1 + [same working ion]) / 2.

    The cosine to a power is the usual SOAP kernel; the factor lets ions learn from each other by half.
    `ridge` is added to the diagonal, which is 1.
    """

    power: int = 2
    ridge: float = 0.02
    _rows: Rows = field(init=False)
    _weights: Floats = field(init=False)

    def fit(self, X: Rows, y: Floats) -> "SoapKernelRidge":
        """Solve (K + ridge I) weights = y."""
        self._rows = X
        kernel = self._kernel(X)
        kernel[np.diag_indices_from(kernel)] += self.ridge
        self._weights = cho_solve(cho_factor(kernel, lower=True, overwrite_a=True), y)
        return self

    def predict(self, X: Rows) -> Floats:
        """Return the kernel-weighted sum over the training rows."""
        return self._kernel(X) @ self._weights

    def _kernel(self, rows: Rows) -> Floats:
        ions, soap = np.split(rows, [ION_COLUMNS], axis=1)
        known_ions, known_soap = np.split(self._rows, [ION_COLUMNS], axis=1)
        cosine = (_unit(soap) @ _unit(known_soap).T).astype(np.float64)
        same = ions[:, : len(WORKING_IONS)] @ known_ions[:, : len(WORKING_IONS)].T
        return cosine**self.power * (1.0 + same) / 2.0


def forest(seed: int) -> Regressor:
    """Random forest of 200 trees that looks at a third of the columns at each split."""
    return RandomForestRegressor(
        n_estimators=200, max_features=1 / 3, min_samples_leaf=2, n_jobs=1, random_state=seed
    )


def boosting(seed: int) -> Regressor:
    """Histogram gradient boosting on the absolute error, which bears the few labels that are far off."""
    return HistGradientBoostingRegressor(
        loss="absolute_error", learning_rate=0.1, max_iter=300, max_features=0.3, early_stopping=False,
        random_state=seed,
    )  # fmt: skip


def kernel_ridge(_seed: int) -> Regressor:
    """Kernel ridge with the SOAP kernel; no randomness in it."""
    return SoapKernelRidge()


def cross_predict(
    rows: Rows,
    voltages_v: Floats,
    working_ions: Sequence[str],
    folds: Sequence[Indices],
    make: Callable[[int], Regressor],
    *,
    seed: int = 0,
) -> CrossPrediction:
    """Return predictions of all n rows of (n, d) `rows`, each from a regressor trained on the other folds."""
    predicted = np.full(len(voltages_v), np.nan)
    mean, median = predicted.copy(), predicted.copy()
    start = time.process_time()
    for test in folds:
        train = np.setdiff1d(np.arange(len(voltages_v)), test)
        means, medians = baselines(voltages_v, working_ions, train)
        model = make(seed)
        model.fit(rows[train], voltages_v[train] - medians[train])
        predicted[test] = medians[test] + model.predict(rows[test])
        mean[test], median[test] = means[test], medians[test]
    return CrossPrediction(
        predicted_v=predicted, baseline_v=(mean, median), seconds=time.process_time() - start
    )


def columns(blocks: Mapping[str, Rows], names: Sequence[str]) -> Rows:
    """(n, d) the named blocks side by side."""
    return np.hstack([blocks[name] for name in names])


PEERS: Final[dict[str, Peer]] = {
    "magpie-forest": Peer(
        description="Composition (Magpie) and working ion, random forest",
        blocks=("ion", "magpie"),
        make=forest,
    ),
    "magpie-boosting": Peer(
        description="Composition (Magpie) and working ion, gradient boosting",
        blocks=("ion", "magpie"),
        make=boosting,
    ),
    "crystal-boosting": Peer(
        description="Crystal descriptors, composition (Magpie) and working ion, gradient boosting",
        blocks=("ion", "magpie", "crystal"),
        make=boosting,
    ),
    "soap-kernel-ridge": Peer(
        description="SOAP around the working ions (averaged, mu1nu1) and working ion, kernel ridge",
        blocks=("ion", "soap"),
        make=kernel_ridge,
    ),
}


def _unit(rows: Rows) -> Rows:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
