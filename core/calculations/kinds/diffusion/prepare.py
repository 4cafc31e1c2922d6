"""The potential of a run, ready to work: loaded, and compiled for the machine where that pays."""

import subprocess
from collections.abc import Callable
from typing import Final

from core.errors import PotentialError
from core.potentials import Potential

COMPILE_FROM_ATOM_STEPS: Final = 1_000_000
"""Compiling takes a minute or two; shorter runs are over sooner without it."""

Say = Callable[[str], None]
"""Told what is being done now."""


def ready_potential(
    make: Callable[[], Potential], say: Say = lambda note: None, *, atom_steps: int = 0
) -> tuple[Potential, list[str]]:
    """Return a potential for a run of so many atom-steps, with notes for the reader.

    One that offers it is compiled for this machine, once, where the run is long enough; a build that is there is taken
    for short ones too. Where compiling fails, the potential is taken as it is, with a note.
    """
    say("loading the potential")
    potential = make()
    wanted = potential.card.capabilities.can_be_compiled and atom_steps >= COMPILE_FROM_ATOM_STEPS
    if not wanted or potential.is_compiled:
        return potential, []
    say("compiling the potential, once for this machine")
    try:
        potential.compile()
    except (PotentialError, subprocess.SubprocessError) as error:
        return potential, [f"The potential ran without being compiled, slower: {error}"]
    return potential, []
