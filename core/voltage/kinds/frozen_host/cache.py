"""Feature vectors by structure, kept on disk: the potentials cost a second a structure, the heads nothing."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.artifacts import replacing
from core.potentials import potential_card
from core.provenance import package_versions
from core.voltage.kinds.frozen_host.features import FEATURES_VERSION

_SAVE_EVERY: Final = 200
"""New vectors after which the file is written: long work survives a stop, a single prediction leaves no file."""


def made_by() -> str:
    """Return what decides the features: their version, and the two potentials."""
    return f"features {FEATURES_VERSION}, {potentials_words()}"


def potentials_words() -> str:
    """Return which weights of the two potentials are installed."""
    return (
        f"nequip-mp {potential_card('nequip-mp').sha256[:12]}, "
        f"chgnet {package_versions(('chgnet',))['chgnet']}"
    )


class FeatureCache:
    """Feature vectors by `structure_key`, in memory and, with a path, in an npz file, read when first asked."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._rows: dict[str, NDArray[np.float32]] = {}
        self._is_read = path is None
        self._unsaved = 0

    def __len__(self) -> int:
        self._read()
        return len(self._rows)

    def get(self, key: str) -> NDArray[np.float32] | None:
        """Return the vector of a structure, if it is known."""
        self._read()
        return self._rows.get(key)

    def put(self, key: str, row: NDArray[np.float32]) -> None:
        """Keep a vector, and write the file when enough new ones have come together."""
        self._read()
        self._rows[key] = row
        self._unsaved += 1
        if self._unsaved >= _SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Write the file, whole or not at all; a cache without a path has none."""
        self._unsaved = 0
        if self.path is None or not self._rows:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rows = np.stack(list(self._rows.values()))
        with replacing(self.path) as partial:
            np.savez(partial, made_by=made_by(), keys=np.array(list(self._rows)), features=rows)

    def _read(self) -> None:
        """Read the file if it is there; one of other features or potentials is passed over."""
        if self._is_read:
            return
        self._is_read = True
        if self.path is not None and self.path.is_file():
            with np.load(self.path, allow_pickle=False) as stored:
                if str(stored["made_by"]) == made_by():
                    self._rows = dict(zip(stored["keys"].tolist(), stored["features"], strict=True))
