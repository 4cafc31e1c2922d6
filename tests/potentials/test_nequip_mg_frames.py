"""Frames for the student: cells, rattling, dynamics and labels, with the real teacher on a small crystal."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.geometry import find_mic

from core.errors import ModelError, TrainingError
from core.potentials import Potential, load_potential
from core.potentials.nequip_mg import frames as making
from core.potentials.nequip_mg.build import Plan, crystals_of
from core.potentials.nequip_mg.dataset import frames_path, label_crystals, read_frames, select, with_more
from core.potentials.nequip_mg.evaluate import evaluate, read_test_frames, write_test_frames
from core.records import Crystal

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def teacher() -> Potential:
    return load_potential("nequip-mp", device="cpu", dtype="float32")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """The same bits every time: with several threads the order of torch's sums is left to chance."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def crystal(id: str, formula: str, species: tuple[str, ...]) -> Crystal:
    n = len(species)
    places = np.array([[i / n, (2 * i % n) / n, (3 * i % n) / n] for i in range(n)])
    return Crystal(
        id=id,
        formula=formula,
        lattice_a=np.eye(3) * 2.2 * n,
        species=species,
        frac=places,
        source="made by hand",
    )


@pytest.fixture(scope="module")
def periclase() -> Crystal:
    atoms = bulk("MgO", "rocksalt", a=4.21)
    return Crystal(
        id="mgo", formula="MgO", lattice_a=atoms.cell.array, species=("Mg", "O"),
        frac=atoms.get_scaled_positions(), source="made by hand",
    )  # fmt: skip


def test_a_starting_cell_has_vacancies_strain_and_about_the_size_asked_for(periclase: Crystal) -> None:
    sizes, shares = [], []
    for seed in range(30):
        atoms = making.starting_cell(periclase, "Mg", np.random.default_rng(seed))
        n_oxygen = int((atoms.symbols == "O").sum())
        sizes.append(2 * n_oxygen)
        shares.append(1 - (atoms.symbols == "Mg").sum() / n_oxygen)
        assert 0.9 < atoms.get_volume() / (n_oxygen * 18.65) < 1.3
    assert all(12 <= size <= 56 for size in sizes)
    assert len(set(sizes)) > 1
    assert {0.0, 0.2} <= {round(share, 1) for share in shares}
    assert max(shares) > 0.7


def test_rattling_moves_every_atom_a_little_and_now_and_then_one_ion_far() -> None:
    start = bulk("MgO", "rocksalt", a=4.21) * (3, 3, 3)
    hops = 0
    for seed in range(20):
        moved = making.rattled(start, "Mg", np.random.default_rng(seed))
        lengths_a = np.linalg.norm(moved.positions - start.positions, axis=1)
        assert (lengths_a > 0).all()
        assert lengths_a[start.symbols == "O"].max() < 0.8
        hops += lengths_a.max() > 0.8
    assert 1 <= hops <= 12


def test_a_hop_holds_one_ion_between_two_sites_while_the_others_move(
    periclase: Crystal, teacher: Potential
) -> None:
    start = bulk("MgO", "rocksalt", a=4.21) * (3, 3, 3)
    for seed in range(10):
        moved = making.hopping(start, "Mg", np.random.default_rng(seed))
        assert moved is not None and len(moved) == len(start) - 1
        (held,) = moved.constraints[0].index
        assert moved.symbols[held] == "Mg"
        to_sites_a = np.sort(
            [
                np.linalg.norm(find_mic(moved.positions[held] - site, moved.cell)[0])
                for site in start.positions[::2]
            ]
        )
        assert to_sites_a[0] + to_sites_a[1] == pytest.approx(4.21 / np.sqrt(2))  # on the way to a neighbour
    assert making.hopping(bulk("MgO", "rocksalt", a=4.21), "Mg", np.random.default_rng(0)) is None

    found = list(making.hop_frames(periclase, "Mg", teacher, teacher, np.random.default_rng(2), n_hops=2))
    assert 2 <= len(found) <= 4 and {frame.kind for frame in found} == {"hop"}
    assert all(not frame.atoms.constraints for frame in found)


def test_broken_frames_get_no_label(teacher: Potential) -> None:
    good = bulk("MgO", "rocksalt", a=4.21) * (2, 1, 1)
    assert making.label(good, teacher, crystal_id="x", kind="static") is not None
    touching = good.copy()
    touching.positions[0] = touching.positions[1] + [0.5, 0.0, 0.0]
    assert not making.is_sound(touching)
    assert making.label(touching, teacher, crystal_id="x", kind="static") is None
    squeezed = bulk("MgO", "rocksalt", a=2.9) * (2, 1, 1)
    squeezed.rattle(0.12, seed=0)
    found = making.label(squeezed, teacher, crystal_id="x", kind="static")
    assert found is None or np.abs(found.forces_ev_per_a).max() < making.MAX_FORCE_EV_PER_A


@pytest.mark.usefixtures("one_thread")
def test_labels_on_disk_are_the_teachers_and_are_made_once(
    periclase: Crystal, teacher: Potential, tmp_path: Path
) -> None:
    folder = tmp_path / "round-0"
    calls: list[str] = []

    def make(one: Crystal, rng: np.random.Generator):
        calls.append(one.id)
        yield from making.teacher_frames(one, "Mg", teacher, rng, n_static=2, n_hot=1)

    told: list[tuple[int, int]] = []
    label_crystals([periclase], make, folder=folder, seed=3, on_crystal=lambda *counts: told.append(counts))
    first = frames_path(folder, "mgo").read_bytes()
    label_crystals([periclase], make, folder=folder, seed=3)
    assert calls == ["mgo"] and told == [(1, 1)]
    frames = read_frames(folder, ["mgo", "absent"])
    assert {atoms.info["kind"] for atoms in frames} <= {"static", "teacher"} and len(frames) >= 2
    found = teacher.evaluate(frames[0])
    assert np.abs(found.forces_ev_per_a - frames[0].get_forces()).max() < 1e-4
    assert found.energy_ev == pytest.approx(frames[0].get_potential_energy(), abs=1e-4)

    frames_path(folder, "mgo").unlink()
    label_crystals([periclase], make, folder=folder, seed=3)
    assert frames_path(folder, "mgo").read_bytes() == first  # the seed decides


def no_frames(one: Crystal, rng: np.random.Generator) -> Iterator[making.Frame]:
    return iter(())


def test_a_crystal_is_never_labelled_twice_at_once(periclase: Crystal, tmp_path: Path) -> None:
    """Another labeller that comes by while the first one works leaves the crystal alone, from its first moment on."""
    folder = tmp_path / "round-0"
    labellers: list[str] = []

    def second(one: Crystal, rng: np.random.Generator) -> Iterator[making.Frame]:
        labellers.append("second")
        return iter(())

    def first(one: Crystal, rng: np.random.Generator) -> Iterator[making.Frame]:
        labellers.append("first")
        # The worst moment: a claim has been made, but does not say yet whose it is.
        for claim in folder.glob("*.claim"):
            claim.write_text("")
        label_crystals([periclase], second, folder=folder, seed=0)
        assert not frames_path(folder, "mgo").exists()
        return iter(())

    label_crystals([periclase], first, folder=folder, seed=0)
    assert labellers == ["first"]
    assert frames_path(folder, "mgo").exists() and read_frames(folder, ["mgo"]) == []


LABELLER_THAT_DIES = """
import os, sys
from pathlib import Path
import numpy as np
from core.potentials.nequip_mg.dataset import label_crystals
from core.records import Crystal

one = Crystal(
    id="mgo", formula="MgO", lattice_a=4.2 * np.eye(3), species=("Mg", "O"),
    frac=np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]), source="made by hand",
)
label_crystals([one], lambda one, rng: os._exit(9), folder=Path(sys.argv[1]), seed=0)
"""


def test_the_crystal_of_a_labeller_that_died_is_taken_up(periclase: Crystal, tmp_path: Path) -> None:
    folder = tmp_path / "round-0"
    done = subprocess.run([sys.executable, "-c", LABELLER_THAT_DIES, str(folder)], cwd=ROOT, check=False)
    assert done.returncode == 9 and not frames_path(folder, "mgo").exists()
    label_crystals([periclase], no_frames, folder=folder, seed=0)
    assert frames_path(folder, "mgo").exists()


def test_selection_keeps_unseen_compositions_apart_and_covers_elements() -> None:
    metals = ("Mn", "Fe", "Co", "Ni")
    ranked = [
        crystal(f"{metal}-{k}", f"Mg{k}{metal}O{k + 1}", ("Mg",) * k + (metal,) + ("O",) * (k + 1))
        for k in range(1, 26)
        for metal in metals
    ]
    rare = crystal("rare", "MgTlO2", ("Mg", "Tl", "O", "O"))
    chosen = select([*ranked, rare], n_train=80, seed=0)
    assert chosen == select([*ranked, rare], n_train=80, seed=0)
    formulas = {one.formula for one in chosen.train}
    assert not formulas & {one.formula for one in chosen.unseen}
    assert "rare" in {one.id for one in chosen.train}
    assert chosen.train[0].id == "Mn-1" and len(chosen.train) >= 60
    assert 1 <= len(chosen.unseen) <= 20
    foreign = crystal("foreign", "MgU2O4", ("Mg", "U", "U", "O", "O", "O", "O"))
    wider = with_more(chosen, [*ranked, foreign], n=1000, seed=0)
    assert {one.id for one in wider.more} == {one.id for one in ranked} - {
        one.id for one in (*chosen.train, *chosen.unseen)
    }
    assert with_more(chosen, ranked, n=2, seed=0).more == with_more(chosen, ranked, n=2, seed=0).more
    plan = Plan(n_first=70)
    assert crystals_of(wider, 0, plan) == (*chosen.train[:64], *chosen.unseen, *chosen.train[64:70])
    assert crystals_of(wider, 2, plan) == (*chosen.train[:64], *wider.more)
    with pytest.raises(TrainingError, match="shortlist is empty"):
        select([], n_train=5, seed=0)


def test_errors_are_zero_for_the_teacher_itself_and_frames_survive_the_disk(
    teacher: Potential, tmp_path: Path
) -> None:
    frames = []
    for seed in range(3):
        atoms = bulk("MgO", "rocksalt", a=4.21) * (2, 1, 1)
        atoms.rattle(0.08, seed=seed)
        label = making.label(atoms, teacher, crystal_id=f"c{seed}", kind="static")
        assert label is not None
        stored = _with_labels(label)
        frames.append(stored)
    path = tmp_path / "test.npz"
    write_test_frames(path, {"seen": frames[:2], "unseen": frames[2:]})
    lines = evaluate(teacher, read_test_frames(path))
    assert [(line.group, line.kind, line.n_frames) for line in lines if line.kind == "all"] == [
        ("seen", "all", 2), ("unseen", "all", 1),
    ]  # fmt: skip
    assert all(line.force_mae_ev_per_a < 1e-3 < line.zero_force_ev_per_a for line in lines)
    path.write_bytes(b"not an archive")
    with pytest.raises(ModelError, match="cannot be read"):
        read_test_frames(path)


def _with_labels(frame: making.Frame) -> Atoms:
    from ase.calculators.singlepoint import SinglePointCalculator

    atoms = frame.atoms
    atoms.info.update(crystal_id=frame.crystal_id, kind=frame.kind)
    atoms.calc = SinglePointCalculator(atoms, energy=frame.energy_ev, forces=frame.forces_ev_per_a)
    return atoms
