"""Model files: weights as safetensors, the card as JSON with the weights' SHA-256, checked at every load.

Nothing is ever unpickled.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from core.artifacts import read_weights, write_weights
from core.codec import from_json, to_json
from core.errors import ModelError, RecordError
from core.voltage.base import Arrays
from core.voltage.card import VoltageCard

_REMEDY: Final = "Restore it from git or train the model anew."


def write_model(folder: Path, arrays: Arrays, card: VoltageCard) -> VoltageCard:
    """Write weights and card and return the card with their hash; the card goes last, so a half-written model fails."""
    return replace(card, sha256=write_weights(folder, card.name, arrays, to_json(card))["sha256"])


def read_card(folder: Path, name: str) -> VoltageCard:
    """Return the card of a model; `default` and `fast` are looked up in default.json. Raises `ModelError`.

    `default` is the most accurate that ships, `fast` the one for many structures; without such a one it is the default.
    """
    if name in ("default", "fast"):
        names = _read_json(folder / "default.json")
        name = str(names.get("fast" if name == "fast" and "fast" in names else "name", ""))
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
    return read_weights(folder, card.name, card.sha256, required=required, remedy=_REMEDY)


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
