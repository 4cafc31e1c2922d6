"""Predicted and relaxed voltages beside first-principles ones."""

from typing import Any

import pandas as pd
import pytest

from app.components.first_principles import parity_figure
from app.theme import _LIGHT as LIGHT
from core.service.first_principles import COLUMNS, comparisons, first_principles_rows


class Held:
    """A reader of three candidates, two of them computed."""

    def screen(self, columns: tuple[str, ...]) -> pd.DataFrame:
        assert columns == COLUMNS
        return pd.DataFrame(
            [
                ("a", "MgNiO2", 3.0, 3.1, 3.2, 3.3), ("b", "MgVF5", 2.0, None, 2.5, None),
                ("c", "MgO", 1.0, 1.0, None, None),
            ],
            columns=list(columns),
        )  # fmt: skip


@pytest.fixture
def rows() -> pd.DataFrame:
    unseen = pd.DataFrame(
        {
            "partition": ["host", "random"], "working_ion": ["Mg", "Mg"], "id_discharge": ["a", "b"],
            "predicted_v": [2.9, 9.9],
        }
    )  # fmt: skip
    reader: Any = Held()
    return first_principles_rows(reader, unseen)


def test_a_labelled_one_is_predicted_by_members_that_did_not_see_its_host(rows: pd.DataFrame) -> None:
    assert rows["id"].tolist() == ["a", "b"]
    assert rows["voltage_v"].tolist() == [2.9, 2.0]
    assert rows["is_labelled"].tolist() == [True, False]


def test_pairs_of_one_row_tell_nothing(rows: pd.DataFrame) -> None:
    (only,) = comparisons(rows)
    assert only.name == "Predicted against DFT" and only.n == 2
    assert only.mae.value == pytest.approx(0.4) and only.bias_v == pytest.approx(-0.4)
    assert only.mae.low <= only.mae.value <= only.mae.high


def test_those_without_a_label_are_told_apart(rows: pd.DataFrame) -> None:
    every = pd.concat([rows, rows.assign(is_labelled=False)])
    told = {it.name: it.n for it in comparisons(every)}
    assert (told["Predicted against DFT"], told["Those without a label"]) == (4, 3)


def test_the_plot_fills_what_has_a_label_and_leaves_out_what_is_not_known(rows: pd.DataFrame) -> None:
    line, predicted, relaxed = parity_figure(rows, LIGHT)["data"]
    assert line["mode"] == "lines"
    assert list(predicted["marker"]["symbol"]) == ["circle", "circle-open"]
    assert list(relaxed["x"]) == [3.2] and "MgNiO₂" in relaxed["text"][0]
