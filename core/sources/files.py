"""Structure files of users: CIF, POSCAR, JSON and JSON lines, all of them untrusted."""

import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from core.errors import ExplorerError, StructureError
from core.records import Crystal, FailedInput
from core.sources.json_lines import read_json_lines
from core.sources.limits import MAX_INPUT_BYTES, MAX_SITES
from core.sources.plain import crystal_from_dict
from core.sources.sandbox import StructureParser
from core.sources.text import decode, quoted, safe_name

__all__ = ["FailedInput", "parse_upload", "read_paths", "read_structure_file"]

_POSCAR_NAME: Final = re.compile(r"(POSCAR|CONTCAR)([._-].*)?|.*\.(vasp|poscar|contcar)", re.IGNORECASE)
_JSON_LINES: Final = (".jsonl", ".jsonl.gz")
_FORMATS: Final = (
    "CIF (.cif), POSCAR (POSCAR, CONTCAR, .vasp), JSON (.json) or JSON lines (.jsonl, .jsonl.gz)"
)
_UPLOADS = threading.BoundedSemaphore(2)  # each child may take a gigabyte


def parse_upload(name: str, data: bytes) -> Crystal:
    """Return the one crystal of an uploaded CIF, POSCAR or JSON file; raise `StructureError` with what to do about it.

    The text is parsed in a child process: 5 s of processor time, 1 GB, 2 MB of input, 400 sites after symmetry.
    """
    with _UPLOADS, StructureParser() as parser:
        return read_untrusted(name, data, parser, source="upload")


def read_structure_file(path: Path) -> list[Crystal]:
    """Return the crystals of one file; raise `StructureError` naming the first that cannot be read."""
    crystals = []
    with StructureParser() as parser:
        for item in _read_file(path, safe_name(path.stem), parser):
            if isinstance(item, FailedInput):
                raise StructureError(f"{item.id}: {item.reason}")
            crystals.append(item)
    return crystals


def read_paths(paths: Iterable[Path], working_ion: str) -> Iterator[Crystal | FailedInput]:
    """Yield every structure of files and folders in order, each with the working ion it names or else `working_ion`.

    Folders are searched to their ends for structure files by name; other files and hidden ones are passed over. What
    cannot be read yields a `FailedInput`, and the rest goes on.
    """
    with StructureParser() as parser:
        for path in map(Path, paths):
            for item in _read_path(path, parser):
                yield replace(item, working_ion=item.working_ion or working_ion)


def read_untrusted(name: str, data: bytes, parser: StructureParser, *, source: str) -> Crystal:
    """Return the crystal of one file's bytes, parsed by `parser` and checked again here; raise `StructureError`."""
    text = decode(data)
    kind = _kind(name, text)
    fields = parser.parse(kind, text)
    stem = re.sub(r"\.(cif|vasp|poscar|contcar|json)$", "", safe_name(name), flags=re.IGNORECASE)
    return crystal_from_dict(fields, id=stem, source=source, max_sites=MAX_SITES)


def _kind(name: str, text: str) -> str:
    lowered = safe_name(name).lower()
    if lowered.endswith(".cif"):
        return "CIF"
    if lowered.endswith(".json"):
        return "JSON"
    if _POSCAR_NAME.fullmatch(lowered):
        return "POSCAR"
    if re.search(r"^\s*_cell_length_a", text, re.MULTILINE | re.IGNORECASE):
        return "CIF"
    if text.lstrip().startswith("{"):
        return "JSON"
    raise StructureError(f"The file {quoted(name)} is of no known kind; give {_FORMATS}.")


def _read_path(path: Path, parser: StructureParser) -> Iterator[Crystal | FailedInput]:
    if not path.is_dir():
        yield from _read_file(path, safe_name(path.stem), parser)
        return
    files = _files(path)
    for file, id in files.items():
        yield from _read_file(file, id, parser)
    if not files:
        yield FailedInput(
            id=safe_name(path.name), reason=f"The folder holds no structure file; give {_FORMATS}."
        )


def _read_file(path: Path, id: str, parser: StructureParser) -> Iterator[Crystal | FailedInput]:
    try:
        if path.name.lower().endswith(_JSON_LINES) and path.is_file():
            yield from _non_empty(read_json_lines(path), id)
        else:
            crystal = read_untrusted(path.name, _bytes(path), parser, source="file")
            yield crystal if crystal.id == id else replace(crystal, id=id)
    except ExplorerError as error:
        yield FailedInput(id=id, reason=str(error))


def _non_empty(items: Iterator[Crystal | FailedInput], id: str) -> Iterator[Crystal | FailedInput]:
    empty = True
    for item in items:
        empty = False
        yield item
    if empty:
        yield FailedInput(
            id=id, reason="The file is empty; one JSON object a line with id, lattice, species, frac."
        )


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise StructureError(f"There is no file {quoted(path.name)}; give {_FORMATS}, or a folder of them.")
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_INPUT_BYTES + 1)
    except OSError as error:
        raise StructureError(f"The file {quoted(path.name)} cannot be read: {error.strerror}.") from None


def _files(folder: Path) -> dict[Path, str]:
    """Each structure file of a folder with its id: the name without its ending, kept where two files share it."""
    files = sorted(file for file in folder.rglob("*") if _is_structure_file(file, folder))
    ids = {file: _id_in_folder(file.relative_to(folder).with_suffix("")) for file in files}
    shared = Counter(ids.values())
    return {
        file: id if shared[id] == 1 else _id_in_folder(file.relative_to(folder)) for file, id in ids.items()
    }


def _id_in_folder(relative: Path) -> str:
    return ":".join(map(safe_name, relative.parts))[-80:]


def _is_structure_file(file: Path, folder: Path) -> bool:
    name = file.name.lower()
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    known = name.endswith((".cif", ".json", *_JSON_LINES)) or _POSCAR_NAME.fullmatch(name) is not None
    return known and not hidden and file.is_file()
