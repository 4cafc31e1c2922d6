"""The student's network, its training by nequip-train, and fine-tuning, on a handful of frames."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from core.errors import ModelError, PotentialError, TrainingError
from core.potentials import load_potential
from core.potentials.files import fill, read_weights
from core.potentials.nequip_mg.build import mean_neighbours, trained_weights, write_student
from core.potentials.nequip_mg.network import (
    StudentShape,
    build_student,
    fitted_shifts_ev,
    trained_student,
    weights_of,
)
from core.potentials.nequip_mg.potential import NequipMg, read_card
from core.potentials.nequip_mg.training import (
    Recipe,
    prepare,
    read_split,
    run_training,
    shape_for,
    split_frames,
)
from core.potentials.torch_state import nequip_state

TINY = Recipe(
    num_layers=1, l_max=1, num_features=(4, 4), radial_width=8, epochs=1, batch_size=4, processes=1, compiled=False
)  # fmt: skip


def labelled(n_frames: int) -> list[Atoms]:
    """Rattled MgO with made-up but smooth labels: what is tested here is the machinery, not the physics."""
    frames = []
    for seed in range(n_frames):
        atoms = bulk("MgO", "rocksalt", a=4.21)
        atoms.rattle(0.1, seed=seed)
        forces = np.random.default_rng(seed).normal(size=(2, 3))
        atoms.calc = SinglePointCalculator(
            atoms, energy=-12.0 + 0.1 * seed, forces=forces - forces.mean(axis=0), stress=np.zeros(6)
        )
        atoms.info.update(crystal_id="mgo", kind="static")
        frames.append(atoms)
    return frames


def test_element_energies_solve_compositions() -> None:
    counts = [{"Mg": 1, "O": 1}, {"Mg": 2, "O": 1}, {"Mg": 1, "O": 3}] * 50
    energies = [-3.0 * count["Mg"] - 5.0 * count["O"] for count in counts]
    assert fitted_shifts_ev(counts, energies, ["Mg", "O"]) == pytest.approx([-3.0, -5.0], abs=0.01)


def test_frames_are_divided_once_each_and_too_few_are_refused() -> None:
    frames = labelled(20)
    split = split_frames(frames, seed=1)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [16, 2, 2]
    assert {id(atoms) for part in (split.train, split.validation, split.test) for atoms in part} == {
        id(atoms) for atoms in frames
    }
    with pytest.raises(TrainingError, match="4 frames are too few"):
        split_frames(frames[:4], seed=0)


def test_what_was_held_out_stays_so_when_frames_are_added(tmp_path: Path) -> None:
    old, new = split_frames(labelled(10), seed=0), split_frames(labelled(20)[10:], seed=0)
    shape = shape_for(old.train, TINY, avg_num_neighbors=10.0)
    prepare(tmp_path, old, shape, TINY, shape.new_config(0))
    both = read_split(tmp_path) + new
    energies = [[atoms.get_potential_energy() for atoms in part] for part in (both.train, both.test)]
    assert energies[0] == pytest.approx([atoms.get_potential_energy() for atoms in [*old.train, *new.train]])
    assert energies[1] == pytest.approx([atoms.get_potential_energy() for atoms in [*old.test, *new.test]])


def test_weights_that_do_not_fit_are_refused() -> None:
    shape = shape_for(labelled(4), TINY, avg_num_neighbors=10.0)
    network = build_student(shape)
    weights = weights_of(network)
    missing = dict(list(weights.items())[1:])
    with pytest.raises(ModelError, match="do not fit"):
        fill(weights, missing, name="nequip-mg")


def test_a_shape_of_another_version_is_refused_by_name() -> None:
    fields = shape_for(labelled(4), TINY, avg_num_neighbors=10.0).to_dict()
    assert StudentShape.from_dict(fields).to_dict() == fields
    del fields["type_features"]
    with pytest.raises(ModelError, match=r"another version.*type_features"):
        StudentShape.from_dict(fields)


def test_training_ends_in_a_potential_and_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    split = split_frames(labelled(16), seed=0)
    neighbours = mean_neighbours(split.train, TINY.cutoff_a)
    assert 10 < neighbours < 60
    shape = shape_for(split.train, TINY, avg_num_neighbors=neighbours)
    prepare(tmp_path / "train", split, shape, TINY, shape.new_config(0))
    run_training(tmp_path / "train")
    write_student(tmp_path / "train", tmp_path / "student", card={"errors": {"force": 1.0}})
    stored = read_weights(tmp_path / "student", "nequip-mg", read_card(tmp_path / "student").sha256)
    averaged = averaged_by_nequip(tmp_path / "train" / "last.ckpt")
    assert averaged.keys() == stored.keys()
    assert all(torch.equal(averaged[name], value) for name, value in stored.items())
    card = read_card(tmp_path / "student")
    assert card.elements == ("Mg", "O") and card.errors == {"force": 1.0}
    student = NequipMg(card, device="cpu", dtype="float64", folder=tmp_path / "student")
    found = student.evaluate(split.test[0])
    assert np.isfinite(found.forces_ev_per_a).all() and np.abs(found.forces_ev_per_a.sum(axis=0)).max() < 1e-9

    # Asked for one epoch more, the training goes on from its checkpoint, which it does not unpickle.
    config = json.loads((tmp_path / "train" / "config.yaml").read_text())
    config["trainer"]["max_epochs"] = 2
    (tmp_path / "train" / "config.yaml").write_text(json.dumps(config))
    run_training(tmp_path / "train")
    goes_on = torch.load(tmp_path / "train" / "last.ckpt", weights_only=True)
    assert goes_on["epoch"] == 1

    # The model that fine-tuning starts from is the same one.
    again = trained_student(shape.to_dict(), str(tmp_path / "student" / "nequip-mg.safetensors"))
    stored = weights_of(student._network)
    assert all(torch.equal(stored[name].float(), value) for name, value in weights_of(again).items())
    model = shape.trained_config(tmp_path / "student" / "nequip-mg.safetensors")
    prepare(tmp_path / "tuned", split, shape, TINY, model)
    run_training(tmp_path / "tuned")
    assert (tmp_path / "tuned" / "last.ckpt").exists()


class Payload:
    """What a hostile checkpoint would do when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.trace,)


def test_a_checkpoint_with_a_payload_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    """Neither where weights are taken from it nor where nequip-train goes on from it."""
    split = split_frames(labelled(16), seed=0)
    shape = shape_for(split.train, TINY, avg_num_neighbors=30.0)
    prepare(tmp_path, split, shape, TINY, shape.new_config(0))
    torch.save({"state_dict": {}, "callbacks": Payload(tmp_path / "ran")}, tmp_path / "last.ckpt")
    with pytest.raises(ModelError, match="Nothing in it was run"):
        trained_weights(tmp_path)
    with pytest.raises(TrainingError, match="nequip-train ended with status"):
        run_training(tmp_path)
    assert not (tmp_path / "ran").exists()
    torch.load(tmp_path / "last.ckpt", weights_only=False)
    assert (tmp_path / "ran").exists(), "the payload is a real one"


def averaged_by_nequip(checkpoint: Path) -> dict[str, torch.Tensor]:
    """The weights as nequip itself reads its checkpoint, by unpickling it."""
    from nequip.model.saved_models.checkpoint import ModelFromCheckpoint

    with nequip_state():
        network = ModelFromCheckpoint(str(checkpoint))
    return {key.removeprefix("sole_model."): value.detach() for key, value in network.named_parameters()}


def test_a_training_that_cannot_run_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "config.yaml").write_text(json.dumps({"run": ["train"]}))
    with pytest.raises(TrainingError, match=r"(?s)nequip-train ended with status 1.*data"):
        run_training(folder)


def test_double_precision_is_not_compiled() -> None:
    student = load_potential("nequip-mg", device="cpu", dtype="float64")
    assert isinstance(student, NequipMg)
    with pytest.raises(PotentialError, match="compiled in float32 alone"):
        student.compile()
