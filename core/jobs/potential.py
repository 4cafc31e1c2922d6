"""The potential of a run, ready to work: loaded, compiled where it offers that, fine-tuned where that was asked for."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.errors import PotentialError
from core.jobs.locks import held
from core.jobs.spec import JobSpec
from core.potentials import Potential, load_potential

TEACHER: Final = "nequip-mp"
REFINED_FOLDER: Final = ".refined"
"""Beside the runs; the refined potentials of all their materials."""

COMPILE_FROM_ATOM_STEPS: Final = 1_000_000
"""Compiling takes a minute or two; shorter runs are over sooner without it."""

Say = Callable[[str], None]
"""Told what is being done now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A potential in single precision; `notes` for the reader, `refinement` with the errors before and after."""

    potential: Potential
    notes: list[str] = field(default_factory=list)
    refinement: dict[str, Any] | None = None


def ready_potential(name: str, device: str, say: Say = lambda stage: None, *, atom_steps: int = 0) -> Ready:
    """Return a potential by name for a run of so many atom-steps.

    One that offers it is compiled for this machine, once, where the run is long enough; a build that is there is taken
    for short ones too. Where compiling fails, the potential is taken as it is, with a note.
    """
    say("loading the potential")
    potential = load_potential(name, device=device, dtype="float32")
    return Ready(potential=potential, notes=_compiled(potential, say, atom_steps))


def refined_potential(spec: JobSpec, device: str, runs: Path, say: Say, *, atom_steps: int = 0) -> Ready:
    """Return the student fine-tuned for the spec's crystal, once for all runs of it in the folder `runs`.

    A stopped refinement goes on; a run that comes while another refines waits for it. Raises `TrainingError` where
    training fails.
    """
    from core.potentials.nequip_mg.potential import NequipMg, read_card
    from core.potentials.nequip_mg.refine import refine

    say("loading the teacher")
    teacher = load_potential(TEACHER, device=device, dtype="float32")
    folder = runs / REFINED_FOLDER / spec.refinement_key
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / ".lock"):
        found = refine(
            spec.crystal,
            spec.working_ion,
            teacher,
            folder=folder,
            rounds=spec.refine_rounds,
            seed=0,
            on_stage=say,
        )
        potential = NequipMg(read_card(found.folder), device=device, dtype="float32", folder=found.folder)
        notes = _compiled(potential, say, atom_steps)
    return Ready(potential=potential, notes=notes, refinement=found.to_dict())


def _compiled(potential: Potential, say: Say, atom_steps: int) -> list[str]:
    # Only nequip-mg can; its framework takes seconds to import, and every page imports this module.
    if potential.name != "nequip-mg" or atom_steps < COMPILE_FROM_ATOM_STEPS:
        return []
    from core.potentials.nequip_mg.potential import NequipMg

    if not isinstance(potential, NequipMg) or potential.is_compiled:
        return []
    say("compiling the potential, once for this machine")
    try:
        potential.compile()
    except (PotentialError, subprocess.SubprocessError) as error:
        return [f"The potential ran without being compiled, slower: {error}"]
    return []
