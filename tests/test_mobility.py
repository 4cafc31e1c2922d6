"""Barrier and dynamics together say whether ions get through; the final list holds those with nothing else against."""

import math
from typing import Any

import pandas as pd
import pytest

from core.mobility import LIMITS, final_list, mobility
from core.verdict import judge
from tests.verdict.test_judge import GOOD

NAN = math.nan
LOW, HIGH, CLOSE = ({"barrier_ev": barrier_ev, "barrier_std_ev": 0.1} for barrier_ev in (0.4, 1.2, 0.6))
CONDUCTS = {
    "sigma_verdict": "diffusive",
    "sigma_ms_per_cm": 300.0,
    "sigma_low_ms_per_cm": 180.0,
    "sigma_high_ms_per_cm": 500.0,
}
BOTH_SIDES = {**CONDUCTS, "sigma_low_ms_per_cm": 60.0}
RESTS = {"sigma_verdict": "upper limit", "sigma_high_ms_per_cm": 20.0}
PERHAPS = {"sigma_verdict": "upper limit", "sigma_high_ms_per_cm": 400.0}
MELTS = {"sigma_verdict": "framework melted", "sigma_ms_per_cm": 300.0}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, "untested"),
        (LOW, "fast"), (HIGH, "slow"), (CLOSE, "undecided"), ({"barrier_ev": 0.3}, "undecided"),
        (CONDUCTS, "fast"), (RESTS, "slow"), (PERHAPS, "undecided"), (MELTS, "undecided"), (BOTH_SIDES, "undecided"),
        ({**LOW, **CONDUCTS}, "fast"), ({**CLOSE, **CONDUCTS}, "fast"), ({**LOW, **PERHAPS}, "fast"),
        ({**HIGH, **RESTS}, "slow"), ({**HIGH, **PERHAPS}, "slow"),
        ({**LOW, **RESTS}, "undecided"), ({**HIGH, **CONDUCTS}, "undecided"),
    ],
)  # fmt: skip
def test_one_must_speak_and_the_other_not_against_it(row: dict[str, Any], expected: str) -> None:
    columns = dict.fromkeys(("barrier_ev", "barrier_std_ev", "sigma_ms_per_cm", "sigma_high_ms_per_cm"), NAN)
    frame = pd.DataFrame([{**columns, "sigma_verdict": None, **row}])
    assert mobility(frame).tolist() == [expected]


def test_a_frame_without_the_columns_is_untested() -> None:
    assert mobility(pd.DataFrame({"id": ["a", "b"]})).tolist() == ["untested", "untested"]


def test_the_list_holds_what_gets_through_with_nothing_else_against_it() -> None:
    rows = [
        {**GOOD, "id": "rests", **HIGH},
        {**GOOD, "id": "unknown"},
        {**GOOD, "id": "melts", **LOW, **MELTS},
        {**GOOD, "id": "listed", **LOW},
        {**GOOD, "id": "low", "voltage_v": 2.0, **LOW},
    ]
    found = final_list(pd.DataFrame(rows))
    assert found.rows["id"].tolist() == ["listed", "melts", "unknown", "rests"]
    assert found.final["id"].tolist() == ["listed"]
    assert (found.n_candidates, found.n_passing, found.n_tested, found.n_fast) == (5, 4, 3, 2)


def test_the_verdict_of_the_list_is_the_screen_pages() -> None:
    frame = pd.DataFrame([{**GOOD, "id": "a", **HIGH}, {**GOOD, "id": "b"}])
    asked = judge(frame, LIMITS)["verdict"].astype(str).tolist()
    assert asked == ["doubtful", "make next"]
    assert set(final_list(frame).rows["verdict"].astype(str)) == set(asked)
