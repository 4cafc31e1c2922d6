"""The charged state for the faces: relaxed ends of charging, planned and read."""

import contextlib
from pathlib import Path
from typing import Final

from core.calculations import Calculation, Figure
from core.calculations.kinds.dft import DftSpec
from core.calculations.kinds.relaxation import NOT_CONVERGED, End, RelaxationResult, RelaxationSpec
from core.calculations.kinds.stability import StabilityResult, stability_of
from core.errors import ExplorerError
from core.potentials import PotentialCard, potential_card
from core.records import Crystal
from core.service.calculations import calculation_about
from core.store import Reader

__all__ = [
    "NOT_CONVERGED",
    "REDOX_END",
    "RELAXATION",
    "End",
    "RelaxationResult",
    "RelaxationSpec",
    "StabilityResult",
    "ends",
    "known_facts",
    "potential_of",
    "stability",
    "states_of_charge",
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


def known_facts(
    reader: Reader, crystal: Crystal, working_ion: str, runs: Path | None = None
) -> dict[str, Figure]:  # fmt: skip
    """Return what relaxed ends and first principles tell of a crystal, by the columns of the view `screening`.

    One's own runs come before those of the release. What is not known, or did not come to rest, is left out.
    """
    facts: dict[str, Figure] = {}
    relaxed = calculation_about(reader, crystal, RELAXATION, runs)
    result = None if relaxed is None else ends(relaxed)
    if result is not None:
        facts["framework"] = result.verdict
        if result.verdict != NOT_CONVERGED:
            facts |= {
                name: value for name, value in result.figures().items() if not name.startswith("start_")
            }
        with contextlib.suppress(ExplorerError):
            judged = stability(result, crystal, working_ion).figures()
            facts |= {name: value for name, value in judged.items() if name != "insertion_window_v"}
    computed = calculation_about(reader, crystal, DftSpec.kind, runs)
    if computed is not None:
        facts["dft_voltage_v"] = computed.result.figures().get("dft_voltage_v")
    return facts
