"""A host with and without its working ions, both at rest under a potential: does it hold, and at what voltage.

With n ions of charge z in the cell and relaxed energies E,

    V = [E(charged) + n E(metal) - E(discharged)] / (n z)

Where the redox metals cannot pay for all ions, a third end with as many ions as must stay is relaxed too, and the
voltage down to it stands beside the one for all.
"""

import math
from collections import Counter
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import ClassVar, Final

from core.calculations.base import Context, CrystalSpec, Figure, Result
from core.errors import NoWorkingIonError, RecordError, RelaxationError
from core.ions import charge_number
from core.oxidation import removable_electrons
from core.potentials import DEFAULT_POTENTIAL, Potential, load_potential, potential_card
from core.provenance import Provenance
from core.records import Crystal
from core.relaxation import (
    FORCE_EV_PER_A,
    MAX_STEPS,
    HostChange,
    Step,
    host_change,
    host_of,
    least_bound,
    metal_energy_ev,
    relax,
    without,
)

NOT_CONVERGED: Final = "not converged"
_EXPECTED_STEPS: Final = 60
"""Of one end, for the bar of progress alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class End:
    """One relaxed state of charge: `n_ions` working ions in the cell, its energy on the potential's own scale.

    `start_force_ev_per_a` and `start_pressure_gpa` are those of the crystal before it was relaxed.
    """

    crystal: Crystal
    n_ions: int
    energy_ev: float
    force_max_ev_per_a: float
    n_steps: int
    converged: bool
    start_force_ev_per_a: float
    start_pressure_gpa: float


@dataclass(frozen=True, kw_only=True, eq=False)
class RelaxationResult(HostChange, Result):
    """What became of the host, both ends, the voltage between them; `redox` is the end that the metals can pay for.

    `redox` and `redox_voltage_v` are None where all ions may leave, where none may, and where it is not known.
    """

    kind: ClassVar[str] = "relaxation"

    potential: str
    discharged: End
    charged: End
    redox: End | None
    metal_ev: float
    voltage_v: float
    redox_voltage_v: float | None

    def figures(self) -> dict[str, Figure]:
        """Return voltages, change of volume and the largest move of a host atom."""
        return {
            "relaxed_voltage_v": self.voltage_v, "relaxed_redox_voltage_v": self.redox_voltage_v,
            "volume_change": self.volume_change, "largest_move_a": self.largest_move_a,
            "start_force_ev_per_a": self.discharged.start_force_ev_per_a,
            "start_pressure_gpa": self.discharged.start_pressure_gpa,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class RelaxationSpec(CrystalSpec):
    """Relax a crystal and its host under a potential, until no force is above `force_ev_per_a`."""

    kind: ClassVar[str] = "relaxation"
    title: ClassVar[str] = "Relaxed ends of charging"
    result_type: ClassVar[type[RelaxationResult]] = RelaxationResult

    potential: str
    potential_sha256: str
    force_ev_per_a: float = FORCE_EV_PER_A
    max_steps: int = MAX_STEPS

    @classmethod
    def planned(
        cls, crystal: Crystal, working_ion: str = "Mg", *, potential: str = DEFAULT_POTENTIAL, device: str = "auto"
    ) -> "RelaxationSpec":  # fmt: skip
        """Return the spec for a crystal with a potential as it is now."""
        return cls(
            crystal=crystal, working_ion=working_ion, potential=potential,
            potential_sha256=potential_card(potential).sha256, device=device,
        )  # fmt: skip

    def check(self) -> None:
        """Raise for a crystal without ions or without a host, an unknown potential, or limits out of range."""
        super().check()
        charge_number(self.working_ion)
        potential_card(self.potential)
        if not 0.001 <= self.force_ev_per_a <= 0.5 or not 1 <= self.max_steps <= 5000:
            raise RecordError(
                f"Relax to {self.force_ev_per_a} eV/angstrom in {self.max_steps} steps: 0.001 to 0.5 and 1 to 5000 are "
                "possible."
            )
        n_ions = self.crystal.count(self.working_ion)
        if n_ions == 0:
            raise NoWorkingIonError(self.crystal.formula, self.working_ion)
        if n_ions == self.crystal.n_sites:
            raise RelaxationError(
                f"{self.crystal.formula} has no host beside its {self.working_ion}: nothing is left without them."
            )

    @property
    def label(self) -> str:
        """The potential, relaxed."""
        return f"{self.potential}-relaxed"

    def settings(self) -> dict[str, Figure]:
        """Return the potential."""
        return {"potential": self.potential}

    def run(self, context: Context) -> RelaxationResult:
        """Relax one end after another, each kept in the folder once it is done."""
        potential = loaded_potential(self.potential, context.device)
        context.works_with(potential)
        work = _Work(self, context, potential)
        discharged = work.end("discharged", self.crystal)
        charged = work.end("charged", host_of(discharged.crystal, self.working_ion))
        redox = self._redox_end(work, discharged.crystal)
        metal_ev = metal_energy_ev(potential, self.working_ion)
        host = host_change(discharged.crystal, charged.crystal, self.working_ion)
        ends = [end for end in (discharged, charged, redox) if end is not None]
        still, worst = all(end.converged for end in ends), max(end.force_max_ev_per_a for end in ends)
        return RelaxationResult(
            verdict=host.framework if still else NOT_CONVERGED,
            reason=host.words if still else (
                f"{worst:.2f} eV/angstrom were left after {self.max_steps} steps ({self.force_ev_per_a:g} is asked "
                f"for). {host.words}"
            ),
            potential=self.potential, discharged=discharged, charged=charged, redox=redox, metal_ev=metal_ev,
            voltage_v=self._voltage_v(discharged, charged, metal_ev),
            redox_voltage_v=None if redox is None else self._voltage_v(discharged, redox, metal_ev),
            **asdict(host),
            provenance=Provenance(
                kind=self.kind, model_name=self.potential, model_sha256=self.potential_sha256, seed=self.seed,
                device=context.device,
            ),
        )  # fmt: skip

    def n_may_leave(self) -> int | None:
        """Return how many ions of the cell its redox metals can pay for, None where that cannot be counted."""
        electrons = removable_electrons(
            Counter(self.crystal.species), self.working_ion, charge_number(self.working_ion)
        )
        return None if electrons is None else math.floor(electrons / charge_number(self.working_ion) + 1e-9)

    def _redox_end(self, work: "_Work", discharged: Crystal) -> End | None:
        n_leave = self.n_may_leave()
        if n_leave is None or not 0 < n_leave < discharged.count(self.working_ion):
            return None
        if (kept := work.context.kept("redox", End)) is not None:
            return kept
        sites = least_bound(
            discharged, self.working_ion, n_leave, work.potential,
            on_try=lambda: work.context.say("looking which ions leave first"),
        )  # fmt: skip
        return work.end("redox", without(discharged, sites))

    def _voltage_v(self, discharged: End, charged: End, metal_ev: float) -> float:
        moved = discharged.n_ions - charged.n_ions
        energy_ev = charged.energy_ev + moved * metal_ev - discharged.energy_ev
        return energy_ev / (moved * charge_number(self.working_ion))


class _Work:
    """Relaxes the ends of one spec, keeping each in the run's folder, and tells how far it is."""

    def __init__(self, spec: RelaxationSpec, context: Context, potential: Potential) -> None:
        self.spec, self.context, self.potential = spec, context, potential
        self._ends_done = 0
        self._steps = 0

    def end(self, name: str, crystal: Crystal) -> End:
        """Relax one end, or return what an earlier sitting left of it."""
        end = self.context.kept(name, End)
        if end is None:
            end = self._relaxed(name, crystal)
            self.context.keep(name, end)
        self._ends_done += 1
        return end

    def _relaxed(self, name: str, crystal: Crystal) -> End:
        self.context.say(f"relaxing the {name} crystal")
        found = relax(
            crystal, self.potential, force_ev_per_a=self.spec.force_ev_per_a, max_steps=self.spec.max_steps,
            on_step=self._report,
        )  # fmt: skip
        return End(
            crystal=found.crystal, n_ions=crystal.count(self.spec.working_ion), energy_ev=found.energy_ev,
            force_max_ev_per_a=found.force_max_ev_per_a, n_steps=found.n_steps, converged=found.converged,
            start_force_ev_per_a=found.start_force_ev_per_a, start_pressure_gpa=found.start_pressure_gpa,
        )  # fmt: skip

    def _report(self, step: Step) -> None:
        n_ends = (
            3
            if self.spec.n_may_leave() not in (None, 0, self.spec.crystal.count(self.spec.working_ion))
            else 2
        )
        share = 1.0 - math.exp(-step.number / _EXPECTED_STEPS)
        self._steps += 1
        self.context.report(
            {
                "step": self._steps, "fraction": min(1.0, (self._ends_done + share) / n_ends), "eta_s": None,
                "energy_ev": step.energy_ev, "force_max_ev_per_a": step.force_max_ev_per_a,
            }
        )  # fmt: skip
        if self.context.should_stop():
            self.context.say("stopping")


@lru_cache(maxsize=2)
def loaded_potential(name: str, device: str) -> Potential:
    """Return a potential in single precision: a campaign in one process loads it once."""
    return load_potential(name, device=device, dtype="float32")


SPEC: Final = RelaxationSpec
