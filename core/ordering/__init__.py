"""Working ions and gaps over the ions' sites of a host: which orderings there are, and the voltage curve they give."""

from core.ordering.cells import OrderingCell, contents, ordering_cell
from core.ordering.curve import CurveStep, Phase, VoltageCurve, voltage_curve
from core.ordering.electrostatics import ewald_energies_ev
from core.ordering.orderings import Ordering, Orderings, orderings

__all__ = [
    "CurveStep", "Ordering", "OrderingCell", "Orderings", "Phase", "VoltageCurve", "contents", "ewald_energies_ev",
    "ordering_cell", "orderings", "voltage_curve",
]  # fmt: skip
