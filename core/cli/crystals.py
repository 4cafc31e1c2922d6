"""The crystal that a command is about: a structure file, or a candidate of the release."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import SourceError

if TYPE_CHECKING:
    from core.records import Crystal

CRYSTAL_HELP: Final = "structure file, or a candidate's id"


def given_crystal(text: str) -> "Crystal":
    """Return the one crystal of a file, or a candidate by its id; raise `SourceError` for neither, or several."""
    from core.sources.files import read_structure_file
    from core.store import is_valid_id, open_reader

    if not Path(text).is_file():
        if not is_valid_id(text):
            raise SourceError(
                f"{text} is neither a file nor a candidate's id; give a CIF, a POSCAR or an id."
            )
        with open_reader() as reader:
            return reader.crystal(text)
    crystals = read_structure_file(Path(text))
    if len(crystals) != 1:
        raise SourceError(f"{text} holds {len(crystals)} structures; give a file of one.")
    return crystals[0]
