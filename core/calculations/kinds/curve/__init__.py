"""The voltage along the ions' content: orderings of ions and gaps screened by a potential, the hull over what it finds.

The relaxed ends come from the kind `relaxation`. Between them, at each content, all orderings that differ by symmetry
get an energy on the unrelaxed host; the lowest few are relaxed; ground states are those on the lower hull.
"""

from core.calculations.kinds.curve.result import Content, CurvePoint, CurveResult, GroundState
from core.calculations.kinds.curve.spec import SPEC, CurveSpec

__all__ = ["SPEC", "Content", "CurvePoint", "CurveResult", "CurveSpec", "GroundState"]
