"""One row of a prediction: what is said of a structure, with its verdict and the reasons for a gap."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from core.capacity import capacity
from core.errors import ExplorerError
from core.ions import charge_number
from core.probability import pass_probability
from core.records import Crystal, FailedInput, VoltagePrediction
from core.service.relax_first import RelaxedFirst
from core.thresholds import ASKED
from core.verdict import judge, with_reasons
from core.voltage.as_given import Strain


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedRow:
    """What is said of one structure; without a prediction its numbers are None and `error` has the reason.

    `p_all`, `verdict`, `reasons_against` and `unknown` are by the thresholds of `ASKED`, from the crystal alone.
    `relaxed_by`: the potential that relaxed it first, None where it was predicted as given. `release_id`: the candidate
    whose row of the release this is.
    """

    id: str
    formula: str | None = None
    working_ion: str
    voltage_v: float | None = None
    voltage_std_v: float | None = None
    voltage_low_v: float | None = None
    voltage_high_v: float | None = None
    in_domain: bool | None = None
    domain_reason: str | None = None
    start_force_ev_per_a: float | None = None
    start_pressure_gpa: float | None = None
    relaxed_by: str | None = None
    relaxed_volume_change: float | None = None
    model: str | None = None
    capacity_vol_ah_per_l: float | None = None
    capacity_grav_mah_per_g: float | None = None
    capacity_redox_vol_ah_per_l: float | None = None
    capacity_redox_grav_mah_per_g: float | None = None
    p_all: float | None = None
    verdict: str | None = None
    reasons_against: str | None = None
    unknown: str | None = None
    release_id: str | None = None
    error: str | None = None

    @property
    def is_strained(self) -> bool:
        """Whether it is known that the crystal was not at rest as it was given."""
        force, pressure = self.start_force_ev_per_a, self.start_pressure_gpa
        if force is None or pressure is None:
            return False
        return bool(Strain(force_ev_per_a=force, pressure_gpa=pressure).reasons())

    def as_dict(self) -> dict[str, Any]:
        """Return the row by column."""
        return asdict(self)


COLUMNS: Final = tuple(field.name for field in fields(PredictedRow))
"""Columns of the CSV of predictions."""

_PREDICTED: Final = tuple(field.name for field in fields(VoltagePrediction))


def row_of(crystal: Crystal, prediction: VoltagePrediction) -> PredictedRow:
    """Return the row of a prediction with the capacity, not yet judged."""
    row = PredictedRow(**{name: getattr(prediction, name) for name in _PREDICTED})
    if row.error is not None:
        return row
    try:
        extracted = capacity(crystal, prediction.working_ion, charge_number(prediction.working_ion))
    except ExplorerError as error:
        return replace(row, error=str(error))
    return replace(row, **asdict(extracted))


def failed_row(item: FailedInput, default_ion: str) -> PredictedRow:
    """Return the row of what could not be read."""
    ion = item.working_ion or default_ion
    return PredictedRow(id=item.id, formula=item.formula, working_ion=ion, error=item.reason)


def relaxed_row(row: PredictedRow, relaxed: RelaxedFirst) -> PredictedRow:
    """Return the row of a relaxed crystal, which says so, with force and pressure of the one that was given."""
    reasons = [it for it in (row.domain_reason, relaxed.unrest) if it]
    return replace(
        row, in_domain=None if row.in_domain is None else not reasons, domain_reason="; ".join(reasons) or None,
        start_force_ev_per_a=relaxed.start_force_ev_per_a, start_pressure_gpa=relaxed.start_pressure_gpa,
        relaxed_by=relaxed.potential, relaxed_volume_change=relaxed.volume_change,
    )  # fmt: skip


def judged_rows(rows: Sequence[PredictedRow], crystals: Sequence[Crystal]) -> list[PredictedRow]:
    """Return the rows with probability, verdict and reasons from the crystals alone."""
    return judged_facts(rows, [facts_of(row, crystal) for row, crystal in zip(rows, crystals, strict=True)])


def judged_facts(rows: Sequence[PredictedRow], facts: Sequence[Mapping[str, Any]]) -> list[PredictedRow]:
    """Return the rows with probability, verdict and reasons from what is known of each, by the columns of `screening`.

    Those with an error come back as they are.
    """
    import pandas as pd

    if not rows:
        return []
    frame = pd.DataFrame(map(dict, facts))
    chances = pass_probability(frame, ASKED)["p_all"]
    verdicts = judge(frame, ASKED)["verdict"].astype(str)
    judged = with_reasons(frame.assign(verdict=verdicts), ASKED, all_unknown=True)
    told = (chances, judged["verdict"], judged["reasons_against"], judged["unknown"])
    return [
        row
        if row.error is not None
        else replace(
            row, p_all=None if p != p else float(p), verdict=verdict, reasons_against=against, unknown=unknown
        )
        for row, p, verdict, against, unknown in zip(rows, *told, strict=True)
    ]


def facts_of(row: PredictedRow, crystal: Crystal) -> dict[str, Any]:
    """Return what is known of a crystal alone, by the columns of the view `screening`."""
    return row.as_dict() | {
        "chemsys": "-".join(sorted(set(crystal.species))),
        "license": None,
        "e_above_hull_ev_per_atom": crystal.e_above_hull_ev_per_atom,
    }
