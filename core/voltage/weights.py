"""Model files: weights as safetensors, the card as JSON with the weights' SHA-256, checked at every load.

Nothing is ever unpickled.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from core.artifacts import replacing, write_json
from core.codec import from_json, to_json
from core.errors import ModelError, RecordError
from core.provenance import sha256_of_file
from core.voltage.base import Arrays
from core.voltage.card import VoltageCard

_PICKLE_STARTS: Final = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def write_model(folder: Path, arrays: Arrays, card: VoltageCard) -> VoltageCard:
    """Write weights and card and return the card with their hash; the card goes last, so a half-written model fails."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{card.name}.safetensors"
    with replacing(weights) as partial:
        save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, partial)
    card = replace(card, sha256=sha256_of_file(weights))
    write_json(folder / f"{card.name}.json", to_json(card))
    return card


def read_card(folder: Path, name: str) -> VoltageCard:
    """Return the card of a model; `default` is looked up in default.json. Raises `ModelError`."""
    if name == "default":
        name = str(_read_json(folder / "default.json").get("name", ""))
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ModelError(f"{name!r} is not a model name; use letters, digits, '-' and '_'.")
    try:
        card = from_json(VoltageCard, _read_json(folder / f"{name}.json"))
    except RecordError as error:
        raise ModelError(f"{name}.json is not a model's card ({error}); restore it from git.") from None
    if card.name != name:
        raise ModelError(f"The card {name}.json is of model {card.name!r}; restore it from git.")
    return card


def read_arrays(folder: Path, card: VoltageCard, required: tuple[str, ...] = ()) -> Arrays:
    """Return the weights that a card describes, after the checks of file type, hash and keys. Raises `ModelError`."""
    path = folder / f"{card.name}.safetensors"
    if not path.is_file():
        raise ModelError(
            f"The weights {path.name} are missing beside their card; restore them from git or train anew."
        )
    with path.open("rb") as stream:
        start = stream.read(4)
    if start.startswith(_PICKLE_STARTS):
        raise ModelError(
            f"{path.name} is a pickled file, which could run code when read; only safetensors is accepted."
        )
    digest = sha256_of_file(path)
    if digest != card.sha256:
        raise ModelError(
            f"{path.name} has SHA-256 {digest[:12]}..., its card says {card.sha256[:12]}...: the file is "
            "damaged or of another model. Restore both from git."
        )
    try:
        arrays: Arrays = load_file(path)
    except (SafetensorError, ValueError) as error:
        raise ModelError(f"{path.name} is not a safetensors file ({error}); restore it from git.") from None
    missing = [key for key in required if key not in arrays]
    if missing:
        raise ModelError(
            f"{path.name} lacks {', '.join(missing[:5])}; it was written by another version. Train anew."
        )
    return arrays


def data_snapshot_note(card: VoltageCard, data_sha256: str) -> str | None:
    """Return a sentence when the model was trained on another snapshot than `data_sha256`, else None."""
    if card.data_sha256 == data_sha256:
        return None
    return (
        f"Model {card.name!r} was trained on another data snapshot ({card.data_sha256[:12]}, this one is "
        f"{data_sha256[:12]}): its stated errors are not of this data, and test rows may have been trained on."
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise ModelError(
            f"{path.name} is missing in {path.parent}; restore it from git or train the model."
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path.name} is not readable JSON ({error}); restore it from git.") from None
    if not isinstance(content, dict):
        raise ModelError(f"{path.name} must hold a JSON object; restore it from git.")
    return content
