"""Raw ends by structure, kept on disk in files of a few rows each, so that hours of work survive a stop."""

import re
from pathlib import Path
from typing import Final

import numpy as np

from core.artifacts import replacing
from core.settings import Settings
from core.voltage.kinds.frozen_host.cache import potentials_words
from core.voltage.kinds.relaxed_ends.ends import ENDS_VERSION, MAX_STEPS, RawEnds

FOLDER: Final = "relaxed-ends"
_IN_A_FILE: Final = 20
_FILE: Final = re.compile(r"ends-[0-9a-f]{32}\.npz")


def made_by() -> str:
    """Return what decides the raw ends: their version, the steps of the relaxation, and the two potentials."""
    return f"ends {ENDS_VERSION}, {MAX_STEPS} steps, {potentials_words()}"


class EndsStore:
    """Raw ends by `structure_key`: in memory and, with a folder, in its npz files. Several processes may share one."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._rows: dict[str, RawEnds] = {}
        self._unsaved: list[str] = []
        self._file_of: dict[str, Path] = {}
        self._seen: set[str] = set()

    def __len__(self) -> int:
        return len(self._rows.keys() | self._file_of.keys())

    def get(self, key: str) -> RawEnds | None:
        """Return the raw ends of a structure, if they are known since the last `refresh`."""
        if key not in self._rows and key in self._file_of:
            self._read(self._file_of[key])
        return self._rows.get(key)

    def put(self, key: str, raw: RawEnds) -> None:
        """Keep raw ends, and write a file when enough new ones have come together."""
        self._rows[key] = raw
        self._unsaved.append(key)
        if len(self._unsaved) >= _IN_A_FILE:
            self.save()

    def save(self) -> None:
        """Write what is new into a file of its own, whole or not at all; without a folder nothing is written."""
        keys, self._unsaved = self._unsaved, []
        if self.folder is None or not keys:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"ends-{keys[0]}.npz"
        arrays = {f"{key}/{it}": values for key in keys for it, values in self._rows[key].items()}
        with replacing(self.folder / name) as partial:
            np.savez(partial, made_by=made_by(), **arrays)  # type: ignore[arg-type]
        self._seen.add(name)

    def refresh(self) -> None:
        """See which files came since; those of other potentials or another version are passed over."""
        if self.folder is None or not self.folder.is_dir():
            return
        for path in sorted(self.folder.iterdir()):
            if not _FILE.fullmatch(path.name) or path.name in self._seen:
                continue
            self._seen.add(path.name)
            with np.load(path, allow_pickle=False) as stored:
                if str(stored["made_by"]) == made_by():
                    keys = {name.partition("/")[0] for name in stored.files if "/" in name}
                    self._file_of |= dict.fromkeys(keys, path)

    def _read(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as stored:
            for name in stored.files:
                key, _, field = name.partition("/")
                if field:
                    self._rows.setdefault(key, {})[field] = stored[name]


def default_store() -> EndsStore:
    """Return the store that training and prediction share, in the checkpoints folder."""
    return EndsStore(Settings.from_environment().checkpoints / FOLDER)
