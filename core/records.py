"""The records that travel the line, from a source of crystals to a row on the page.

All are frozen, slotted and keyword-only, and check themselves where they are made: a record that exists is sound.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import RecordError
from core.provenance import Provenance

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core import Structure

FloatArray = NDArray[np.float64]


def _finite(owner: str, **values: float | None) -> None:
    for name, value in values.items():
        if value is not None and not math.isfinite(value):
            raise RecordError(f"{owner}: {name} is {value}; a finite number or nothing is needed.")


@dataclass(frozen=True, kw_only=True, eq=False)
class Crystal:
    """An ordered crystal structure with where it came from.

    `lattice_a`: (3, 3) lattice vectors as rows, angstrom. `frac`: (n_sites, 3) fractional coordinates.
    `species`: n_sites element symbols. Optional figures are None where the source does not state them.
    """

    id: str
    formula: str
    lattice_a: FloatArray
    species: tuple[str, ...]
    frac: FloatArray
    source: str
    license: str = "unknown"
    spacegroup: str | None = None
    e_above_hull_ev_per_atom: float | None = None
    working_ion: str | None = None

    def __post_init__(self) -> None:
        if self.lattice_a.shape != (3, 3) or self.frac.shape != (len(self.species), 3):
            raise RecordError(
                f"{self.id}: lattice {self.lattice_a.shape} and coordinates {self.frac.shape} must be (3, 3) and "
                f"({len(self.species)}, 3)."
            )
        if not self.species:
            raise RecordError(f"{self.id}: a crystal needs at least one site.")
        if not (np.isfinite(self.lattice_a).all() and np.isfinite(self.frac).all()):
            raise RecordError(f"{self.id}: lattice or coordinates hold NaN or infinity.")
        if self.volume_a3 < 1e-3:
            raise RecordError(
                f"{self.id}: cell volume {self.volume_a3:.3g} cubic angstrom; it must be positive."
            )
        _finite(self.id, e_above_hull_ev_per_atom=self.e_above_hull_ev_per_atom)

    @property
    def n_sites(self) -> int:
        """Number of sites in the cell."""
        return len(self.species)

    @cached_property
    def volume_a3(self) -> float:
        """Cell volume, cubic angstrom."""
        return float(abs(np.linalg.det(self.lattice_a)))

    def count(self, element: str) -> int:
        """Return how many sites of the cell hold `element`."""
        return self.species.count(element)

    def same_structure(self, other: "Crystal", *, tolerance: float = 1e-4) -> bool:
        """Return whether the same sites stand in the same cell, in the same order: within angstrom and fractions."""
        return (
            self.species == other.species
            and np.allclose(self.lattice_a, other.lattice_a, rtol=0.0, atol=tolerance)
            and np.allclose(self.frac, other.frac, rtol=0.0, atol=tolerance)
        )

    def to_pymatgen(self) -> "Structure":
        """Return the same crystal as a pymatgen `Structure`."""
        from pymatgen.core import Structure

        return Structure(self.lattice_a, list(self.species), self.frac)

    def to_ase(self) -> "Atoms":
        """Return the same crystal as ASE's `Atoms`, periodic in all directions."""
        from ase import Atoms

        return Atoms(self.species, cell=self.lattice_a, scaled_positions=self.frac, pbc=True)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Crystal":
        """Read what `to_dict` returns, or a line of the data; raise `RecordError` for another form."""
        try:
            return cls(
                id=fields["id"],
                formula=fields["formula"],
                lattice_a=np.array(fields["lattice"], dtype=float),
                species=tuple(fields["species"]),
                frac=np.array(fields["frac"], dtype=float).reshape(-1, 3),
                source=fields["source"],
                license=fields.get("license", "unknown"),
                e_above_hull_ev_per_atom=fields.get("e_above_hull"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(f"A crystal cannot be read ({type(error).__name__}: {error}).") from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Tell `core.codec` how a crystal within another record is written and read: with a stated hull energy."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            lambda given: given if isinstance(given, cls) else cls.from_dict(given),
            serialization=core_schema.plain_serializer_function_ser_schema(cls._within_a_record),
        )

    def _within_a_record(self) -> dict[str, Any]:
        above = self.e_above_hull_ev_per_atom
        return self.to_dict() | ({} if above is None else {"e_above_hull": above})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-lines form of the data README and the licence."""
        return {
            "id": self.id,
            "formula": self.formula,
            "nsites": self.n_sites,
            "lattice": self.lattice_a.tolist(),
            "species": list(self.species),
            "frac": self.frac.tolist(),
            "source": self.source,
            "license": self.license,
        }

    def to_cif(self) -> str:
        """Return the crystal as CIF text without symmetry (P 1), headed by its id, source and licence."""
        from pymatgen.io.cif import CifWriter

        header = (("id", self.id), ("source", self.source), ("licence", self.license))
        comments = "".join(f"# {name}: {' '.join(text.split())}\n" for name, text in header)
        return comments + str(CifWriter(self.to_pymatgen()))


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
        _finite(self.battery_id, average_voltage_v=self.average_voltage_v)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltagePrediction:
    """A predicted average voltage with its 90 % interval, or the reason why there is none.

    `in_domain` says whether the structure resembles the labelled electrodes enough for the interval to hold.
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
        _finite(
            "capacity",
            vol=self.capacity_vol_ah_per_l,
            grav=self.capacity_grav_mah_per_g,
            redox_vol=self.capacity_redox_vol_ah_per_l,
            redox_grav=self.capacity_redox_grav_mah_per_g,
        )


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
        _ordered(self.run_id, "d", self.d_low_cm2_per_s, self.d_cm2_per_s, self.d_high_cm2_per_s)
        _ordered(
            self.run_id, "sigma", self.sigma_low_ms_per_cm, self.sigma_ms_per_cm, self.sigma_high_ms_per_cm
        )


def _ordered(owner: str, name: str, low: float | None, value: float | None, high: float | None) -> None:
    given = [number for number in (low, value, high) if number is not None]
    if value is not None and given != sorted(given):
        raise RecordError(f"{owner}: {name} {value} is not within its interval, {low} to {high}.")


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
