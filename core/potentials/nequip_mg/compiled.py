"""The student compiled by AOTInductor for the machine it runs on, kept beside other things that can be made again.

    python -m core.potentials.nequip_mg.compiled FOLDER NAME DEVICE TARGET

Compiling needs a C++ compiler and a minute or two. It runs in a process of its own with one thread: the compiler bakes
the number of threads in, and a build for two threads is several times slower.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import torch
from ase.build import bulk
from nequip.nn import GraphModel

from core.artifacts import locked, replacing
from core.errors import PotentialError
from core.potentials.files import fill, read_card_file, read_weights
from core.potentials.nequip_mg.network import StudentShape, build_student, weights_of
from core.potentials.torch_state import nequip_state
from core.settings import Settings

_TIME_LIMIT_S: Final = 1200
_SEED: Final = 1


def compiled_path(sha256: str, device: str) -> Path:
    """Return where the build for these weights, this torch and this processor or GPU lies, or would lie."""
    key = hashlib.sha256(
        "|".join((sha256, torch.__version__, device, _hardware(device))).encode()
    ).hexdigest()
    return Settings.from_environment().checkpoints / "compiled" / f"nequip-mg-{key[:16]}.nequip.pt2"


def compile_student(folder: Path, name: str, device: str) -> Path:
    """Return the compiled build of `folder/name`, making it first where it is not there yet.

    Raises `PotentialError` without a C++ compiler or when compiling fails; the network runs without it, only slower.
    """
    card, _ = read_card_file(folder, name)
    target = compiled_path(card.sha256, device)
    if target.exists():
        return target
    if device == "cpu" and not (shutil.which(os.environ.get("CXX", "g++")) or shutil.which("clang++")):
        raise PotentialError(
            "No C++ compiler found (g++): install one, or run without compiling, some times slower."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.with_suffix(".lock")):  # several runs that start together need one build
        if not target.exists():
            with replacing(target) as partial:
                _compile_apart(folder, name, device, partial)
    return target


def _compile_apart(folder: Path, name: str, device: str, target: Path) -> None:
    command = [sys.executable, "-m", __name__, str(folder), name, device, str(target)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=_TIME_LIMIT_S, check=False
    )
    if done.returncode != 0 or not target.exists():
        raise PotentialError(f"Compiling {name!r} for {device} failed: {done.stderr[-600:]}")


def load_compiled(path: Path, device: str) -> Any:
    """Return the compiled network, called like the eager one."""
    from nequip.model.inference_models import load_compiled_model
    from nequip.scripts._compile_utils import COMPILE_TARGET_DICT

    target = COMPILE_TARGET_DICT["ase"]
    with nequip_state():
        model, _ = load_compiled_model(str(path), device, list(target["input"]), list(target["output"]))
    return model


def export(
    network: GraphModel, elements: tuple[str, ...], cutoff_a: float, device: str, target: Path
) -> None:
    """Compile a network for one frame of any number of atoms and pairs."""
    from nequip.data import AtomicDataDict, from_ase
    from nequip.integrations.utils import basic_transforms
    from nequip.scripts._compile_utils import COMPILE_TARGET_DICT
    from nequip.scripts._workflow_utils import set_workflow_state
    from nequip.utils.aot import aot_export_model
    from nequip.utils.aoti_metadata import (
        NEQUIP_AOTI_INPUTS_KEY,
        NEQUIP_AOTI_OUTPUTS_KEY,
        serialize_aoti_keys,
    )
    from nequip.utils.global_state import get_latest_global_state

    settings = COMPILE_TARGET_DICT["ase"]
    set_workflow_state("compile")
    data: Any = from_ase(_example(elements))
    for transform in basic_transforms(network.metadata, cutoff_a, list(elements), {e: e for e in elements}):
        data = transform(data)
    data = AtomicDataDict.to_(settings["data_settings"](data), torch.device(device))
    sizes = {
        key: torch.export.Dim(name, min=2)
        for key, name in (("graph", "num_frames"), ("node", "num_nodes"), ("edge", "num_edges"))
    }
    metadata = {**network.metadata, **get_latest_global_state(only_metadata_related=True)}
    metadata = {
        key: str(int(value)) if isinstance(value, bool) else str(value) for key, value in metadata.items()
    }
    metadata[NEQUIP_AOTI_INPUTS_KEY] = serialize_aoti_keys(settings["input"])
    metadata[NEQUIP_AOTI_OUTPUTS_KEY] = serialize_aoti_keys(settings["output"])
    aot_export_model(
        model=network, device=torch.device(device), input_fields=settings["input"],
        output_fields=settings["output"], data=data, batch_map=settings["batch_map_settings"](sizes),
        output_path=str(target), inductor_configs={"aot_inductor.metadata": metadata}, seed=_SEED,
    )  # fmt: skip
    set_workflow_state(None)


def _example(elements: tuple[str, ...]) -> Any:
    """Atoms to trace with: rattled rock salt of two elements that the network knows."""
    first, second = elements[0], elements[-1]
    atoms = bulk("NaCl", "rocksalt", a=4.8) * (2, 2, 2)
    atoms.symbols[atoms.symbols == "Na"] = first
    atoms.symbols[atoms.symbols == "Cl"] = second
    atoms.rattle(0.05, seed=0)
    return atoms


def _hardware(device: str) -> str:
    if device != "cpu":
        return torch.cuda.get_device_name(torch.device(device))
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        lines = sorted({line for line in text.splitlines() if line.startswith(("model name", "flags"))})
    except OSError:
        lines = []
    return "|".join((platform.machine(), platform.processor(), *lines))


def main(arguments: list[str]) -> None:
    """Compile one network, as `compile_student` asks for."""
    torch.set_num_threads(1)
    folder, name, device, target = Path(arguments[0]), arguments[1], arguments[2], Path(arguments[3])
    card, content = read_card_file(folder, name)
    shape = StudentShape.from_dict(content["shape"])
    from nequip.utils.global_state import set_global_state

    set_global_state()
    network = build_student(shape)
    fill(weights_of(network), read_weights(folder, name, card.sha256), name=name)
    export(network, shape.elements, shape.cutoff_a, device, target)


if __name__ == "__main__":
    main(sys.argv[1:])
