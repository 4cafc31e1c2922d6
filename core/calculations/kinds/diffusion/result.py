"""What one molecular dynamics run says: figures, verdict, curves, and all that is needed to judge them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from core.calculations.base import Figure, Result
from core.dynamics import Protocol
from core.errors import RecordError
from core.provenance import Provenance
from core.records import VERDICTS
from core.transport import AxisDiffusivity


@dataclass(frozen=True, slots=True, kw_only=True)
class MsdCurve:
    """Mean-square displacement of a species: (n,) lag times and totals, (n, 3) along x, y, z."""

    lag_ps: tuple[float, ...]
    msd_a2: tuple[float, ...]
    axis_a2: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MsdLine:
    """The line fitted through the working ion's displacement, at its two ends, with the band of its interval."""

    lag_ps: tuple[float, ...]
    msd_a2: tuple[float, ...]
    offset_a2: float
    low_a2: tuple[float, ...]
    high_a2: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefinementErrors:
    """Force error against the teacher before and after fine-tuning for the material, on frames not yet learnt."""

    rounds: int
    force_mae_before_ev_per_a: float
    force_mae_after_ev_per_a: float
    n_frames: int


@dataclass(frozen=True, kw_only=True, eq=False)
class DiffusionResult(Result):
    """What one run says; intervals and limits hold with `confidence`, `simulated_ps` counts time at constant volume.

    `n_working_ions` counts those in the simulated cell, `n_removed` those taken out of it; the cell's vectors are
    `supercell_matrix` times the crystal's. `axes`: D along x, y, z. `msd` by species; `fit`: the line of the ion's.
    """

    kind: ClassVar[str] = "diffusion"

    run_id: str
    id: str
    formula: str
    working_ion: str
    potential: str
    protocol: Protocol
    temperature_k: float
    seed: int
    n_atoms: int
    n_working_ions: int
    n_removed: int
    supercell_matrix: tuple[tuple[int, int, int], ...]
    simulated_ps: float
    volume_a3: float | None
    confidence: float | None = None
    regime: str | None = None
    d_cm2_per_s: float | None = None
    d_std_cm2_per_s: float | None = None
    d_low_cm2_per_s: float | None = None
    d_high_cm2_per_s: float | None = None
    sigma_ms_per_cm: float | None = None
    sigma_low_ms_per_cm: float | None = None
    sigma_high_ms_per_cm: float | None = None
    axes: tuple[AxisDiffusivity, ...] = ()
    msd: Mapping[str, MsdCurve] = field(default_factory=dict)
    fit: MsdLine | None = None
    teacher_force_mae_ev_per_a: float | None = None
    teacher_energy_mae_ev_per_atom: float | None = None
    atom_steps_per_s: float | None = None
    drift_mev_per_atom_per_ps: float | None = None
    seconds: float | None = None
    n_steps: int = 0
    refinement: RefinementErrors | None = None

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise RecordError(f"{self.run_id}: verdict {self.verdict!r} is none of {', '.join(VERDICTS)}.")
        if (self.verdict == "diffusive") != (self.sigma_ms_per_cm is not None):
            raise RecordError(f"{self.run_id}: a diffusive run has a conductivity, and only that has one.")

    def figures(self) -> dict[str, Figure]:
        """Return diffusivity and conductivity with the upper end of its interval."""
        return {
            "d_cm2_per_s": self.d_cm2_per_s, "sigma_ms_per_cm": self.sigma_ms_per_cm,
            "sigma_high_ms_per_cm": self.sigma_high_ms_per_cm,
        }  # fmt: skip

    @classmethod
    def upgraded(cls, given: Mapping[str, Any], version: int) -> Mapping[str, Any]:
        """Return the fields of a result of before there were kinds, under today's names."""
        known = set(Provenance.__dataclass_fields__)
        fields = {_RENAMED.get(name, name): value for name, value in given.items()}
        made_by = fields.get("provenance")
        if isinstance(made_by, Mapping):
            fields["provenance"] = {name: value for name, value in made_by.items() if name in known}
        return fields


_RENAMED = {
    "n_mg": "n_working_ions", "d_std": "d_std_cm2_per_s", "d_low": "d_low_cm2_per_s", "d_high": "d_high_cm2_per_s",
    "sigma_low": "sigma_low_ms_per_cm", "sigma_high": "sigma_high_ms_per_cm",
}  # fmt: skip
