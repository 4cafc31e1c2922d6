"""The Final list page: its counts and rows are those of the release, and of `export --final`."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.cli import main
from core.mobility import final_list
from core.store import open_reader
from tests.store.small_release import make_release

Opener = Callable[..., AppTest]


def test_the_funnel_ends_in_the_rows_of_the_release(open_page: Opener, release_folder: Path) -> None:
    app = open_page("final")
    assert not app.exception and not app.error
    with open_reader(release_folder) as reader:
        found = final_list(reader.screen())
    counts = [found.n_candidates, found.n_passing, found.n_tested, found.n_fast, len(found.final)]
    assert [metric.value for metric in app.metric] == [f"{n:,}" for n in counts]
    assert counts == sorted(counts, reverse=True) and counts[-1] > 0
    shown = app.dataframe[0].value
    assert shown["id"].tolist() == found.rows["id"].tolist()
    assert shown["is_final"].sum() == len(found.final)


def test_export_writes_the_same_list_with_its_counts(release_folder: Path, tmp_path: Path, capsys) -> None:
    output = tmp_path / "final.csv"
    assert main(["export", "--final", "-o", str(output)]) == 0
    rows = list(csv.DictReader(io.StringIO(output.read_text())))
    with open_reader(release_folder) as reader:
        found = final_list(reader.screen())
    assert [row["id"] for row in rows] == found.rows["id"].tolist()
    assert [row["id"] for row in rows if row["is_final"] == "True"] == found.final["id"].tolist()
    assert f'"final": {len(found.final)}' in (tmp_path / "final.csv.json").read_text()
    assert f"{len(found.final)} on the final list" in capsys.readouterr().err


def test_what_was_not_tested_is_not_on_the_list(open_page: Opener, use_release, tmp_path: Path) -> None:
    make_release(tmp_path)
    use_release(tmp_path)
    app = open_page("final")
    assert not app.exception and app.metric[-1].value == "0"
    assert set(app.dataframe[0].value["mobility"]) == {"untested"}
