"""The shipped student: its card, its errors on the frames that came with it."""

import numpy as np
import pytest

from core.potentials import Potential, load_potential, potential_card
from core.potentials.files import shipped_folder
from core.potentials.nequip_mg.build import TEST_FRAMES
from core.potentials.nequip_mg.evaluate import HeldOutFrames, evaluate, read_test_frames

N_FRAMES = 24


@pytest.fixture(scope="module")
def student() -> Potential:
    return load_potential("nequip-mg", device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def some_frames() -> HeldOutFrames:
    """Evenly chosen, so that both groups are there."""
    frames = read_test_frames(shipped_folder() / TEST_FRAMES)
    chosen = np.linspace(0, len(frames.atoms) - 1, N_FRAMES).astype(int)
    return HeldOutFrames(
        atoms=tuple(frames.atoms[i] for i in chosen), group=tuple(frames.group[i] for i in chosen),
        crystal_id=tuple(frames.crystal_id[i] for i in chosen), kind=tuple(frames.kind[i] for i in chosen),
    )  # fmt: skip


def test_the_card_tells_errors_licence_and_teacher() -> None:
    card = potential_card("nequip-mg")
    assert card.licence == "MIT" and "Mg" in card.elements and len(card.elements) > 60
    assert card.energy_scale == potential_card("nequip-mp").energy_scale
    assert set(card.errors) == {
        f"{what}_mae_{group}_{unit}"
        for what, unit in (("force", "ev_per_a"), ("energy", "ev_per_atom"))
        for group in ("seen", "unseen")
    }


def test_the_errors_on_some_of_its_frames_are_those_of_the_card(
    student: Potential, some_frames: HeldOutFrames
) -> None:
    found = {line.group: line for line in evaluate(student, some_frames) if line.kind == "all"}
    for group, line in found.items():
        stated = student.card.errors[f"force_mae_{group}_ev_per_a"]
        assert line.force_low_ev_per_a * 0.7 < stated < line.force_high_ev_per_a * 1.3
        assert line.force_mae_ev_per_a < 0.4 * line.zero_force_ev_per_a


def test_the_labels_are_the_teachers(some_frames: HeldOutFrames) -> None:
    teacher = load_potential("nequip-mp", device="cpu", dtype="float32")
    atoms = min(some_frames.atoms, key=len)
    found = teacher.evaluate(atoms)
    assert np.abs(found.forces_ev_per_a - atoms.get_forces()).max() < 2e-3
    assert found.energy_ev == pytest.approx(atoms.get_potential_energy(), abs=2e-3)
