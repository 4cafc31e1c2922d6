"""A potential on disk: weights as safetensors and a card as JSON with their SHA-256, checked at every load."""

from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from core import artifacts
from core.codec import from_json
from core.errors import ModelError, RecordError
from core.potentials.base import PotentialCard
from core.settings import Settings

_RESTORE: Final = "Restore it from git (`git checkout -- precomputed/potentials`)."


def shipped_folder() -> Path:
    """Return the folder of the potentials that come with the explorer."""
    return Settings.from_environment().precomputed / "potentials"


def write_potential(folder: Path, name: str, weights: dict[str, Tensor], card: dict[str, Any]) -> None:
    """Write weights, then the card with their hash: a half-written potential has no matching card."""
    arrays = {key: value.detach().contiguous().cpu().numpy() for key, value in weights.items()}
    artifacts.write_weights(folder, name, arrays, card)


def read_card_file(folder: Path, name: str) -> tuple[PotentialCard, dict[str, Any]]:
    """Return the card and the JSON object it was read from, which also holds the network's shape.

    Raises `ModelError`.
    """
    content = artifacts.read_card(folder, name, remedy=_RESTORE)
    known = {field.name for field in fields(PotentialCard)}
    try:
        card = from_json(PotentialCard, {key: value for key, value in content.items() if key in known})
    except RecordError as error:
        raise ModelError(f"The card {name}.json cannot be read ({error}). {_RESTORE}") from None
    return card, content


def read_weights(folder: Path, name: str, sha256: str) -> dict[str, Tensor]:
    """Return the tensors of a potential after the check of the hash; nothing is unpickled. Raises `ModelError`."""
    arrays = artifacts.read_weights(folder, name, sha256, remedy=_RESTORE)
    return {key: torch.from_numpy(value) for key, value in arrays.items()}


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
