"""What comes out of a voltage curve: every relaxed ordering, the ground states, the steps between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Final

from core.calculations.base import Figure, Result
from core.ordering import CurveStep
from core.records import Crystal, Skipped

SAME_STEP_V: Final = 0.1
"""Neighbouring steps nearer than this are one slope: the potential does not tell them apart, nor does a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One content and what was looked at there: orderings that differ by symmetry, and those passed over.

    `n_orderings`: that were found, all there are unless `complete` is false. `n_left_out`: that electrostatics
    ranked too high for an energy to be asked.
    """

    x: float
    n_ions: int
    n_orderings: int
    n_left_out: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One relaxed ordering; `x` is the share of the host's ion sites that are filled.

    `ordering`: its number in the enumeration. `frozen_rank`: its place, from 0, by the energy on the unrelaxed host,
    `frozen_ev` for the cell. `formation_ev`: relaxed energy over the line between empty and full host, per ion site.
    `framework`: what became of the host beside the full one, in the words of `core.relaxation`.
    """

    x: float
    n_ions: int
    ordering: int
    multiplicity: int
    frozen_rank: int
    frozen_ev: float | None
    energy_ev: float
    formation_ev: float
    volume_a3: float
    framework: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroundState:
    """An ordering on the lower hull, with its crystal; `volume_a3` of the cell, which all points share."""

    x: float
    n_ions: int
    ordering: int
    energy_ev: float
    volume_a3: float
    framework: str
    crystal: Crystal


@dataclass(frozen=True, kw_only=True, eq=False)
class CurveResult(Result):
    """The voltage curve of a host, in a cell of `n_ion_sites` ion sites and `n_sites` atoms when full.

    `steps`: from the empty to the full host. `left_out`: orderings that did not relax, with the reason.
    `average_voltage_v`: between the ends.
    """

    kind: ClassVar[str] = "curve"

    potential: str
    copies: tuple[int, int, int]
    n_sites: int
    n_ion_sites: int
    metal_ev: float
    average_voltage_v: float
    contents: tuple[Content, ...]
    points: tuple[CurvePoint, ...]
    ground_states: tuple[GroundState, ...]
    steps: tuple[CurveStep, ...]
    left_out: tuple[Skipped, ...] = ()

    def figures(self) -> dict[str, Figure]:
        """Return the lowest and highest step and how many there are."""
        voltages = [step.voltage_v for step in self.steps]
        return {
            "curve_low_v": min(voltages), "curve_high_v": max(voltages), "n_curve_steps": len(self.steps),
        }  # fmt: skip


def verdict_of(steps: Sequence[CurveStep]) -> tuple[str, str]:
    """Return verdict and reason: one step, several, or the slope of a solid solution."""
    voltages = [step.voltage_v for step in steps]
    n_apart = 1 + sum(abs(a - b) >= SAME_STEP_V for a, b in pairwise(voltages))
    between = f"{min(voltages):.2f} to {max(voltages):.2f} V"
    if len(steps) == 1:
        return "one step", f"No ordering between the ends is stable: both coexist at {voltages[0]:.2f} V."
    if n_apart == 1:
        return "solid solution", (
            f"{len(steps) - 1} contents between the ends are stable; their steps, {between}, lie less than "
            f"{SAME_STEP_V:g} V apart."
        )
    return f"{n_apart} steps", (
        f"{len(steps) - 1} contents between the ends are stable; steps {between}, with {n_apart - 1} "
        f"{'drop' if n_apart == 2 else 'drops'} of {SAME_STEP_V:g} V or more."
    )
