"""What is asked of a candidate: limits, and which capacity counts."""

import math
from dataclasses import dataclass
from typing import Final, Literal

from core.errors import RecordError

PAPER_VOLTAGE_V: Final = 3.0
PAPER_CAPACITY_AH_PER_L: Final = 800.0
PAPER_SIGMA_MS_PER_CM: Final = 100.0

EASY_BARRIER_EV: Final = 0.65
"""Up to it magnesium crosses a particle of 0.1 micrometres in two hours, doi:10.1021/acs.chemmater.5b02342."""

CHARGED_HULL_EV_PER_ATOM: Final = 0.2
DISCHARGED_HULL_EV_PER_ATOM: Final = 0.1
"""Above the hull, where a charged end may still hold, and where a discharged one may still be made: of 0.1 eV/atom most
known metastable oxides lie below, doi:10.1126/sciadv.1600225."""

FAR_BELOW_HULL_EV_PER_ATOM: Final = 0.1
"""Below the hull known here, where its phases are too few there, or the potential too far off, to judge by."""

SCOPE_VOLTAGE_V: Final = 2.5
SCOPE_CAPACITY_AH_PER_L: Final = 600.0
"""What is worth the costly calculations: somewhat below the paper's thresholds, so that a slider finds them done."""

Definition = Literal["cathode", "paper"]
DEFINITIONS: Final[tuple[Definition, ...]] = ("cathode", "paper")
"""`cathode`: the capacity that the redox metals can pay for counts, and a verdict is asked for. `paper`: as Chen et al.
(2024) screen, the capacity of all working ions, whatever pays for them.
"""

CAPACITY_OF: Final[dict[Definition, str]] = {
    "cathode": "capacity_redox_vol_ah_per_l",
    "paper": "capacity_vol_ah_per_l",
}
"""The column that the capacity threshold is held against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Lower limits, the paper's by default; `sigma_ms_per_cm=None` asks nothing of conductivity.

    `barrier_ev`: an upper limit of the migration barrier; None asks nothing of it. `voltage_max_v`: the upper end of
    the voltage, as an electrolyte sets it; None for none.

    Raises `RecordError` for a limit that is not finite, an upper end of the voltage that is not above the lower one,
    and an unknown definition.
    """

    voltage_v: float = PAPER_VOLTAGE_V
    capacity_vol_ah_per_l: float = PAPER_CAPACITY_AH_PER_L
    sigma_ms_per_cm: float | None = PAPER_SIGMA_MS_PER_CM
    barrier_ev: float | None = None
    definition: Definition = "cathode"
    voltage_max_v: float | None = None

    def __post_init__(self) -> None:
        for name in ("voltage_v", "voltage_max_v", "capacity_vol_ah_per_l", "sigma_ms_per_cm", "barrier_ev"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise RecordError(f"threshold {name} is {value}; a finite number is needed.")
        if self.voltage_max_v is not None and self.voltage_max_v <= self.voltage_v:
            raise RecordError(
                f"threshold voltage_max_v is {self.voltage_max_v:g} V; it must lie above voltage_v, "
                f"{self.voltage_v:g} V, or be left out."
            )
        if self.definition not in DEFINITIONS:
            raise RecordError(f"definition {self.definition!r} is none of {', '.join(DEFINITIONS)}.")

    @property
    def capacity_column(self) -> str:
        """The column that the capacity threshold is held against."""
        return CAPACITY_OF[self.definition]

    def as_dict(self) -> dict[str, float | str | None]:
        """Return the thresholds by name, for metadata."""
        return {
            "definition": self.definition,
            "voltage_v": self.voltage_v,
            "voltage_max_v": self.voltage_max_v,
            "capacity_vol_ah_per_l": self.capacity_vol_ah_per_l,
            "sigma_ms_per_cm": self.sigma_ms_per_cm,
            "barrier_ev": self.barrier_ev,
        }


ASKED: Final = Thresholds(sigma_ms_per_cm=None)
"""What the default view asks: the paper's voltage, its capacity as far as redox metals pay, nothing of conductivity."""
