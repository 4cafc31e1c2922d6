"""Measured cathodes beside predictions: of members that saw no such host, and none where no structure is at hand."""

import math
from typing import Any

import pandas as pd
import pytest

from app.components.landmarks import measured_figure, trace_of
from app.theme import _LIGHT as LIGHT
from core.landmarks import LANDMARKS
from core.service.accuracy import read_out_of_fold, shipped_card
from core.service.landmarks import agreement, measured_cathodes
from core.service.release import current_reader


class Held:
    """A reader that holds two of the discharged structures."""

    def screen(self, columns: tuple[str, ...]) -> pd.DataFrame:
        return pd.DataFrame(
            [("mp-32006", "MgMn2O4", 2.9, 1113.0, 270.0), ("mp-18900", "MgV2O4", 2.5, 1129.0, 282.0)],
            columns=list(columns),
        )


@pytest.fixture
def rows() -> pd.DataFrame:
    unseen = pd.DataFrame(
        {"partition": ["host", "random"], "working_ion": ["Mg", "Mg"], "id_discharge": ["mp-32006", "mp-18900"],
         "predicted_v": [2.8, 9.9]}
    )  # fmt: skip
    reader: Any = Held()
    return measured_cathodes(reader, unseen).set_index("name", drop=False)


def test_members_that_saw_the_host_do_not_speak(rows: pd.DataFrame) -> None:
    assert rows.loc["MgMn2O4", "predicted_v"] == 2.8
    assert rows.loc["MgV2O4", "predicted_v"] == 2.5


def test_what_the_release_does_not_hold_is_unknown(rows: pd.DataFrame) -> None:
    assert len(rows) == len(LANDMARKS)
    assert pd.isna(rows.loc["Mo6S8", "id"]) and math.isnan(rows.loc["Mo6S8", "predicted_v"])
    assert math.isnan(rows.loc["Mo6S8", "measured_capacity_vol_ah_per_l"])


def test_agreement_counts_those_with_both(rows: pd.DataFrame) -> None:
    told = agreement(rows)
    assert told is not None and told.mae.n == 2
    assert told.mae.value == pytest.approx((0.6 + 0.5) / 2) and told.bias_v == pytest.approx(-0.05)
    assert agreement(rows.loc[["MgMn2O4"]]) is None


def test_only_what_has_a_place_is_drawn(rows: pd.DataFrame) -> None:
    trace = trace_of(rows, LIGHT)
    assert trace["text"] == ["MgV₂O₄"] and "customdata" not in trace
    assert trace["name"] == f"measured cathodes (1 of {len(LANDMARKS)} placed)"
    assert trace["x"] == [pytest.approx(175.0 * 1129.0 / 282.0)]
    assert measured_figure(rows, LIGHT)["data"][1]["text"] == ["MgMn₂O₄", "MgV₂O₄"]


def test_the_shipped_release_holds_the_benchmarks() -> None:
    rows = measured_cathodes(current_reader(), read_out_of_fold(shipped_card().name)).set_index("name")
    told = agreement(rows)
    assert told is not None and told.mae.n >= 5 and told.mae.value < 0.6
    assert rows.loc["Mo6S8", "id"] == "mp-677217" and 0.5 < rows.loc["Mo6S8", "predicted_v"] < 1.5
