"""Makes a nequip package (`NAME.nequip.zip`) of the weights of a NequIP potential: as nequip's own tools take it.

`nequip-package` wants a checkpoint of its trainer, so one is made without training. What nequip lacks is taken into the
package by the entry point `ENTRY_POINT`: whoever loads it needs nequip, and neither this project nor `sevenn`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import torch
from ase.build import bulk
from ase.io import write
from nequip.nn import GraphModel
from torch import Tensor

import core
from core.artifacts import replacing
from core.errors import ModelError, PotentialError
from core.potentials.files import fill, read_card_file, read_weights, shipped_folder
from core.potentials.nequip_mg import network as student
from core.potentials.nequip_mp import modules
from core.potentials.nequip_mp import potential as teacher
from core.potentials.torch_state import nequip_state
from core.settings import ROOT

ENTRY_POINT: Final = ("nequip.extension", "nequip_mp", modules.__name__)
"""Group, name and value, as in pyproject.toml: `nequip-package` takes the source of this module into the package."""

SUFFIX: Final = ".nequip.zip"

_TRAINER: Final = "nequip.train.NequIPLightningModule"
_EXAMPLE: Final = "example.extxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How a potential's network is built from its card, what training made of it, and where its licence lies."""

    model: Callable[[dict[str, Any]], dict[str, Any]]
    weights_of: Callable[[GraphModel], dict[str, Tensor]]
    licence: Callable[[Path], Path]


def _teacher(card: dict[str, Any]) -> dict[str, Any]:
    return {
        "_target_": "core.potentials.nequip_mp.architecture.sevennet_like",
        "seed": 0,
        "model_dtype": "float32",
        "type_names": card["shape"]["elements"],
        "r_max": card["cutoff_a"],
        "shape": card["shape"],
    }


def _student(card: dict[str, Any]) -> dict[str, Any]:
    return student.StudentShape.from_dict(card["shape"]).model_config(seed=0)


KINDS: Final = {
    "nequip-mp": _Kind(
        model=_teacher, weights_of=teacher.weights_of, licence=lambda folder: folder / "nequip-mp.LICENSE.txt"
    ),
    "nequip-mg": _Kind(
        model=_student, weights_of=student.weights_of, licence=lambda folder: ROOT / "LICENSE"
    ),
}


def package(name: str, target: Path, *, folder: Path | None = None) -> Path:
    """Write the package of a potential, its weights taken from `folder` (those shipped), and return `target`.

    Takes some twenty seconds. Two builds hold the same tensors and sources, but not the same bytes: e3nn stores its
    generated code with addresses.

    Raises `PotentialError` for a potential that is none of NequIP's or a `target` without the ending that nequip asks
    for, and `ModelError` for missing or damaged weights or licence, and if `nequip-package` fails.
    """
    if name not in KINDS:
        raise PotentialError(f"{name!r} is no NequIP potential; packages are made of {', '.join(KINDS)}.")
    if not target.name.endswith(SUFFIX):
        raise PotentialError(f"nequip opens packages by the ending {SUFFIX!r}; {target.name!r} lacks it.")
    with TemporaryDirectory() as scratch:
        checkpoint = Path(scratch) / f"{name}.ckpt"
        write_checkpoint(checkpoint, name, folder or shipped_folder())
        made = package_checkpoint(checkpoint, Path(scratch) / f"{name}{SUFFIX}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as partial:
            shutil.copyfile(made, partial)
    return target


def write_checkpoint(path: Path, name: str, folder: Path) -> None:
    """Write the weights of `folder`, in single precision, as a checkpoint of nequip's trainer, its example beside it.

    The licence goes with it, and so into the package. Paths in it are relative: they stay in the package.
    """
    kind = KINDS[name]
    card, content = read_card_file(folder, name)
    model = kind.model(content)
    info = {
        "training_module": {"_target_": _TRAINER, "model": model},
        "licence": _licence(kind.licence(folder)),
    }
    _write_example(path.with_name(_EXAMPLE))
    with nequip_state():
        from nequip.train import NequIPLightningModule
        from nequip.utils import get_current_code_versions

        info |= {"versions": get_current_code_versions(verbose=False), "data": _data(model)}
        trainer = NequIPLightningModule(
            model=model, num_datasets={"train": 1, "val": 0, "test": 0}, info_dict=info
        )
        weights = kind.weights_of(trainer.model["sole_model"])
        fill(weights, read_weights(folder, name, card.sha256), name=name)
    torch.save(
        {
            "state_dict": trainer.state_dict(),
            "hyper_parameters": dict(trainer.hparams),
            "pytorch-lightning_version": metadata.version("lightning"),
        },
        path,
    )


def package_checkpoint(checkpoint: Path, target: Path) -> Path:
    """Run `nequip-package` in the checkpoint's folder and return `target`. Raises `ModelError` with what it says."""
    search = (str(checkpoint.parent), str(Path(core.__file__).parent.parent), os.environ.get("PYTHONPATH"))
    _announce(checkpoint.parent)
    done = subprocess.run(
        [sys.executable, "-m", "nequip.scripts.package", "build", checkpoint.name, str(target.resolve())],
        cwd=checkpoint.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, search))},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        target.unlink(missing_ok=True)  # a failed build leaves a broken archive
        raise ModelError(f"nequip-package ended with status {done.returncode}: {done.stderr[-600:]}")
    return target


def _announce(folder: Path) -> None:
    """Write what an installation of this project would leave for nequip to find, so that none is needed."""
    group, name, value = ENTRY_POINT
    installed = folder / f"{name}-{core.__version__}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {core.__version__}\n", encoding="utf-8"
    )
    (installed / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n", encoding="utf-8")


def _write_example(path: Path) -> None:
    """What nequip's compiler traces the network with."""
    atoms = bulk("MgO", "rocksalt", a=4.21, cubic=True)
    atoms.rattle(0.05, seed=0)
    write(path, atoms, format="extxyz")


def _data(model: dict[str, Any]) -> dict[str, Any]:
    transforms = "nequip.data.transforms"
    return {
        "_target_": "nequip.data.datamodule.ASEDataModule",
        "seed": 0,
        "train_file_path": _EXAMPLE,
        "val_file_path": _EXAMPLE,
        "transforms": [
            {
                "_target_": f"{transforms}.ChemicalSpeciesToAtomTypeMapper",
                "model_type_names": model["type_names"],
            },
            {"_target_": f"{transforms}.NeighborListTransform", "r_max": model["r_max"]},
        ],
    }


def _licence(path: Path) -> str:
    if not path.is_file():
        raise ModelError(
            f"The licence {path.name} is missing, without which the weights may not be passed on."
        )
    return path.read_text(encoding="utf-8")
