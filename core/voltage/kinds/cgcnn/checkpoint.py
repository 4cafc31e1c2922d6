"""Checkpoints of a training run: tensors and JSON in one safetensors file, written whole or not at all."""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from core.artifacts import replacing
from core.errors import TrainingError


def write_checkpoint(path: Path, tensors: dict[str, Tensor], *, identity: str, progress: str) -> None:
    """Write tensors with two JSON strings: what the run is, and how far it got."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {name: value.detach().contiguous().cpu() for name, value in tensors.items()}
    with replacing(path) as partial:
        save_file(whole, partial, metadata={"identity": identity, "progress": progress})


def read_checkpoint(path: Path, *, identity: str) -> tuple[dict[str, Tensor], str]:
    """Return tensors and progress; a damaged file, or one of another run, is a `TrainingError`."""
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise TrainingError(
            f"Checkpoint {path} cannot be read ({error}); delete it and start anew."
        ) from None
    if metadata.get("identity") != identity or "progress" not in metadata:
        raise TrainingError(
            f"Checkpoint {path} is of another run (settings, seed or data differ); delete it."
        )
    return tensors, metadata["progress"]
