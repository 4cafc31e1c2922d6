"""The charged state for the faces: relaxed ends of charging, planned and read."""

from typing import Final

from core.calculations import Calculation
from core.calculations.kinds.relaxation import NOT_CONVERGED, End, RelaxationResult, RelaxationSpec
from core.calculations.kinds.stability import StabilityResult, stability_of
from core.potentials import PotentialCard, potential_card
from core.records import Crystal

__all__ = [
    "NOT_CONVERGED", "REDOX_END", "RELAXATION", "End", "RelaxationResult", "RelaxationSpec", "StabilityResult", "ends",
    "potential_of", "stability", "states_of_charge",
]  # fmt: skip

RELAXATION: Final = RelaxationSpec.kind
REDOX_END: Final = "As far as the redox metals pay"


def ends(calculation: Calculation) -> RelaxationResult | None:
    """Return the relaxed ends that a calculation holds, None for another kind."""
    return calculation.result if isinstance(calculation.result, RelaxationResult) else None


def states_of_charge(result: RelaxationResult) -> dict[str, End]:
    """Return the relaxed states by name, from full to empty."""
    states = {"Discharged": result.discharged}
    if result.redox is not None:
        states[REDOX_END] = result.redox
    return states | {"Charged": result.charged}


def potential_of(result: RelaxationResult) -> PotentialCard:
    """Return the card of the potential that relaxed the ends; raise `PotentialError` where it is gone."""
    return potential_card(result.potential)


def stability(result: RelaxationResult, crystal: Crystal, working_ion: str) -> StabilityResult:
    """Return how stable relaxed ends are, some 20 ms; `crystal` states its energy above the hull where it is known.

    Raises `HullError` where it cannot be judged.
    """
    return stability_of(result, working_ion, stated_e_above_hull_ev_per_atom=crystal.e_above_hull_ev_per_atom)
