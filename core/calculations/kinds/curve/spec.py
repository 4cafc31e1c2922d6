"""What is asked of a voltage curve, and how screened and relaxed orderings become one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from core.calculations.base import Context, CrystalSpec, Figure, Spec
from core.calculations.kinds.curve.result import Content, CurveResult, verdict_of
from core.calculations.kinds.curve.summary import COLLAPSED, CurveSummary
from core.calculations.kinds.curve.work import CurveWork, RelaxedOrdering
from core.calculations.kinds.relaxation import RelaxationResult, RelaxationSpec, loaded_potential
from core.errors import CalculationError, RecordError
from core.ordering import MIN_IONS, Screened, ordering_cell
from core.potentials import DEFAULT_POTENTIAL, potential_card
from core.provenance import Provenance
from core.records import Crystal
from core.relaxation import FORCE_EV_PER_A, FRAMEWORKS, MAX_STEPS


@dataclass(frozen=True, kw_only=True, eq=False)
class CurveSpec(CrystalSpec):
    """Voltage along the content of a host in a cell of `min_ions` ion sites where `max_sites` atoms allow it.

    At each of at most `max_contents` contents between the ends, at most `n_frozen` orderings get an energy on the
    unrelaxed host, and the lowest `n_relaxed` are relaxed.
    """

    kind: ClassVar[str] = "curve"
    title: ClassVar[str] = "Voltage curve"
    result_type: ClassVar[type[CurveResult]] = CurveResult

    potential: str
    potential_sha256: str
    max_sites: int = 60
    min_ions: int = MIN_IONS
    max_contents: int = 5
    n_frozen: int = 60
    n_relaxed: int = 3
    force_ev_per_a: float = FORCE_EV_PER_A
    max_steps: int = MAX_STEPS

    @classmethod
    def planned(
        cls, crystal: Crystal, working_ion: str = "Mg", *, potential: str = DEFAULT_POTENTIAL, device: str = "auto",
        max_sites: int | None = None, n_relaxed: int | None = None,
    ) -> "CurveSpec":  # fmt: skip
        """Return the spec for a crystal with a potential as it is now; a large cell is taken as it is."""
        spec = cls(
            crystal=crystal, working_ion=working_ion, potential=potential,
            potential_sha256=potential_card(potential).sha256, device=device,
        )  # fmt: skip
        return replace(
            spec,
            max_sites=max(max_sites or spec.max_sites, crystal.n_sites),
            n_relaxed=n_relaxed or spec.n_relaxed,
        )

    def check(self) -> None:
        """Raise for a crystal without ions or host, a cell that is too large, or numbers out of range."""
        super().check()
        self.relaxation.check()
        limits = {"min_ions": (1, 64), "max_contents": (1, 31), "n_frozen": (1, 5000), "n_relaxed": (1, 100)}
        for name, (low, high) in limits.items():
            if not low <= (value := getattr(self, name)) <= high:
                raise RecordError(f"{name} is {value}; {low} to {high} are possible.")
        ordering_cell(self.crystal, self.working_ion, max_sites=self.max_sites, min_ions=self.min_ions)

    @property
    def relaxation(self) -> RelaxationSpec:
        """The relaxed ends that the curve stands on."""
        return RelaxationSpec(
            crystal=self.crystal, working_ion=self.working_ion, potential=self.potential,
            potential_sha256=self.potential_sha256, force_ev_per_a=self.force_ev_per_a, max_steps=self.max_steps,
            device=self.device, seed=self.seed,
        )  # fmt: skip

    @property
    def label(self) -> str:
        """The potential and the curve."""
        return f"{self.potential}-curve"

    def settings(self) -> dict[str, Figure]:
        """Return the potential."""
        return {"potential": self.potential}

    def needs(self) -> Sequence[Spec]:
        """Return the relaxation of the ends."""
        return (self.relaxation,)

    def run(self, context: Context) -> CurveResult:
        """Screen and relax one content after another, then draw the hull; what is done is kept in the folder."""
        ends, _ = context.needed(self.relaxation)
        if not isinstance(ends, RelaxationResult):
            raise CalculationError(
                f"{self.relaxation.name} is no relaxation; move its folder aside and resume."
            )
        cell = ordering_cell(
            ends.discharged.crystal, self.working_ion, max_sites=self.max_sites, min_ions=self.min_ions
        )
        potential = loaded_potential(self.potential, context.device)
        context.works_with(potential)
        work = CurveWork(self, context, cell, potential)
        between = work.run()
        curve = CurveSummary.of(self.working_ion, cell, ends, between)
        verdict, reason = verdict_of(curve.steps)
        return CurveResult(
            verdict=verdict, reason=reason, notes=self._notes(ends, work, between), potential=self.potential,
            copies=cell.copies, n_sites=cell.crystal.n_sites, n_ion_sites=len(cell.ion_sites), metal_ev=ends.metal_ev,
            average_voltage_v=ends.voltage_v, contents=tuple(_content(it, len(cell.ion_sites)) for it in work.screened),
            points=curve.points, ground_states=curve.ground_states, steps=curve.steps, left_out=tuple(work.left_out),
            provenance=Provenance(
                kind=self.kind, model_name=self.potential, model_sha256=self.potential_sha256, seed=self.seed,
                device=context.device,
            ),
        )  # fmt: skip

    def _notes(
        self, ends: RelaxationResult, work: CurveWork, between: Sequence[RelaxedOrdering]
    ) -> tuple[str, ...]:  # fmt: skip
        notes = []
        if not (ends.discharged.converged and ends.charged.converged):
            notes.append(
                "An end did not relax to the force asked for: steps that touch it are not to be trusted."
            )
        if ends.framework != FRAMEWORKS[0]:
            notes.append(
                f"The empty host is {ends.framework}: the step down to it is more than ions leaving."
            )
        n_sites = len(work.cell.ion_sites)
        if n_sites < self.min_ions:
            notes.append(
                f"The cell has {n_sites} ion sites, since {self.max_sites} atoms are allowed: contents between its "
                f"{n_sites}ths are not looked at."
            )
        if n_collapsed := sum(it.framework == COLLAPSED for it in between):
            notes.append(
                f"In {n_collapsed} orderings the host collapsed: they are no ground states, whatever their energy."
            )
        if work.left_out:
            notes.append(f"{len(work.left_out)} orderings did not relax and are left out.")
        return tuple(notes)


def _content(it: Screened, n_sites: int) -> Content:
    return Content(
        x=it.n_ions / n_sites, n_ions=it.n_ions, n_orderings=it.n_orderings, n_left_out=it.n_left_out,
        complete=it.complete,
    )  # fmt: skip


SPEC: Final = CurveSpec
