"""Tables as CSV: what is kept of numbers and text, and that no cell is run as a formula."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.csv_text import frame_csv, write_rows, zipped

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["a", "b", "c", "d", "e"],
            "formula": ["MgMn2O4", "=cmd()", "MgO", "Mg2Sn", "-x"],
            "voltage_v": [3.2, 3.5, -0.5, np.nan, 1 / 3],
        }
    )


def test_a_frame_reads_back(frame: pd.DataFrame) -> None:
    frame.loc[0, "formula"] = "Mg#2"
    text = frame_csv(frame)
    assert text.startswith("id,formula,voltage_v\n")
    back = pd.read_csv(io.StringIO(text))
    assert back.id.tolist() == frame.id.tolist()
    assert back.formula[0] == "Mg#2"
    np.testing.assert_allclose(back.voltage_v, frame.voltage_v, rtol=1e-5)


def test_numbers_have_six_digits_that_mean_something() -> None:
    text = frame_csv(
        pd.DataFrame({"x": [1 / 3, 1234.56789, 1.23456789e-7, np.nan], "n": [1_234_567, 2, 3, 4]})
    )
    assert text.splitlines()[1:] == ["0.333333,1234567", "1234.57,2", "1.23457e-07,3", ",4"]


def test_a_zip_holds_its_files_and_is_the_same_for_the_same_texts() -> None:
    files = {"a.csv": "x\n1\n", "a.csv.json": "{}"}
    archive = zipped(files)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {name: opened.read(name).decode() for name in opened.namelist()} == files
    assert zipped(files) == archive


def test_formulas_of_spreadsheets_are_made_inert_in_text_alone(frame: pd.DataFrame) -> None:
    frame["elements"] = [["Mg", "O"]] * 5
    frame["metals"] = [np.array(["Mn"])] * 5
    frame["note"] = ["@a", "+b", "\tc", None, "ok"]
    back = pd.read_csv(io.StringIO(frame_csv(frame)))
    assert back.formula.tolist() == ["MgMn2O4", "'=cmd()", "MgO", "Mg2Sn", "'-x"]
    assert back.note.tolist()[:3] == ["'@a", "'+b", "'\tc"]
    assert back.voltage_v[2] == -0.5
    assert back.elements[0] == "Mg, O" and back.metals[0] == "Mn"


def test_rows_and_frames_agree_on_what_is_inert() -> None:
    hostile = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "plain"]
    stream = io.StringIO()
    write_rows(stream, ["text"], [{"text": text} for text in hostile])
    written = frame_csv(pd.DataFrame({"text": hostile}))
    assert pd.read_csv(io.StringIO(stream.getvalue())).equals(pd.read_csv(io.StringIO(written)))


def test_the_rule_is_written_once() -> None:
    marks = [path for path in (ROOT / "core").rglob("*.py") if "_FORMULA_STARTS: Final" in path.read_text()]
    assert [path.name for path in marks] == ["csv_text.py"]
