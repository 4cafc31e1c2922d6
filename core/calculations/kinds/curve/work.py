"""The work of a voltage curve: contents screened, orderings relaxed, each kept once it is done."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.artifacts import write_json
from core.calculations.base import Context, Stopped
from core.codec import from_json, to_json
from core.errors import RelaxationError
from core.ordering import OrderingCell, Screened, contents, screened
from core.potentials import Potential
from core.records import Crystal, Skipped
from core.relaxation import Step, host_change, relax, without

if TYPE_CHECKING:
    from core.calculations.kinds.curve.spec import CurveSpec

_EXPECTED_STEPS: Final = 60
"""Of one relaxation, for the bar of progress alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RelaxedOrdering:
    """An ordering at rest; see `CurvePoint` for what the fields say."""

    n_ions: int
    ordering: int
    multiplicity: int
    frozen_rank: int
    frozen_ev: float | None
    energy_ev: float
    framework: str
    crystal: Crystal


@dataclass(frozen=True, kw_only=True, eq=False)
class _Attempt:
    """What a relaxation came to, as the folder keeps it: an ordering at rest, or the reason why there is none."""

    n_steps: int
    relaxed: RelaxedOrdering | None = None
    reason: str = ""


class CurveWork:
    """Screens and relaxes the orderings of one spec in the run's folder, and tells how far it is."""

    def __init__(self, spec: "CurveSpec", context: Context, cell: OrderingCell, potential: Potential) -> None:
        self.spec, self.context, self.cell, self.potential = spec, context, cell, potential
        self.contents = contents(len(cell.ion_sites), spec.max_contents)
        self.screened: list[Screened] = []
        self.left_out: list[Skipped] = []
        self._n_done, self._n_expected = 0, 0
        self._steps = 0

    def run(self) -> list[RelaxedOrdering]:
        """Return the orderings between the ends that came to rest; raise `Stopped` when asked to stop."""
        self.screened = [self._content(n_ions) for n_ions in self.contents]
        chosen = [
            (it, rank) for it in self.screened for rank in range(min(len(it.ranked), self.spec.n_relaxed))
        ]
        self._n_expected = len(chosen)
        relaxed = []
        for content, rank in chosen:
            attempt = self._attempt(content, rank)
            if attempt.relaxed is not None:
                relaxed.append(attempt.relaxed)
            else:
                name = _name(content.n_ions, content.numbers[rank])
                self.left_out.append(Skipped(id=name, reason=attempt.reason))
            self._n_done += 1
            self._steps += attempt.n_steps
            self._report(0.0)
        return relaxed

    def _content(self, n_ions: int) -> Screened:
        path = self.context.folder / f"content-{n_ions}.json"
        if path.is_file():
            return from_json(Screened, _read(path))
        n_sites = len(self.cell.ion_sites)
        self.context.say(f"energies of the orderings with {n_ions} of {n_sites} ions")
        found = screened(
            self.cell, self.spec.working_ion, n_ions, self.potential, most=self.spec.n_frozen, seed=self.spec.seed,
            on_energy=self._hear_stop,
        )  # fmt: skip
        write_json(path, to_json(found))
        return found

    def _attempt(self, content: Screened, rank: int) -> _Attempt:
        number = content.numbers[rank]
        path = self.context.folder / f"{_name(content.n_ions, number)}.json"
        if path.is_file():
            return from_json(_Attempt, _read(path))
        self.context.say(
            f"relaxing {content.n_ions} of {len(self.cell.ion_sites)} ions, ordering {number} of {content.n_orderings}"
        )
        attempt = self._at_rest(content, rank)
        write_json(path, to_json(attempt))
        return attempt

    def _at_rest(self, content: Screened, rank: int) -> _Attempt:
        ordering, spec = content.ranked[rank], self.spec
        start = without(self.cell.crystal, ordering.gaps(self.cell.ion_sites))
        n_steps = 0

        def hear(step: Step) -> None:
            nonlocal n_steps
            n_steps = step.number
            self._hear_stop()
            self._report(1.0 - math.exp(-step.number / _EXPECTED_STEPS), step)

        try:
            found = relax(
                start,
                self.potential,
                force_ev_per_a=spec.force_ev_per_a,
                max_steps=spec.max_steps,
                on_step=hear,
            )
        except RelaxationError as error:
            return _Attempt(n_steps=n_steps, reason=str(error))
        if not found.converged:
            left = f"After {found.n_steps} steps {found.force_max_ev_per_a:.2f} eV/angstrom were left."
            return _Attempt(n_steps=n_steps, reason=left)
        relaxed = RelaxedOrdering(
            n_ions=content.n_ions, ordering=content.numbers[rank], multiplicity=ordering.multiplicity,
            frozen_rank=rank, frozen_ev=content.energies_ev[rank], energy_ev=found.energy_ev, crystal=found.crystal,
            framework=host_change(self.cell.crystal, found.crystal, spec.working_ion).framework,
        )  # fmt: skip
        return _Attempt(n_steps=n_steps, relaxed=relaxed)

    def _report(self, share: float, step: Step | None = None) -> None:
        row: dict[str, Any] = {
            "step": self._steps + (step.number if step else 0),
            "fraction": min(1.0, (self._n_done + share) / max(1, self._n_expected)), "eta_s": None,
        }  # fmt: skip
        if step is not None:
            row |= {"energy_ev": step.energy_ev, "force_max_ev_per_a": step.force_max_ev_per_a}
        self.context.report(row)

    def _hear_stop(self) -> None:
        if self.context.should_stop():
            raise Stopped


def _name(n_ions: int, ordering: int) -> str:
    return f"ordering-{n_ions}-{ordering}"


def _read(path: Path) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return fields
