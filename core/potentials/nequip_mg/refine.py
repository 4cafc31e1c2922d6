"""Fine-tuning the student for one material: its own dynamics, labelled by the teacher, learnt, and again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.artifacts import write_json
from core.potentials.base import Potential
from core.potentials.files import shipped_folder
from core.potentials.nequip_mg.build import write_student
from core.potentials.nequip_mg.dataset import label_crystals, read_frames
from core.potentials.nequip_mg.frames import Frame, Generator, hop_frames, student_frames
from core.potentials.nequip_mg.potential import NAME, NequipMg, read_card, read_shape
from core.potentials.nequip_mg.training import Recipe, prepare, run_training, split_frames
from core.records import Crystal

RECIPE: Final = Recipe(
    epochs=40,
    learning_rate=4e-3,
    ema_decay=0.98,
    energy_weight=1000.0,
    batch_size=3,
    processes=1,
    compiled=False,
)
"""A barrier is an energy of one ion among forty atoms, small when counted per atom: energies weigh more here."""

N_RUNS: Final = 14
"""Short runs of the student a round, three frames each, and twice as many hops, two frames each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinement:
    """`folder` holds the refined student; errors are of forces against the teacher on frames not yet learnt.

    `force_mae_ev_per_a[0]` is the error before; one more follows for each round, on the frames that the student of that
    round made, which no training has seen.
    """

    folder: Path
    force_mae_ev_per_a: tuple[float, ...]
    n_frames: int

    def to_dict(self) -> dict[str, Any]:
        """Return the errors as JSON holds them."""
        return {
            "rounds": len(self.force_mae_ev_per_a) - 1,
            "force_mae_before_ev_per_a": self.force_mae_ev_per_a[0],
            "force_mae_after_ev_per_a": self.force_mae_ev_per_a[-1],
            "n_frames": self.n_frames,
        }


def refine(
    crystal: Crystal, working_ion: str, teacher: Potential, *, folder: Path, rounds: int, seed: int,
    on_stage: Callable[[str], None] = lambda stage: None, recipe: Recipe = RECIPE, n_runs: int = N_RUNS,
    start: Path | None = None,
) -> Refinement:  # fmt: skip
    """Return a student fine-tuned for a crystal in `rounds` rounds of dynamics, labels and training.

    `start` is the folder of the student to begin with (the shipped one). What is done already in `folder` is kept, so
    that a stopped refinement goes on. Raises `TrainingError` where training fails.
    """
    students: list[Path | None] = [start]
    errors: list[float] = []
    learnt: list[Any] = []
    for number in range(rounds + 1):
        on_stage(f"refining: dynamics and labels, round {number}")
        driver = _load(students[-1], teacher.device)
        frames = _frames(crystal, working_ion, driver, teacher, folder / f"round-{number}", seed, n_runs)
        errors.append(force_error(driver, frames))
        if number < rounds:
            learnt += frames
            on_stage(f"refining: training, round {number + 1}")
            students.append(_train(learnt, students[-1], folder, number + 1, replace(recipe, seed=seed)))
    last = students[-1] or folder
    refinement = Refinement(folder=last, force_mae_ev_per_a=tuple(errors), n_frames=len(learnt))
    write_json(folder / "refinement.json", refinement.to_dict())
    return refinement


def force_error(potential: Potential, frames: list[Any]) -> float:
    """Return the mean absolute difference of force components from the labels, eV/angstrom."""
    errors = [
        np.abs(potential.evaluate(atoms).forces_ev_per_a - atoms.get_forces()).ravel() for atoms in frames
    ]
    return float(np.concatenate(errors).mean())


def _load(folder: Path | None, device: str) -> NequipMg:
    return NequipMg(read_card(folder), device=device, dtype="float32", folder=folder)


def _frames(
    crystal: Crystal, working_ion: str, driver: Potential, teacher: Potential, folder: Path, seed: int, n_runs: int
) -> list[Any]:  # fmt: skip
    def make(one: Crystal, rng: Generator) -> Iterator[Frame]:
        yield from student_frames(one, working_ion, driver, teacher, rng, n_runs=n_runs)
        yield from hop_frames(one, working_ion, driver, teacher, rng, n_hops=2 * n_runs)

    label_crystals([crystal], make, folder=folder, seed=seed)
    return read_frames(folder, [crystal.id])


def _train(frames: list[Any], parent: Path | None, folder: Path, number: int, recipe: Recipe) -> Path:
    target, student = folder / f"train-{number}", folder / f"student-{number}"
    if (student / f"{NAME}.json").exists():
        return student
    parent = parent or shipped_folder()
    shape = read_shape(parent)
    model = shape.trained_config(parent / f"{NAME}.safetensors")
    prepare(target, split_frames(frames, seed=recipe.seed), shape, recipe, model)
    run_training(target)
    write_student(target, student, card={"title": "nequip-mg fine-tuned for one material"})
    return student
