"""Training the student with `nequip-train`: frames to files, configuration, one resumable process."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase import Atoms
from ase.io import iread, write

from core.artifacts import replacing, write_json
from core.errors import TrainingError
from core.potentials.nequip_mg.network import StudentShape, fitted_shifts_ev

LOG: Final = "train.log"
_PARTS: Final = ("train", "validation", "test")
_METRICS: Final = "nequip.train.MetricsManager"
_HUBER: Final = "nequip.train.HuberLoss"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How the student is made; `processes` share each step's batch of `processes * batch_size` frames.

    `compiled` halves the time of a long training, for some minutes of compiling at its start.
    """

    num_layers: int = 4
    l_max: int = 1
    num_features: tuple[int, ...] = (64, 32)
    type_features: int = 16
    radial_width: int = 32
    cutoff_a: float = 4.5
    learning_rate: float = 1e-2
    batch_size: int = 4
    epochs: int = 50
    ema_decay: float = 0.998
    energy_weight: float = 20.0
    seed: int = 0
    processes: int = 2
    compiled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Labelled frames to learn from, to watch, and to test on."""

    train: Sequence[Atoms]
    validation: Sequence[Atoms]
    test: Sequence[Atoms]

    def __add__(self, other: "Split") -> "Split":
        """Join part by part: what was held out stays so."""
        return Split(
            train=[*self.train, *other.train],
            validation=[*self.validation, *other.validation],
            test=[*self.test, *other.test],
        )


def split_frames(frames: Sequence[Atoms], *, seed: int, held_out: float = 0.05) -> Split:
    """Divide frames at random: `held_out` of them to watch and as many to test on, two each at least."""
    order = np.random.default_rng(seed).permutation(len(frames))
    n = max(2, round(held_out * len(frames)))
    parts = [[frames[int(index)] for index in rows] for rows in (order[2 * n :], order[:n], order[n : 2 * n])]
    if not parts[0]:
        raise TrainingError(f"{len(frames)} frames are too few to divide; {2 * n + 1} are the least.")
    return Split(train=parts[0], validation=parts[1], test=parts[2])


def read_split(folder: Path) -> Split:
    """Return the frames that `prepare` wrote."""
    train, validation, test = (list(iread(folder / f"{name}.extxyz")) for name in _PARTS)
    return Split(train=train, validation=validation, test=test)


def shape_for(frames: Sequence[Atoms], recipe: Recipe, *, avg_num_neighbors: float) -> StudentShape:
    """Return the network's shape with energy shifts and scale from the frames to learn from."""
    counts: list[Counter[str]] = [Counter(atoms.get_chemical_symbols()) for atoms in frames]
    elements = sorted(set().union(*counts))
    energies_ev = [atoms.get_potential_energy() for atoms in frames]
    forces = np.concatenate([atoms.get_forces().ravel() for atoms in frames])
    return StudentShape(
        elements=tuple(elements), cutoff_a=recipe.cutoff_a, num_layers=recipe.num_layers, l_max=recipe.l_max,
        num_features=recipe.num_features, type_features=recipe.type_features, radial_width=recipe.radial_width,
        avg_num_neighbors=avg_num_neighbors,
        energy_scale_ev=float(np.sqrt(np.mean(forces**2))),
        energy_shifts_ev=tuple(fitted_shifts_ev(counts, energies_ev, elements)),
    )  # fmt: skip


def prepare(folder: Path, split: Split, shape: StudentShape, recipe: Recipe, model: dict[str, Any]) -> Path:
    """Write frames and configuration for `nequip-train` into `folder` and return the configuration's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _PARTS:
        with replacing(folder / f"{name}.extxyz") as partial:
            write(partial, getattr(split, name), format="extxyz")
    write_json(folder / "shape.json", shape.to_dict())
    path = folder / "config.yaml"
    # JSON is YAML, and needs no further package.
    write_json(path, _config(folder.resolve(), shape, recipe, model))
    return path


def run_training(folder: Path) -> None:
    """Run `nequip-train` on a prepared folder, from its last checkpoint if it has one; blocks until it ends.

    Raises `TrainingError` with the end of the log if it fails.
    """
    folder = folder.resolve()
    last = folder / "last.ckpt"
    command = [
        sys.executable, "-m", "nequip.scripts.train", "-cp", str(folder), "-cn", "config.yaml",
        f"hydra.run.dir={folder / 'hydra'}",
    ]  # fmt: skip
    if last.exists():
        command.append(f"++ckpt_path='{last}'")
    environment = {
        **os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
        "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",  # nequip-train would unpickle the checkpoint that it goes on from
    }  # fmt: skip
    with (folder / LOG).open("ab") as log:
        status = subprocess.run(command, stdout=log, stderr=log, env=environment, check=False).returncode
    if status != 0:
        tail = (folder / LOG).read_text(encoding="utf-8", errors="replace")[-1500:]
        raise TrainingError(
            f"nequip-train ended with status {status}; the end of {folder / LOG} says: {tail}"
        )


def _config(folder: Path, shape: StudentShape, recipe: Recipe, model: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": ["train"],
        "data": _data(folder, shape, recipe),
        "trainer": _trainer(folder, recipe),
        "training_module": {
            "_target_": "nequip.train.EMALightningModule",
            "ema_decay": recipe.ema_decay,
            "loss": _loss(recipe),
            "val_metrics": _errors(),
            "optimizer": {"_target_": "torch.optim.Adam", "lr": recipe.learning_rate},
            "lr_scheduler": {
                "scheduler": {
                    "_target_": "torch.optim.lr_scheduler.CosineAnnealingLR",
                    "T_max": recipe.epochs,
                    "eta_min": 1e-2 * recipe.learning_rate,
                },
                "interval": "epoch",
                "frequency": 1,
            },
            "model": {**model, "compile_mode": "compile" if recipe.compiled else "eager"},
        },
        "global_options": {"allow_tf32": False},
    }


def _data(folder: Path, shape: StudentShape, recipe: Recipe) -> dict[str, Any]:
    names = list(shape.elements)
    loader = {"_target_": "torch.utils.data.DataLoader", "num_workers": 0}
    return {
        "_target_": "nequip.data.datamodule.ASEDataModule",
        "seed": recipe.seed,
        "train_file_path": str(folder / "train.extxyz"),
        "val_file_path": str(folder / "validation.extxyz"),
        "test_file_path": str(folder / "test.extxyz"),
        "transforms": [
            {
                "_target_": "nequip.data.transforms.ChemicalSpeciesToAtomTypeMapper",
                "model_type_names": names,
            },
            {"_target_": "nequip.data.transforms.NeighborListTransform", "r_max": shape.cutoff_a},
        ],
        "train_dataloader": {**loader, "batch_size": recipe.batch_size, "shuffle": True},
        "val_dataloader": {**loader, "batch_size": 8},
        "test_dataloader": {**loader, "batch_size": 8},
    }


def _trainer(folder: Path, recipe: Recipe) -> dict[str, Any]:
    several = recipe.processes > 1
    strategy = {"strategy": {"_target_": "nequip.train.SimpleDDPStrategy"}} if several else {}
    return {
        "_target_": "lightning.Trainer",
        "accelerator": "cpu",
        "devices": recipe.processes,
        **strategy,
        "max_epochs": recipe.epochs,
        "log_every_n_steps": 100,
        "enable_progress_bar": False,
        "gradient_clip_val": 100.0,
        "logger": {"_target_": "lightning.pytorch.loggers.CSVLogger", "save_dir": str(folder), "name": "log"},
        "callbacks": [
            {
                "_target_": "lightning.pytorch.callbacks.ModelCheckpoint",
                "monitor": "val0_epoch/weighted_sum",
                "dirpath": str(folder),
                "filename": "best",
                "save_last": True,
                "enable_version_counter": False,
            }
        ],
    }


def _loss(recipe: Recipe) -> dict[str, Any]:
    """Huber losses turn absolute soon, since the errors that count are absolute ones; stress in eV/cubic angstrom."""
    return {"_target_": _METRICS, "metrics": [
        _metric("energy_huber", "total_energy", recipe.energy_weight, {"_target_": _HUBER, "delta": 0.02}),
        _metric("forces_huber", "forces", 5.0, {"_target_": _HUBER, "delta": 0.1}),
        _metric("stress_huber", "stress", 500.0, {"_target_": _HUBER, "delta": 0.005}),
    ]}  # fmt: skip


def _errors() -> dict[str, Any]:
    mean = {"_target_": "nequip.train.MeanAbsoluteError"}
    return {"_target_": _METRICS, "metrics": [
        _metric("per_atom_energy_mae", "total_energy", 1.0, mean),
        _metric("forces_mae", "forces", 1.0, mean),
        _metric("stress_mae", "stress", None, mean),
    ]}  # fmt: skip


def _metric(name: str, field: str, weight: float | None, metric: dict[str, Any]) -> dict[str, Any]:
    per_atom = {"_target_": "nequip.data.PerAtomModifier", "field": field}
    return {
        "name": name,
        "field": per_atom if field == "total_energy" else field,
        "coeff": weight,
        "metric": metric,
    }
