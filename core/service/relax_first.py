"""A crystal put at rest before anything is predicted: cell and ions of the discharged compound, under the potential."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.calculations.kinds.relaxation import loaded_potential
from core.errors import RelaxationError
from core.potentials import DEFAULT_POTENTIAL
from core.records import Crystal
from core.relaxation import MAX_STEPS, Step, relax

MAX_SITES_WAITED_FOR: Final = 120
STEPS_WAITED_FOR: Final = 100
"""Most sites and steps while one waits at a page or a request; the command line takes larger crystals to their end."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RelaxedFirst:
    """A crystal at rest, who relaxed it, how far its volume went, and how it was before.

    `unrest`: why it is not at rest after all, None where it is.
    """

    crystal: Crystal
    potential: str
    volume_change: float
    start_force_ev_per_a: float
    start_pressure_gpa: float
    n_steps: int
    unrest: str | None = None


def relax_first(
    crystal: Crystal, *, max_sites: int | None = None, max_steps: int = MAX_STEPS,
    on_step: Callable[[Step], None] = lambda step: None,
) -> RelaxedFirst:  # fmt: skip
    """Return a crystal with its cell and ions relaxed.

    Raises `RelaxationError` for a crystal that breaks on the way or has more than `max_sites` sites, and
    `UnsupportedElementError` for elements that the potential does not know.
    """
    if max_sites is not None and crystal.n_sites > max_sites:
        raise RelaxationError(
            f"{crystal.formula} has {crystal.n_sites} sites; up to {max_sites} are relaxed while one waits. Use "
            "`python -m core predict --relax`."
        )
    potential = loaded_potential(DEFAULT_POTENTIAL, "auto")
    found = relax(crystal, potential, max_steps=max_steps, on_step=on_step)
    left = f"not at rest after {found.n_steps} steps: {found.force_max_ev_per_a:.2f} eV/angstrom left"
    return RelaxedFirst(
        crystal=found.crystal, potential=DEFAULT_POTENTIAL,
        volume_change=found.crystal.volume_a3 / crystal.volume_a3 - 1.0,
        start_force_ev_per_a=found.start_force_ev_per_a, start_pressure_gpa=found.start_pressure_gpa,
        n_steps=found.n_steps, unrest=None if found.converged else left,
    )  # fmt: skip
