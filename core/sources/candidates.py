"""Where the candidates of a release can come from: objects with a name that read crystals to screen.

`core.build` takes a list of these; `candidate_source` makes one from the words of `build --source`. A new source is a
class with `name` and `read`, and a line in `candidate_source`.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from core.errors import SourceError
from core.provenance import sha256_of_files
from core.records import Crystal, FailedInput, Skipped
from core.sources.files import read_paths
from core.sources.gnome import read_gnome
from core.sources.materials_project import fetch_candidates
from core.sources.reference import (
    CANDIDATE_STRUCTURES,
    CANDIDATES,
    ELECTRODE_STRUCTURES,
    ELECTRODES,
    read_candidates,
)

DATA_FILES: Final = (CANDIDATE_STRUCTURES, CANDIDATES, ELECTRODES, ELECTRODE_STRUCTURES)
"""The files of the reference data that a release is made from."""

GNOME_TABLE: Final = "stable_materials_summary.csv"
GNOME_ARCHIVE: Final = "by_id.zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What a source gave: crystals, what it left out and why, and a hash of the data behind them."""

    crystals: list[Crystal]
    skipped: list[Skipped]
    sha256: str


class CandidateSource(Protocol):
    """Something that candidates can be read from."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def read(self) -> Candidates:
        """Return the crystals; raise `SourceError` where the source is absent, unreachable or damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceSource:
    """The magnesium candidates of the reference data."""

    folder: Path
    name: str = "reference"

    def read(self) -> Candidates:
        """Return the candidates of the reference data's table."""
        fingerprint = data_sha256(self.folder)
        crystals, skipped = read_candidates(self.folder)
        return Candidates(crystals=crystals, skipped=skipped, sha256=fingerprint)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialsProjectSource:
    """Compounds of an element near the hull, from Materials Project's API: `MP_API_KEY` holds the key."""

    element: str
    name: str = "mp"
    endpoint: str | None = None

    def read(self) -> Candidates:
        """Return what the API answers today; the hash is of the crystals themselves."""
        crystals, skipped = fetch_candidates(self.element, endpoint=self.endpoint)
        return Candidates(crystals=crystals, skipped=skipped, sha256=_sha256_of(crystals))


@dataclass(frozen=True, slots=True, kw_only=True)
class GnomeSource:
    """Compounds of an element in a local copy of GNoME's summary table and archive of CIF files."""

    folder: Path
    element: str
    name: str = "gnome"

    def read(self) -> Candidates:
        """Return the crystals of the table that the archive holds."""
        paths = [self.folder / GNOME_TABLE, self.folder / GNOME_ARCHIVE]
        crystals, skipped = _sorted_out(read_gnome(*paths, element=self.element))
        return Candidates(crystals=crystals, skipped=skipped, sha256=sha256_of_files(paths))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """Structure files of one's own: a CIF, POSCAR, JSON or JSON-lines file, or a folder of them."""

    path: Path
    working_ion: str

    @property
    def name(self) -> str:
        """The file's or folder's name."""
        return self.path.name

    def read(self) -> Candidates:
        """Return every structure that can be read; the hash is of the crystals themselves."""
        if not self.path.exists():
            raise SourceError(
                f"{self.path} is not there: --source takes reference, mp, gnome, or a file or folder of structures."
            )
        crystals, skipped = _sorted_out(read_paths([self.path], self.working_ion))
        return Candidates(crystals=crystals, skipped=skipped, sha256=_sha256_of(crystals))


def data_sha256(folder: Path) -> str:
    """Return one hash over the files of the reference data; an absent one is a `SourceError`."""
    missing = [name for name in DATA_FILES if not (folder / name).is_file()]
    if missing:
        raise SourceError(
            f"{folder} lacks {', '.join(missing)}; name the reference data's folder with --data or MGC_DATA."
        )
    return sha256_of_files(folder / name for name in DATA_FILES)


def candidate_source(
    word: str, *, data: Path, working_ion: str = "Mg", gnome: Path | None = None
) -> CandidateSource:
    """Return the source that a word of `--source` means: `reference`, `mp`, `gnome`, or the path of structure files.

    `data`: folder of the reference data. `gnome`: folder of GNoME's table and archive; `SourceError` where it is needed
    and not given.
    """
    if word == "reference":
        return ReferenceSource(folder=data)
    if word == "mp":
        return MaterialsProjectSource(element=working_ion)
    if word == "gnome":
        if gnome is None:
            raise SourceError(
                f"--source gnome needs --gnome FOLDER, the folder that holds {GNOME_TABLE} and {GNOME_ARCHIVE}."
            )
        return GnomeSource(folder=gnome, element=working_ion)
    return FileSource(path=Path(word), working_ion=working_ion)


def _sorted_out(
    items: Iterable[Crystal | Skipped] | Iterable[Crystal | FailedInput],
) -> tuple[list[Crystal], list[Skipped]]:
    crystals: list[Crystal] = []
    skipped: list[Skipped] = []
    for item in items:
        if isinstance(item, Crystal):
            crystals.append(item)
        else:
            skipped.append(Skipped(id=item.id, reason=item.reason))
    return crystals, skipped


def _sha256_of(crystals: Iterable[Crystal]) -> str:
    lines = sorted(json.dumps(crystal.to_dict(), sort_keys=True) for crystal in crystals)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
