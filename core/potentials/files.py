"""A potential on disk: weights as safetensors and a card as JSON with their SHA-256, checked at every load."""

import json
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.codec import from_json
from core.errors import ModelError, RecordError
from core.potentials.base import Capabilities, PotentialCard
from core.provenance import sha256_of_file
from core.settings import Settings

_RESTORE: Final = "Restore it from git (`git checkout -- precomputed/potentials`)."
_CARD_FIELDS: Final = (
    "name", "title", "elements", "cutoff_a", "trained_on", "energy_scale", "licence", "source", "sha256", "errors",
    "errors_of",
)  # fmt: skip


def shipped_folder() -> Path:
    """Return the folder of the potentials that come with the explorer."""
    return Settings.from_environment().precomputed / "potentials"


def write_potential(folder: Path, name: str, weights: dict[str, Tensor], card: dict[str, Any]) -> None:
    """Write weights, then the card with their hash: a half-written potential has no matching card."""
    folder.mkdir(parents=True, exist_ok=True)
    path, partial = folder / f"{name}.safetensors", folder / f"{name}.safetensors.partial"
    save_file({key: value.detach().contiguous().cpu() for key, value in weights.items()}, partial)
    partial.chmod(0o644)  # safetensors makes files that only their owner can read
    partial.replace(path)
    text = json.dumps({"name": name, **card, "sha256": sha256_of_file(path)}, indent=1)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def add_to_card(folder: Path, name: str, **fields: str) -> None:
    """Add fields to the card of a potential that was written before. Raises `ModelError` if there is none."""
    content = {**read_card_file(folder, name)[1], **fields}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_card_file(folder: Path, name: str) -> tuple[PotentialCard, dict[str, Any]]:
    """Return the card and the JSON object it was read from. Raises `ModelError`."""
    path = folder / f"{name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        fields = {key: content[key] for key in _CARD_FIELDS}
        fields["elements"] = tuple(fields["elements"])
        fields["teacher"] = content.get("teacher")
        fields["capabilities"] = from_json(Capabilities, content.get("capabilities", {}))
    except FileNotFoundError:
        raise ModelError(f"The card {path.name} of potential {name!r} is missing. {_RESTORE}") from None
    except (OSError, ValueError, KeyError, TypeError, RecordError) as error:
        raise ModelError(f"The card {path.name} cannot be read ({error!r}). {_RESTORE}") from None
    return PotentialCard(**fields), content


def read_weights(folder: Path, name: str, sha256: str) -> dict[str, Tensor]:
    """Return the tensors of a potential after the check of the hash; nothing is unpickled. Raises `ModelError`."""
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        raise ModelError(f"The weights {path.name} are missing. {_RESTORE}")
    found = sha256_of_file(path)
    if found != sha256:
        raise ModelError(
            f"{path.name} has SHA-256 {found[:12]}..., its card says {sha256[:12]}...: damaged or of another version. "
            f"{_RESTORE}"
        )
    try:
        return load_file(path)
    except (SafetensorError, ValueError) as error:
        raise ModelError(f"{path.name} is not a safetensors file ({error}). {_RESTORE}") from None


def fill(places: dict[str, Tensor], weights: dict[str, Tensor], *, name: str) -> None:
    """Copy stored weights into a network's tensors; any that is missing or misfits is a `ModelError`."""
    misfits = sorted(places.keys() ^ weights.keys())
    misfits += [key for key in places.keys() & weights.keys() if places[key].shape != weights[key].shape]
    if misfits:
        raise ModelError(
            f"The weights of {name!r} do not fit its network at {', '.join(misfits[:3])}: weights and card are of "
            f"different versions. {_RESTORE}"
        )
    with torch.no_grad():
        for key, place in places.items():
            place.copy_(weights[key])
