"""GNoME's stable crystals from local copies of its summary table and CIF archive (Merchant et al. 2023).

Both come from the public bucket `gs://gdm_materials_discovery/gnome_data`: `stable_materials_summary.csv` and
`by_id.zip`. DOI 10.1038/s41586-023-06735-9; structures are CC BY-NC 4.0.
"""

import csv
import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from core.errors import SourceError, StructureError
from core.records import Crystal, Skipped
from core.sources.files import read_untrusted
from core.sources.limits import MAX_INPUT_BYTES
from core.sources.reference import CC_BY_NC
from core.sources.sandbox import StructureParser
from core.sources.text import safe_name

SOURCE: Final = "GNoME"
COLUMNS: Final = ("MaterialId", "Reduced Formula", "Elements", "Space Group")
HULL_COLUMN: Final = "Decomposition Energy Per Atom All"
"""Distance to the convex hull of all entries, eV/atom."""

_ID: Final = re.compile(r"[A-Za-z0-9]{1,40}")
_ENCRYPTED: Final = 0x1


def read_gnome(summary_csv: Path, archive: Path, *, element: str = "Mg") -> Iterator[Crystal | Skipped]:
    """Yield the crystals that hold `element`, in the order of the table, or why one is left out.

    Members of the archive are read one at a time into memory, never unpacked to disk; each CIF is parsed in the child
    process of `StructureParser`. Raises `SourceError` where a file is absent or not what it should be.
    """
    with _opened(archive) as members, StructureParser() as parser:
        by_id = {PurePosixPath(info.filename).stem: info for info in members.infolist() if _is_cif(info)}
        for row in _rows(summary_csv):
            if element not in re.findall(r"[A-Z][a-z]?", row["Elements"]):
                continue
            material_id = row["MaterialId"]
            try:
                data = _member(members, by_id.get(material_id), material_id)
                crystal = read_untrusted(f"gnome-{material_id}.cif", data, parser, source=SOURCE)
                yield _with_row(crystal, row)
            except StructureError as error:
                yield Skipped(id=f"gnome-{safe_name(material_id)}", reason=str(error))


def _with_row(crystal: Crystal, row: dict[str, str]) -> Crystal:
    return replace(
        crystal,
        formula=row["Reduced Formula"],
        license=CC_BY_NC,
        spacegroup=row["Space Group"] or None,
        e_above_hull_ev_per_atom=_hull_energy(row.get(HULL_COLUMN)),
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        stream = path.open(encoding="utf-8", newline="")
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read ({error.strerror}); it is GNoME's stable_materials_summary.csv."
        ) from None
    with stream:
        reader = csv.DictReader(stream)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise SourceError(
                f"{path} has no column {', '.join(missing)}; give GNoME's stable_materials_summary.csv."
            )
        yield from reader


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise SourceError(
            f"{path} cannot be read ({error}); it is GNoME's by_id.zip, one CIF a crystal."
        ) from None


def _is_cif(info: zipfile.ZipInfo) -> bool:
    return not info.is_dir() and info.filename.lower().endswith(".cif")


def _member(members: zipfile.ZipFile, info: zipfile.ZipInfo | None, material_id: str) -> bytes:
    if not _ID.fullmatch(material_id) or info is None:
        raise StructureError(
            "The archive holds no CIF of this id; table and archive are of different versions."
        )
    if info.flag_bits & _ENCRYPTED:
        raise StructureError("The CIF is encrypted in the archive; download by_id.zip again.")
    try:
        with members.open(info) as stream:
            return stream.read(MAX_INPUT_BYTES + 1)  # the size that the archive states may be a lie
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise StructureError(
            f"The CIF is damaged in the archive ({error}); download by_id.zip again."
        ) from None


def _hull_energy(text: str | None) -> float | None:
    """Hull distance in eV/atom; what rounding has put below the hull lies on it."""
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return max(0.0, value) if math.isfinite(value) else None
