"""How a descriptor baseline is fitted: blocks of descriptors side by side, and a regressor on what the ion leaves over.

Every baseline learns the difference from the median label of the row's working ion among its training rows, so that
none has to learn the ion's mean level first.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.voltage.base import Arrays, Floats, Indices, Outputs, Prepared, Report, VoltageKind
from core.voltage.dataset import LabelledData
from core.voltage.evaluation.errors import baselines
from core.voltage.kinds.tabular.features import Block, load_block
from core.voltage.kinds.tabular.regressors import Regressor, Rows


class TabularKind(VoltageKind):
    """A regressor on some blocks of descriptors; `make(seed)` returns it untrained."""

    packages = ("matminer", "dscribe", "scikit-learn", "pymatgen", "spglib", "numpy", "scipy", "pandas")

    def __init__(
        self, *, name: str, blocks: tuple[str, ...], make: Callable[[int], Regressor], description: str
    ) -> None:
        # Four kinds share this class, so that each has its own name.
        self.name = name  # type: ignore[misc]
        self.description = description  # type: ignore[misc]
        self.blocks = blocks
        self.make = make

    def prepare(
        self, data: LabelledData, *, seeds: tuple[int, ...], checkpoints: Path, epochs: int | None = None,
        resume: bool = False, progress: Report | None = None,
    ) -> "PreparedTabular":  # fmt: skip
        """Return the descriptors of the data, computed or read from the checkpoints.

        Raises `ModelError` where a package that computes them is not installed.
        """
        blocks = [
            load_block(
                name,
                data.crystals,
                data.working_ions,
                data_sha256=data.data_sha256,
                folder=checkpoints.parent,
            )
            for name in self.blocks
        ]
        return PreparedTabular(data, blocks, seeds, self.make, kind=self.name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedRegressor:
    """A regressor, the rows that it may be asked about, and (n,) what their ion alone would say."""

    regressor: Regressor
    rows: Rows
    medians_v: Floats

    def outputs_of_rows(self, rows: Indices) -> Outputs:
        """Return the voltages of rows; a baseline has no learned vectors."""
        voltages_v = self.medians_v[rows] + self.regressor.predict(self.rows[rows])
        return Outputs(
            voltages_v=np.asarray(voltages_v, dtype=np.float64)[:, None],
            vectors=np.zeros((len(rows), 0), dtype=np.float32), trusted=np.ones(len(rows), dtype=np.bool_),
        )  # fmt: skip

    def to_arrays(self) -> Arrays:
        """A baseline does not ship."""
        raise ModelError("Descriptor baselines do not ship; cross-validate them instead.")


class PreparedTabular(Prepared):
    """The data as rows of descriptors; `feature_seconds` of CPU time went into them."""

    has_domain = False

    def __init__(
        self,
        data: LabelledData,
        blocks: list[Block],
        seeds: tuple[int, ...],
        make: Callable[[int], Regressor],
        *,
        kind: str,
    ) -> None:
        self.data = data
        self.kind = kind
        self.seeds = seeds
        self.settings: dict[str, Any] = {"blocks": [block.name for block in blocks]}
        self.rows: NDArray[np.float32] = np.hstack([block.values for block in blocks])
        self.inputs = hashlib.sha256(self.rows.tobytes()).hexdigest()
        self.feature_seconds = sum(block.seconds for block in blocks)
        self._make = make

    def fit(
        self, train: Indices, *, stage: str, validation: Indices | None = None, voltages_v: Floats | None = None,
        n_members: int | None = None,
    ) -> FittedRegressor:  # fmt: skip
        """Fit the regressor on rows of the data."""
        labels = self.data.voltages_v if voltages_v is None else voltages_v
        _, medians = baselines(labels, self.data.working_ions, train)
        regressor = self._make(self.seeds[0])
        regressor.fit(self.rows[train], labels[train] - medians[train])
        return FittedRegressor(regressor=regressor, rows=self.rows, medians_v=medians)
