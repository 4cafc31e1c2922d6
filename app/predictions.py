"""What the Predict page keeps of each uploaded file: its structure and its row of results, or why there is none."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from app import state
from core.cli.output import write_rows
from core.cli.predict import COLUMNS, predicted_rows
from core.errors import ExplorerError
from core.records import Crystal
from core.screening import Thresholds, pass_probability, passes
from core.sources.files import parse_upload

MAX_FILES: Final = 20
EXAMPLE_ID: Final = "mp-32006"
"""MgMn2O4, the spinel that the magnesium literature knows best: 14 sites."""

_EMPTY: Final[dict[str, Any]] = dict.fromkeys(COLUMNS)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One structure and its row (keys as `core.cli.predict.COLUMNS`); `crystal` is None where none could be read."""

    name: str
    crystal: Crystal | None
    row: Mapping[str, Any]

    @property
    def error(self) -> str | None:
        """Why there is no prediction, or None."""
        error: str | None = self.row["error"]
        return error


def fingerprint(name: str, data: bytes, working_ion: str) -> str:
    """Return the key of one file predicted for one working ion."""
    return hashlib.sha256(b"\0".join([name.encode(), working_ion.encode(), data])).hexdigest()


def predict_upload(name: str, data: bytes, working_ion: str) -> Result:
    """Return what the voltage model says of an uploaded file; one that cannot be read is a result with its reason."""
    try:
        crystal = parse_upload(name, data)
    except ExplorerError as error:
        reason = {"id": name[:80], "working_ion": working_ion, "error": str(error)}
        return Result(name=name, crystal=None, row=_EMPTY | reason)
    return predict_crystal(name, crystal, working_ion)


def predict_crystal(name: str, crystal: Crystal, working_ion: str) -> Result:
    """Return what the voltage model says of a crystal; raise `ModelError` where there is no model."""
    row = next(predicted_rows([crystal], working_ion, state.voltage_model()))
    return Result(name=name, crystal=crystal, row=_EMPTY | row)


def verdict(result: Result, thresholds: Thresholds) -> tuple[bool, float]:
    """Return whether a predicted structure passes the thresholds, and the probability that it does."""
    frame = pd.DataFrame([result.row])
    return bool(passes(frame, thresholds)[0]), float(pass_probability(frame, thresholds)["p_all"].iloc[0])


def results_frame(results: list[Result]) -> pd.DataFrame:
    """Return the rows of all results, one a file, with the file's name first."""
    return pd.DataFrame(
        [{"file": result.name, **result.row} for result in results], columns=["file", *COLUMNS]
    )


def results_csv(results: list[Result]) -> bytes:
    """Return the rows of all results as CSV, with the columns of `python -m core predict`."""
    text = io.StringIO()
    write_rows(text, COLUMNS, [result.row for result in results])
    return text.getvalue().encode()
