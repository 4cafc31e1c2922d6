"""The charged state for the faces: relaxed ends of charging, planned and read."""

from core.calculations import Calculation
from core.calculations.kinds.relaxation import NOT_CONVERGED, End, RelaxationResult, RelaxationSpec
from core.potentials import PotentialCard, potential_card

__all__ = [
    "NOT_CONVERGED", "RELAXATION", "End", "RelaxationResult", "RelaxationSpec", "ends", "potential_of",
    "states_of_charge",
]  # fmt: skip

RELAXATION = RelaxationSpec.kind


def ends(calculation: Calculation) -> RelaxationResult | None:
    """Return the relaxed ends that a calculation holds, None for another kind."""
    return calculation.result if isinstance(calculation.result, RelaxationResult) else None


def states_of_charge(result: RelaxationResult) -> dict[str, End]:
    """Return the relaxed states by name, from full to empty."""
    states = {"Discharged": result.discharged}
    if result.redox is not None:
        states["As far as the redox metals pay"] = result.redox
    return states | {"Charged": result.charged}


def potential_of(result: RelaxationResult) -> PotentialCard:
    """Return the card of the potential that relaxed the ends; raise `PotentialError` where it is gone."""
    return potential_card(result.potential)
