"""Baselines: hand-made descriptors of a discharged crystal under classical regressors; four kinds on shared features.

Their packages (matminer, dscribe) ask for an environment of their own: `requirements-bench.txt`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from core.voltage.kinds.tabular.kind import TabularKind
from core.voltage.kinds.tabular.regressors import boosting, forest, kernel_ridge

KINDS: Final[Mapping[str, TabularKind]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            TabularKind(
                name="magpie-forest", blocks=("ion", "magpie"), make=forest,
                description="Composition (Magpie) and working ion, random forest",
            ),
            TabularKind(
                name="magpie-boosting", blocks=("ion", "magpie"), make=boosting,
                description="Composition (Magpie) and working ion, gradient boosting",
            ),
            TabularKind(
                name="crystal-boosting", blocks=("ion", "magpie", "crystal"), make=boosting,
                description="Crystal descriptors, composition (Magpie) and working ion, gradient boosting",
            ),
            TabularKind(
                name="soap-kernel-ridge", blocks=("ion", "soap"), make=kernel_ridge,
                description="SOAP around the working ions (averaged, mu1nu1) and working ion, kernel ridge",
            ),
        )
    }
)  # fmt: skip
