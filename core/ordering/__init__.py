"""Working ions and gaps over the ions' sites of a host: which orderings there are, and the voltage curve they give."""

from core.ordering.cells import MIN_IONS, OrderingCell, contents, ordering_cell, repeated
from core.ordering.curve import CurveStep, Phase, VoltageCurve, voltage_curve
from core.ordering.distinct import Ordering, Orderings, orderings
from core.ordering.electrostatics import ewald_energies_ev
from core.ordering.screening import Screened, screened

__all__ = [
    "MIN_IONS",
    "CurveStep",
    "Ordering",
    "OrderingCell",
    "Orderings",
    "Phase",
    "Screened",
    "VoltageCurve",
    "contents",
    "ewald_energies_ev",
    "ordering_cell",
    "orderings",
    "repeated",
    "screened",
    "voltage_curve",
]  # fmt: skip
