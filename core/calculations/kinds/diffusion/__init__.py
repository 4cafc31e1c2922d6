"""Molecular dynamics of a crystal's working ions, down to diffusivity and conductivity of one run."""

from typing import Final

from core.calculations.kinds.diffusion.result import DiffusionResult, MsdCurve, MsdLine, RefinementErrors
from core.calculations.kinds.diffusion.spec import DiffusionSpec

SPEC: Final = DiffusionSpec

__all__ = ["SPEC", "DiffusionResult", "DiffusionSpec", "MsdCurve", "MsdLine", "RefinementErrors"]
