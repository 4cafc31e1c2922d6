"""What the first line makes of a crystal: labels, predicted voltages, capacities, and inputs that were left out."""

import math
from dataclasses import dataclass

from core.errors import RecordError
from core.records.checks import finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Electrode:
    """A labelled insertion electrode: discharged structure -> average voltage against the working ion's metal."""

    battery_id: str
    working_ion: str
    average_voltage_v: float
    formula_discharge: str
    formula_charge: str
    id_discharge: str
    id_charge: str
    host_formula: str
    voltage_check: str
    capacity_grav_mah_per_g: float | None = None
    capacity_vol_ah_per_l: float | None = None

    def __post_init__(self) -> None:
        finite(self.battery_id, average_voltage_v=self.average_voltage_v)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltagePrediction:
    """A predicted average voltage with its 90 % interval, or the reason why there is none.

    `in_domain` says whether the structure resembles the labelled electrodes enough for the interval to hold,
    `domain_reason` why it does not, `model` who predicts. `start_force_ev_per_a` and `start_pressure_gpa`: the largest
    force on an atom, and the pressure of the cell, of the structure as it was given; None where the model does not
    look.
    """

    id: str
    formula: str
    working_ion: str
    voltage_v: float | None
    voltage_std_v: float | None
    voltage_low_v: float | None
    voltage_high_v: float | None
    in_domain: bool | None
    error: str | None = None
    model: str | None = None
    domain_reason: str | None = None
    start_force_ev_per_a: float | None = None
    start_pressure_gpa: float | None = None

    def __post_init__(self) -> None:
        numbers = (self.voltage_v, self.voltage_std_v, self.voltage_low_v, self.voltage_high_v)
        if self.error is not None:
            if any(number is not None for number in numbers):
                raise RecordError(f"{self.id}: a failed prediction carries no numbers.")
            return
        if any(number is None or not math.isfinite(number) for number in numbers):
            raise RecordError(
                f"{self.id}: a prediction needs finite voltage, spread and interval; got {numbers}."
            )

    @classmethod
    def failed(cls, *, id: str, formula: str, working_ion: str, error: str) -> "VoltagePrediction":
        """Return the row of a structure that could not be predicted, with the reason."""
        return cls(
            id=id, formula=formula, working_ion=working_ion, voltage_v=None, voltage_std_v=None,
            voltage_low_v=None, voltage_high_v=None, in_domain=None, error=error,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Charge that leaves the discharged cell per volume and per mass: all ions out, and what the redox metals allow.

    Redox-limited figures are None where oxidation states cannot be counted (intermetallics); 0 where no metal can give.
    """

    capacity_vol_ah_per_l: float
    capacity_grav_mah_per_g: float
    capacity_redox_vol_ah_per_l: float | None
    capacity_redox_grav_mah_per_g: float | None

    def __post_init__(self) -> None:
        finite(
            "capacity",
            vol=self.capacity_vol_ah_per_l,
            grav=self.capacity_grav_mah_per_g,
            redox_vol=self.capacity_redox_vol_ah_per_l,
            redox_grav=self.capacity_redox_grav_mah_per_g,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """An input that was left out, with the reason."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedInput:
    """A structure that was given and could not be read: it keeps its place in the output, with the reason."""

    id: str
    reason: str
    formula: str | None = None
    working_ion: str | None = None
