"""Makes `nequip-mg` from nothing but a shortlist of crystals and the teacher: label, train, let it run, label, train.

Each stage leaves files in one folder and is passed over where they are there, so that a stopped run goes on. Round 0
labels static frames and a little of the teacher's own dynamics; later rounds label where the student's dynamics go.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from ase import Atoms
from ase.io import read
from torch import Tensor
from vesin import NeighborList

from core.errors import ModelError
from core.potentials.base import Potential
from core.potentials.files import fill, write_potential
from core.potentials.nequip_mg.dataset import Selection, label_crystals, read_frames
from core.potentials.nequip_mg.evaluate import evaluate, read_test_frames, write_test_frames
from core.potentials.nequip_mg.frames import Frame, student_frames, teacher_frames
from core.potentials.nequip_mg.network import StudentShape, build_student, weights_of
from core.potentials.nequip_mg.potential import NAME, NequipMg, read_card
from core.potentials.nequip_mg.training import (
    Recipe,
    prepare,
    read_split,
    run_training,
    shape_for,
    split_frames,
)
from core.potentials.nequip_mp.potential import read_card as teacher_card
from core.progress import Progress
from core.provenance import package_versions
from core.records import Crystal

Make = Callable[[Crystal, np.random.Generator], Iterator[Frame]]

TEST_FRAMES: Final = "nequip-mg-test.npz"
"""Beside the weights: what the card's errors were measured on."""

N_HEAD: Final = 64
"""So many of the first crystals of the selection are sampled three times as often: those that will be run."""

N_OF_SELECTION: Final = 2
"""So many rounds label the selection itself; later ones label crystals that are new (`Selection.more`)."""

SAMPLER: Final = Recipe(num_layers=2, ema_decay=0.995, epochs=14, compiled=False)
"""The first student only shows where dynamics goes: small and soon trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The build: how many crystals are labelled in round 0, and the recipe of each round's training.

    Every round trains a new network on all frames so far.
    """

    n_first: int = 240
    recipes: tuple[Recipe, ...] = (SAMPLER, replace(SAMPLER, epochs=20), Recipe())
    seed: int = 0


def distil(
    selection: Selection,
    teacher: Potential,
    *,
    working_ion: str,
    folder: Path,
    plan: Plan,
    progress: Progress,
) -> Path:
    """Run all rounds and return the folder of the last student, as `write_student` left it."""
    for number, recipe in enumerate(plan.recipes):
        label_round(
            selection,
            teacher,
            working_ion=working_ion,
            folder=folder,
            number=number,
            plan=plan,
            progress=progress,
        )
        progress(f"training {number}", 0, recipe.epochs)
        train_round(selection, folder, number=number, recipe=replace(recipe, seed=plan.seed))
        write_student(folder / f"train-{number}", folder / f"student-{number}", card={})
    return folder / f"student-{len(plan.recipes) - 1}"


def publish(selection: Selection, folder: Path, target: Path, *, plan: Plan) -> None:
    """Write the last student with its errors in the card, and the frames that they were measured on.

    Seen: the last training's own test frames. Unseen: all labelled frames of the compositions that were left out.
    """
    last = len(plan.recipes) - 1
    student = folder / f"student-{last}"
    ids = [crystal.id for crystal in selection.unseen]
    unseen = [atoms for k in range(last + 1) for atoms in read_frames(folder / f"round-{k}", ids)]
    seen: Any = read(folder / f"train-{last}" / "test.extxyz", ":")
    groups = {"seen": seen, "unseen": unseen}
    target.mkdir(parents=True, exist_ok=True)
    write_test_frames(target / TEST_FRAMES, groups)
    potential = NequipMg(read_card(student), device="cpu", dtype="float32", folder=student)
    errors = {}
    for line in evaluate(potential, read_test_frames(target / TEST_FRAMES)):
        if line.kind == "all":
            errors[f"force_mae_{line.group}_ev_per_a"] = round(line.force_mae_ev_per_a, 4)
            errors[f"energy_mae_{line.group}_ev_per_atom"] = round(line.energy_mae_ev_per_atom, 4)
    card = {
        "errors": errors,
        "errors_of": "against nequip-mp on held-out frames, of compositions seen and unseen in training",
    }
    write_student(folder / f"train-{last}", target, card=card)


def label_round(
    selection: Selection, teacher: Potential, *, working_ion: str, folder: Path, number: int, plan: Plan,
    progress: Progress,
) -> None:  # fmt: skip
    """Label the frames of one round; several processes may share the work."""
    label_crystals(
        crystals_of(selection, number, plan), _maker(selection, teacher, working_ion, folder, number),
        folder=folder / f"round-{number}", seed=plan.seed,
        on_crystal=lambda done, total: progress(f"labelling {number}", done, total),
    )  # fmt: skip


def crystals_of(selection: Selection, number: int, plan: Plan) -> tuple[Crystal, ...]:
    """Return the crystals that a round labels, those that will be run first."""
    head, rest = selection.train[:N_HEAD], selection.train[N_HEAD:]
    if number >= N_OF_SELECTION:
        return (*head, *selection.more)
    return (*head, *selection.unseen, *(rest if number else rest[: plan.n_first - N_HEAD]))


def _maker(selection: Selection, teacher: Potential, working_ion: str, folder: Path, number: int) -> Make:
    if number == 0:
        return lambda crystal, rng: teacher_frames(crystal, working_ion, teacher, rng, n_static=6, n_hot=2)
    student = folder / f"student-{number - 1}"
    driver = NequipMg(read_card(student), device=teacher.device, dtype="float32", folder=student)
    driver.compile()
    head = {crystal.id for crystal in selection.train[:N_HEAD]}
    runs_of_head, runs = (6, 2) if number < N_OF_SELECTION else (3, 1)

    def make(crystal: Crystal, rng: np.random.Generator) -> Iterator[Frame]:
        n_runs = runs_of_head if crystal.id in head else runs
        return student_frames(crystal, working_ion, driver, teacher, rng, n_runs=n_runs)

    return make


def train_round(selection: Selection, folder: Path, *, number: int, recipe: Recipe) -> None:
    """Train a new network on the frames of all rounds so far; what was held out in one round stays so."""
    target = folder / f"train-{number}"
    if not (target / "config.yaml").exists():
        split = split_frames(_labelled(selection, folder, number), seed=recipe.seed)
        if number:
            split = read_split(folder / f"train-{number - 1}") + split
        avg_num_neighbors = mean_neighbours(split.train[::20], recipe.cutoff_a)
        shape = shape_for(split.train, recipe, avg_num_neighbors=avg_num_neighbors)
        prepare(target, split, shape, recipe, shape.new_config(recipe.seed))
    run_training(target)


def _labelled(selection: Selection, folder: Path, number: int) -> list[Atoms]:
    ids = [crystal.id for crystal in (*selection.train, *selection.more)]
    return read_frames(folder / f"round-{number}", ids)


def mean_neighbours(frames: Sequence[Atoms], cutoff_a: float) -> float:
    """Return the mean number of atoms within the cutoff of an atom."""
    find = NeighborList(cutoff=cutoff_a, full_list=True)
    pairs = [
        len(find.compute(points=atoms.positions, box=atoms.cell.array, periodic=True, quantities="i")[0])
        for atoms in frames
    ]
    return float(sum(pairs) / sum(len(atoms) for atoms in frames))


def trained_weights(folder: Path) -> tuple[dict[str, Tensor], StudentShape]:
    """Return the averaged weights in a training folder's last checkpoint, and the network's shape.

    The checkpoint is read without unpickling. nequip's trainer keeps the exponential moving average of the i-th
    parameter as `ema.ema_weight_i`. Raises `ModelError` for a checkpoint that holds more than numbers, is damaged, or
    is not of this shape's network.
    """
    shape = StudentShape.from_dict(json.loads((folder / "shape.json").read_text(encoding="utf-8")))
    places = weights_of(build_student(shape))
    try:
        stored = torch.load(folder / "last.ckpt", map_location="cpu", weights_only=True)["state_dict"]
    except Exception as error:  # torch has many for a file that is not what it should be
        raise ModelError(
            f"{folder / 'last.ckpt'} is no checkpoint of a training ({str(error).splitlines()[0]}). Nothing in it was "
            "run; move it away and train again."
        ) from error
    averages = [key for key in stored if key.startswith("ema.ema_weight_")]
    weights = {f"ema.ema_weight_{index}": place for index, place in enumerate(places.values())}
    fill(weights, {key: stored[key] for key in averages}, name=f"{NAME} in {folder.name}")
    return places, shape


def write_student(trained: Path, folder: Path, *, card: dict[str, Any]) -> None:
    """Write weights and card of a trained student as `nequip-mg` into `folder`."""
    weights, shape = trained_weights(trained)
    write_potential(folder, NAME, weights, {**student_card(shape), **card})


def student_card(shape: StudentShape) -> dict[str, Any]:
    """Return the card of a student of this shape, without its errors."""
    teacher = teacher_card()
    return {
        "kind": "nequip",
        "title": "NequIP for magnesium cathodes, distilled from nequip-mp",
        "elements": list(shape.elements),
        "cutoff_a": shape.cutoff_a,
        "trained_on": "frames of the magnesium shortlist, energies and forces by nequip-mp (SevenNet-0, MPtrj)",
        "energy_scale": teacher.energy_scale,
        "licence": teacher.licence,
        "source": teacher.source,
        "errors": {},
        "errors_of": "",
        "teacher": teacher.name,
        "capabilities": {"can_be_compiled": True, "can_be_refined": True},
        "shape": shape.to_dict(),
        "provenance": {
            "command": "python -m core train-potential",
            "teacher": teacher.name,
            "teacher_sha256": teacher.sha256,
            "versions": package_versions(("nequip", "e3nn", "torch", "ase")),
        },
    }
