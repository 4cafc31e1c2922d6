"""The regressors of the descriptor baselines."""

from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from core.ions import WORKING_IONS

Floats = NDArray[np.float64]
Rows = NDArray[np.float32]
ION_COLUMNS: Final = len(WORKING_IONS) + 2
"""Width of the `ion` block, which stands first in every baseline's rows."""


class Regressor(Protocol):
    """What scikit-learn's regressors have in common."""

    def fit(self, X: Rows, y: Floats) -> Any:
        """Fit on (n, d) rows and (n,) targets."""

    def predict(self, X: Rows) -> Floats:
        """Return (n,) predictions."""


class SoapKernelRidge:
    """Kernel ridge on rows [ion block, SOAP]: k = cos(SOAP, SOAP')^power * (1 + [same working ion]) / 2.

    The cosine to a power is the usual SOAP kernel; the factor lets ions learn from each other by half.
    `ridge` is added to the diagonal, which is 1.
    """

    def __init__(self, *, power: int = 2, ridge: float = 0.02) -> None:
        self.power, self.ridge = power, ridge
        self._rows: Rows = np.zeros((0, 0), dtype=np.float32)
        self._weights: Floats = np.zeros(0)

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
    regressor: Regressor = RandomForestRegressor(
        n_estimators=200, max_features=1 / 3, min_samples_leaf=2, n_jobs=1, random_state=seed
    )
    return regressor


def boosting(seed: int) -> Regressor:
    """Histogram gradient boosting on the absolute error, which bears the few labels that are far off."""
    regressor: Regressor = HistGradientBoostingRegressor(
        loss="absolute_error", learning_rate=0.1, max_iter=300, max_features=0.3, early_stopping=False,
        random_state=seed,
    )  # fmt: skip
    return regressor


def kernel_ridge(_seed: int) -> Regressor:
    """Kernel ridge with the SOAP kernel; no randomness in it."""
    return SoapKernelRidge()


def _unit(rows: Rows) -> Rows:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), dtype=np.float32)
