"""The charged state for the faces: relaxed ends of charging, planned and read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.calculations import Figure
from core.calculations.kinds.barrier import BarrierSpec
from core.calculations.kinds.curve import CurveSpec
from core.calculations.kinds.dft import DftSpec
from core.calculations.kinds.relaxation import NOT_CONVERGED, End, RelaxationResult, RelaxationSpec
from core.calculations.kinds.stability import StabilityResult, stability_of
from core.errors import ExplorerError
from core.potentials import PotentialCard, potential_card
from core.records import Crystal
from core.service.calculations import Job, calculation_about
from core.service.conductivities import own_conductivity
from core.store import Reader

__all__ = [
    "NOT_CONVERGED",
    "REDOX_END",
    "RELAXATION",
    "ChargedState",
    "End",
    "RelaxationResult",
    "RelaxationSpec",
    "StabilityResult",
    "charged_state",
    "known_facts",
    "potential_of",
    "states_of_charge",
]  # fmt: skip

RELAXATION: Final = RelaxationSpec.kind
REDOX_END: Final = "As far as the redox metals pay"


@dataclass(frozen=True, kw_only=True, eq=False)
class ChargedState:
    """Relaxed ends of charging and their stability, which is None, with the reason, where it cannot be judged."""

    result: RelaxationResult
    stability: StabilityResult | None
    stability_error: str | None = None


def states_of_charge(result: RelaxationResult) -> dict[str, End]:
    """Return the relaxed states by name, from full to empty."""
    states = {"Discharged": result.discharged}
    if result.redox is not None:
        states[REDOX_END] = result.redox
    return states | {"Charged": result.charged}


def potential_of(result: RelaxationResult) -> PotentialCard:
    """Return the card of the potential that relaxed the ends; raise `PotentialError` where it is gone."""
    return potential_card(result.potential)


def charged_state(
    reader: Reader, crystal: Crystal, working_ion: str, jobs: Sequence[Job]
) -> ChargedState | None:
    """Return the relaxed ends that a crystal is shown with, and how stable they are, or None where there are none.

    One's own run (`jobs`, those about it) comes before the release's. Stability takes some 20 ms, so that a page asks
    once and hands it on.
    """
    relaxed = calculation_about(reader, crystal, RELAXATION, jobs)
    result = None if relaxed is None else relaxed.result
    if not isinstance(result, RelaxationResult):
        return None
    stated = crystal.e_above_hull_ev_per_atom
    try:
        judged = stability_of(result, working_ion, stated_e_above_hull_ev_per_atom=stated)
    except ExplorerError as error:
        return ChargedState(result=result, stability=None, stability_error=str(error))
    return ChargedState(result=result, stability=judged)


def known_facts(
    reader: Reader, crystal: Crystal, charged: ChargedState | None, jobs: Sequence[Job]
) -> dict[str, Figure]:
    """Return what calculations tell of a crystal, by the columns of the view `screening`.

    Relaxed ends, their stability and first principles, one's own runs (`jobs`, those about it) before the release's;
    barrier, curve and conductivity where one's own runs tell them, since the release's stand in the row already. What
    is not known, or did not come to rest, is left out.
    """
    facts: dict[str, Figure] = {}
    if charged is not None:
        facts["framework"] = charged.result.verdict
        if charged.result.verdict != NOT_CONVERGED:
            figures = charged.result.figures()
            facts |= {name: value for name, value in figures.items() if not name.startswith("start_")}
        if charged.stability is not None:
            judged = charged.stability.figures()
            facts |= {name: value for name, value in judged.items() if name != "insertion_window_v"}
    computed = calculation_about(reader, crystal, DftSpec.kind, jobs)
    if computed is not None:
        facts["dft_voltage_v"] = computed.result.figures().get("dft_voltage_v")
    return facts | _own(jobs) | own_conductivity(reader, crystal.id, jobs)


def _own(jobs: Sequence[Job]) -> dict[str, Figure]:
    """Figures of one's own latest finished barrier and curve."""
    facts: dict[str, Figure] = {}
    for kind in (CurveSpec.kind, BarrierSpec.kind):
        found = next(
            (it for job in jobs if job.spec.kind == kind and (it := job.calculation) is not None), None
        )
        facts |= {} if found is None else found.result.figures()
    return facts
