"""Voltage and capacity of structures from files and uploads: a row each, in their order, with the reason for a gap."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from core.csv_text import inert, write_rows
from core.errors import ExplorerError, RecordError, SourceError
from core.records import Crystal, FailedInput
from core.relaxation import Step
from core.service.model import load_cascade, load_model
from core.service.predicted_row import (
    COLUMNS,
    PredictedRow,
    facts_of,
    failed_row,
    judged_rows,
    relaxed_row,
    row_of,
)
from core.service.relax_first import (
    MAX_SITES_WAITED_FOR,
    STEPS_WAITED_FOR,
    RelaxedFirst,
    relax_first,
)
from core.thresholds import ASKED, Thresholds
from core.verdict import Judgement, judgement

if TYPE_CHECKING:
    from core.cascade import Cascade
    from core.voltage import VoltageModel

__all__ = [
    "COLUMNS",
    "MAX_UPLOADS",
    "PredictedRow",
    "PredictedStructure",
    "Step",
    "Upload",
    "judged_structure",
    "predict_crystal",
    "predict_files",
    "predict_relaxed",
    "predict_upload",
    "predicted_rows",
    "read_upload",
    "refused",
    "rows_csv",
]

MAX_UPLOADS: Final = 20
"""Files that one visitor may have predicted at a time."""

_CHUNK: Final = 24
_CASCADE_CHUNK: Final = 128
"""Structures between two writes: a file of 380,000 must fit, and a kill may lose a minute. Of a cascade's few reach the
costly model, which needs enough at a time to share them out over processes."""

_MAX_ID: Final = 80


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What an uploaded file holds: a crystal, or None with the reason."""

    name: str
    crystal: Crystal | None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class PredictedStructure:
    """One structure with its row; `crystal` is None where none could be read."""

    name: str
    crystal: Crystal | None
    row: PredictedRow

    @property
    def error(self) -> str | None:
        """Why there is no prediction, or None."""
        return self.row.error


def predict_files(
    paths: Sequence[Path], working_ion: str, model_name: str = "default", *, cascade: bool = False,
    relax: bool = False, done: Sequence[Mapping[str, str]] = (),
) -> Iterator[PredictedRow]:  # fmt: skip
    """Return one row for each structure of files and folders, in order; a structure's own working ion wins.

    With `cascade` the quicker models are asked first, and that of the name about what could pass (`core.cascade`).
    With `relax` each is put at rest first. `done`: rows that an earlier run wrote, as text; as many structures are
    passed over. Raises `SourceError` for a path that is not there, and while rows are asked for where `done` is of
    other structures; `ModelError` for a model that is not there, before the first row.
    """
    for path in paths:
        if not path.exists():
            raise SourceError(
                f"{path} is not there; give a CIF, a POSCAR, a folder of them, or a .jsonl file."
            )
    from core.sources.files import read_paths

    model = load_cascade(model_name) if cascade else load_model(model_name)
    left = _after(read_paths(list(paths), working_ion), working_ion, done)
    return predicted_rows(left, working_ion, model, relax=relax, chunk=_CASCADE_CHUNK if cascade else _CHUNK)


def _after(
    inputs: Iterable[Crystal | FailedInput], default_ion: str, done: Sequence[Mapping[str, str]]
) -> Iterator[Crystal | FailedInput]:
    """The inputs that have no row yet; those that have one must be the same in the same order."""
    stream = iter(inputs)
    for number, row in enumerate(done, start=1):
        item = next(stream, None)
        known = (row["id"], row["working_ion"])
        asked = None if item is None else (inert(item.id), item.working_ion or default_ion)
        if known != asked:
            raise SourceError(
                f"Row {number} of the earlier run is {known[0]} with {known[1]}, the structure in its place now is "
                f"{'none' if asked is None else ' with '.join(asked)}. Give the same structures in the same order, or "
                "another output."
            )
    yield from stream


def predicted_rows(
    inputs: Iterable[Crystal | FailedInput], default_ion: str, model: "VoltageModel | Cascade", *,
    relax: bool = False, chunk: int = _CHUNK,
) -> Iterator[PredictedRow]:  # fmt: skip
    """Yield one row for each input, in order, predicting a chunk at a time; with `relax` each is put at rest first."""
    stream = iter(inputs)
    while items := list(islice(stream, chunk)):
        given = [_at_rest(item) if relax else item for item in items]
        judged = iter(_predicted([it for it in given if not isinstance(it, FailedInput)], default_ion, model))
        for item in given:
            yield failed_row(item, default_ion) if isinstance(item, FailedInput) else next(judged)


def _predicted(
    given: Sequence[Crystal | RelaxedFirst], default_ion: str, model: "VoltageModel | Cascade"
) -> list[PredictedRow]:
    crystals = [it.crystal if isinstance(it, RelaxedFirst) else it for it in given]
    ions = [crystal.working_ion or default_ion for crystal in crystals]
    rows = map(row_of, crystals, model.predict(crystals, ions))
    told = [
        relaxed_row(row, it) if isinstance(it, RelaxedFirst) else row
        for row, it in zip(rows, given, strict=True)
    ]
    return judged_rows(told, crystals)


def _at_rest(item: Crystal | FailedInput) -> RelaxedFirst | FailedInput:
    if isinstance(item, FailedInput):
        return item
    try:
        return relax_first(item)
    except ExplorerError as error:
        return _not_relaxed(item, error)


def _not_relaxed(crystal: Crystal, error: ExplorerError) -> FailedInput:
    reason = f"It could not be relaxed first: {error}"
    return FailedInput(id=crystal.id, formula=crystal.formula, working_ion=crystal.working_ion, reason=reason)


def predict_upload(
    name: str, data: bytes, working_ion: str, model: Callable[[], "VoltageModel"], *, relax: bool = False
) -> PredictedStructure:
    """Return what the voltage model says of an uploaded file; one that cannot be read has the reason in its row.

    `model` is called for where there is something to predict; it raises `ModelError` where there is no model. With
    `relax` the crystal is put at rest first, unless it is too large to wait for.
    """
    upload = read_upload(name, data)
    if upload.crystal is None:
        return refused(upload, working_ion)
    if relax:
        return predict_relaxed(name, upload.crystal, working_ion, model())
    return predict_crystal(name, upload.crystal, working_ion, model())


def read_upload(name: str, data: bytes) -> Upload:
    """Return what an uploaded file holds."""
    from core.sources.files import parse_upload

    try:
        return Upload(name=name, crystal=parse_upload(name, data))
    except ExplorerError as error:
        return Upload(name=name, crystal=None, error=str(error))


def refused(upload: Upload, working_ion: str) -> PredictedStructure:
    """Return the row of a file that could not be read."""
    row = PredictedRow(id=upload.name[:_MAX_ID], working_ion=working_ion, error=upload.error)
    return PredictedStructure(name=upload.name, crystal=None, row=row)


def predict_crystal(
    name: str, crystal: Crystal, working_ion: str, model: "VoltageModel"
) -> PredictedStructure:
    """Return what the voltage model says of a crystal."""
    (row,) = predicted_rows([crystal], working_ion, model)
    return PredictedStructure(name=name, crystal=crystal, row=row)


def predict_relaxed(
    name: str, crystal: Crystal, working_ion: str, model: "VoltageModel", *,
    on_step: Callable[[Step], None] = lambda step: None,
) -> PredictedStructure:  # fmt: skip
    """Return what the voltage model says of a crystal once it is at rest, with the relaxed crystal.

    Its row has the reason where it broke on the way or is too large to wait for.
    """
    try:
        relaxed = relax_first(
            crystal, max_sites=MAX_SITES_WAITED_FOR, max_steps=STEPS_WAITED_FOR, on_step=on_step
        )
    except ExplorerError as error:
        failed = failed_row(_not_relaxed(crystal, error), working_ion)
        return PredictedStructure(name=name, crystal=crystal, row=failed)
    (row,) = _predicted([relaxed], working_ion, model)
    return PredictedStructure(name=name, crystal=relaxed.crystal, row=row)


def judged_structure(
    structure: PredictedStructure, thresholds: Thresholds = ASKED, known: Mapping[str, Any] = MappingProxyType({})
) -> Judgement:  # fmt: skip
    """Return the verdict on a predicted structure with its criteria; what the crystal alone does not tell is unknown.

    `known`: what has been calculated about it, by the columns of the view `screening`. Raises `RecordError` where no
    crystal could be read.
    """
    if structure.crystal is None:
        raise RecordError(f"{structure.name} holds no crystal that could be judged: {structure.error}")
    return judgement(facts_of(structure.row, structure.crystal) | dict(known), thresholds)


def rows_csv(rows: Iterable[PredictedRow]) -> str:
    """Return rows as CSV with the columns of `COLUMNS`."""
    text = io.StringIO()
    write_rows(text, COLUMNS, (row.as_dict() for row in rows))
    return text.getvalue()
