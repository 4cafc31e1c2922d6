"""Voltage and capacity of structures from files and uploads: a row each, in their order, with the reason for a gap."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from core.csv_text import write_rows
from core.errors import ExplorerError, RecordError, SourceError
from core.ions import charge_number
from core.probability import pass_probability
from core.records import Crystal, FailedInput, VoltagePrediction
from core.service.model import load_cascade, load_model
from core.thresholds import ASKED, Thresholds
from core.verdict import Judgement, judge, judgement, with_reasons

if TYPE_CHECKING:
    from core.cascade import Cascade
    from core.voltage import VoltageModel

MAX_UPLOADS: Final = 20
"""Files that one visitor may have predicted at a time."""

_CHUNK: Final = (
    64  # structures between two writes: a file of 380,000 must fit, and a kill must not lose hours
)
_MAX_ID: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedRow:
    """What is said of one structure; without a prediction its numbers are None and `error` has the reason.

    `p_all`, `verdict` and `reasons_against` are by the thresholds of `ASKED`, from the crystal alone.
    """

    id: str
    formula: str | None = None
    working_ion: str
    voltage_v: float | None = None
    voltage_std_v: float | None = None
    voltage_low_v: float | None = None
    voltage_high_v: float | None = None
    in_domain: bool | None = None
    model: str | None = None
    capacity_vol_ah_per_l: float | None = None
    capacity_grav_mah_per_g: float | None = None
    capacity_redox_vol_ah_per_l: float | None = None
    capacity_redox_grav_mah_per_g: float | None = None
    p_all: float | None = None
    verdict: str | None = None
    reasons_against: str | None = None
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the row by column."""
        return asdict(self)


COLUMNS: Final = tuple(field.name for field in fields(PredictedRow))
"""Columns of the CSV of predictions."""

_PREDICTED: Final = tuple(field.name for field in fields(VoltagePrediction))


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
    paths: Sequence[Path], working_ion: str, model_name: str = "default", *, cascade: bool = False
) -> Iterator[PredictedRow]:
    """Return one row for each structure of files and folders, in order; a structure's own working ion wins.

    With `cascade` the quicker models are asked first, and that of the name about what could pass (`core.cascade`).
    Raises `SourceError` for a path that is not there and `ModelError` for a model that is not, before the first row.
    """
    for path in paths:
        if not path.exists():
            raise SourceError(
                f"{path} is not there; give a CIF, a POSCAR, a folder of them, or a .jsonl file."
            )
    from core.sources.files import read_paths

    model = load_cascade(model_name) if cascade else load_model(model_name)
    return predicted_rows(read_paths(list(paths), working_ion), working_ion, model)


def predicted_rows(
    inputs: Iterable[Crystal | FailedInput], default_ion: str, model: "VoltageModel | Cascade"
) -> Iterator[PredictedRow]:
    """Yield one row for each input, in order, predicting a chunk at a time."""
    stream = iter(inputs)
    while chunk := list(islice(stream, _CHUNK)):
        crystals = [item for item in chunk if isinstance(item, Crystal)]
        ions = [crystal.working_ion or default_ion for crystal in crystals]
        predictions = iter(model.predict(crystals, ions))
        predicted = iter(
            _judged([_predicted_row(crystal, next(predictions)) for crystal in crystals], crystals)
        )
        for item in chunk:
            if isinstance(item, Crystal):
                yield next(predicted)
            else:
                yield PredictedRow(
                    id=item.id,
                    formula=item.formula,
                    working_ion=item.working_ion or default_ion,
                    error=item.reason,
                )


def _judged(rows: Sequence[PredictedRow], crystals: Sequence[Crystal]) -> list[PredictedRow]:
    """The rows with probability, verdict and what is against it; those with an error as they are."""
    import pandas as pd

    if not rows:
        return []
    frame = pd.DataFrame([_facts(row, crystal) for row, crystal in zip(rows, crystals, strict=True)])
    chances = pass_probability(frame, ASKED)["p_all"]
    judged = with_reasons(frame.assign(verdict=judge(frame, ASKED)["verdict"].astype(str)), ASKED)
    return [
        row
        if row.error is not None
        else replace(row, p_all=None if p != p else float(p), verdict=verdict, reasons_against=against)
        for row, p, verdict, against in zip(
            rows, chances, judged["verdict"], judged["reasons_against"], strict=True
        )
    ]


def _facts(row: PredictedRow, crystal: Crystal) -> dict[str, Any]:
    """What is known of a crystal alone, by the columns of the view `screening`."""
    return row.as_dict() | {
        "chemsys": "-".join(sorted(set(crystal.species))),
        "license": None,
        "e_above_hull_ev_per_atom": crystal.e_above_hull_ev_per_atom,
    }


def _predicted_row(crystal: Crystal, prediction: VoltagePrediction) -> PredictedRow:
    from core.capacity import capacity

    row = PredictedRow(**{name: getattr(prediction, name) for name in _PREDICTED})
    if row.error is not None:
        return row
    try:
        extracted = capacity(crystal, prediction.working_ion, charge_number(prediction.working_ion))
    except ExplorerError as error:
        return replace(row, error=str(error))
    return replace(row, **asdict(extracted))


def predict_upload(
    name: str, data: bytes, working_ion: str, model: Callable[[], "VoltageModel"]
) -> PredictedStructure:
    """Return what the voltage model says of an uploaded file; one that cannot be read has the reason in its row.

    `model` is called for where there is something to predict; it raises `ModelError` where there is no model.
    """
    from core.sources.files import parse_upload

    try:
        crystal = parse_upload(name, data)
    except ExplorerError as error:
        row = PredictedRow(id=name[:_MAX_ID], working_ion=working_ion, error=str(error))
        return PredictedStructure(name=name, crystal=None, row=row)
    return predict_crystal(name, crystal, working_ion, model())


def predict_crystal(
    name: str, crystal: Crystal, working_ion: str, model: "VoltageModel"
) -> PredictedStructure:
    """Return what the voltage model says of a crystal."""
    (row,) = predicted_rows([crystal], working_ion, model)
    return PredictedStructure(name=name, crystal=crystal, row=row)


def judged_structure(
    structure: PredictedStructure, thresholds: Thresholds = ASKED, known: Mapping[str, Any] = MappingProxyType({})
) -> Judgement:  # fmt: skip
    """Return the verdict on a predicted structure with its criteria; what the crystal alone does not tell is unknown.

    `known`: what has been calculated about it, by the columns of the view `screening`. Raises `RecordError` where no
    crystal could be read.
    """
    if structure.crystal is None:
        raise RecordError(f"{structure.name} holds no crystal that could be judged: {structure.error}")
    return judgement(_facts(structure.row, structure.crystal) | dict(known), thresholds)


def rows_csv(rows: Iterable[PredictedRow]) -> str:
    """Return rows as CSV with the columns of `COLUMNS`."""
    text = io.StringIO()
    write_rows(text, COLUMNS, (row.as_dict() for row in rows))
    return text.getvalue()
