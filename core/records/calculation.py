"""What the second line leaves behind: conductivities, and finished calculations of any kind."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core.errors import RecordError
from core.provenance import Provenance
from core.records.checks import ordered

CONFIDENCE = 0.90
"""Of intervals of diffusivities and conductivities, and of their upper limits."""

VERDICTS = ("diffusive", "upper limit", "framework melted", "too short", "out of domain", "aborted")
"""How a diffusion run may end; only a diffusive one has a conductivity, an upper limit has its high end alone."""


_CONDUCTIVITY_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "temperature_k": (1, 10_000), "n_atoms": (1, 10**9), "n_working_ions": (1, 10**9), "n_seeds": (1, 10**6),
    "simulated_ps": (0, 1e12), "d_cm2_per_s": (0, 1), "d_low_cm2_per_s": (0, 1), "d_high_cm2_per_s": (0, 1),
    "sigma_ms_per_cm": (0, 1e6), "sigma_low_ms_per_cm": (0, 1e6), "sigma_high_ms_per_cm": (0, 1e6),
    "teacher_force_mae_ev_per_a": (0, 1000), "atom_steps_per_s": (0, 1e15),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Conductivity:
    """What a diffusion run (or several seeds of one) says about a candidate, with its 90 % interval and verdict."""

    run_id: str
    id: str
    working_ion: str
    potential: str
    protocol: str
    temperature_k: float
    n_atoms: int
    n_working_ions: int
    n_seeds: int
    simulated_ps: float
    verdict: str
    created: str
    d_cm2_per_s: float | None = None
    d_low_cm2_per_s: float | None = None
    d_high_cm2_per_s: float | None = None
    sigma_ms_per_cm: float | None = None
    sigma_low_ms_per_cm: float | None = None
    sigma_high_ms_per_cm: float | None = None
    teacher_force_mae_ev_per_a: float | None = None
    atom_steps_per_s: float | None = None

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise RecordError(f"{self.run_id}: verdict {self.verdict!r} is none of {', '.join(VERDICTS)}.")
        if (self.verdict == "diffusive") != (self.sigma_ms_per_cm is not None):
            raise RecordError(f"{self.run_id}: a diffusive run has a conductivity, and only that has one.")
        if self.verdict == "diffusive" and self.d_cm2_per_s is None:
            raise RecordError(f"{self.run_id}: a diffusive run has a diffusivity.")
        for name, (low, high) in _CONDUCTIVITY_RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise RecordError(f"{self.run_id}: {name} is {value}; from {low:g} to {high:g} is possible.")
        ordered(self.run_id, "d", self.d_low_cm2_per_s, self.d_cm2_per_s, self.d_high_cm2_per_s)
        ordered(
            self.run_id, "sigma", self.sigma_low_ms_per_cm, self.sigma_ms_per_cm, self.sigma_high_ms_per_cm
        )


_CALCULATION_FORMS: Final = {
    "key": re.compile(r"[0-9a-f]{64}"),
    "name": re.compile(r"[A-Za-z0-9._:-]{1,120}"),
    "kind": re.compile(r"[a-z][a-z0-9-]{0,39}"),
}
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalculationRecord:
    """One finished calculation of any kind, as the store keeps it.

    `key`: 64 hex digits, the identity of what was asked. `name`: unique and readable. `subject_id`: the structure that
    it is about, which need not be a candidate. `verdict`: one word or two, as lists show it. `spec` and `result`: what
    was asked and what came out, as JSON holds them; both name `format`, `kind` and `version`. `files`: small side
    files, content by name.

    Raises `RecordError` where a name has another form, or where `spec` or `result` is of another kind.
    """

    key: str
    name: str
    kind: str
    version: int
    subject_id: str
    formula: str
    working_ion: str
    verdict: str
    created: str
    spec: Mapping[str, Any]
    result: Mapping[str, Any]
    provenance: Provenance
    files: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, form in _CALCULATION_FORMS.items():
            value = getattr(self, name)
            if not isinstance(value, str) or not form.fullmatch(value):
                raise RecordError(f"Calculation {self.name!r}: {name} {value!r} must match {form.pattern}.")
        for name in self.files:
            if not _FILE_NAME.fullmatch(name):
                raise RecordError(
                    f"Calculation {self.name}: file name {name!r} must match {_FILE_NAME.pattern}."
                )
        for part, fields in (("spec", self.spec), ("result", self.result)):
            stated = (fields.get("kind"), fields.get("version"))
            if stated != (self.kind, self.version) or not isinstance(fields.get("format"), int):
                raise RecordError(
                    f"Calculation {self.name}: its {part} says kind and version {stated}, format "
                    f"{fields.get('format')!r}; {(self.kind, self.version)} and a format number are needed."
                )
