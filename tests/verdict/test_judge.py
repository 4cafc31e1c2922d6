"""The verdict on whole frames: its order, what is no cathode, what stays a remark, and frames full of nothing."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.capacity import capacity
from core.ions import charge_number
from core.records import Crystal
from core.store import SCREEN_COLUMNS
from core.thresholds import Thresholds
from core.verdict import (
    REASONS,
    RULES,
    VERDICTS,
    WANTED,
    is_wanted,
    judge,
    judgement,
    with_reasons,
)

GOOD: dict[str, Any] = {
    "id": "spinel", "formula": "MgMn2O4", "chemsys": "Mg-Mn-O", "working_ion": "Mg",
    "license": "CC BY 4.0", "in_domain": True,
    "capacity_vol_ah_per_l": 1113.2, "capacity_redox_vol_ah_per_l": 1113.2,
    "voltage_v": 3.2, "voltage_std_v": 0.1, "voltage_low_v": 3.0, "voltage_high_v": 3.4,
    "relaxed_voltage_v": 3.25, "relaxed_redox_voltage_v": np.nan, "conversion_voltage_v": 1.9,
    "framework": "topotactic", "volume_change": -0.04, "largest_move_a": 0.3,
    "charged_e_above_hull_ev_per_atom": 0.05, "charged_e_above_hull_std_ev_per_atom": 0.02,
    "e_above_hull_ev_per_atom": 0.0,
}  # fmt: skip
"""A candidate of which all is known that needs to be, and that nothing speaks against."""

SPOILT: dict[str, dict[str, Any]] = {
    "redox": {"capacity_redox_vol_ah_per_l": 0.0},
    "capacity": {"capacity_redox_vol_ah_per_l": 500.0},
    "voltage": {"voltage_v": 2.5, "voltage_low_v": 2.3, "voltage_high_v": 2.7, "relaxed_voltage_v": 2.5},
    "agreement": {"relaxed_voltage_v": 5.0},
    "first principles": {"dft_voltage_v": 2.0},
    "electrolyte": {
        "voltage_v": 5.0,
        "voltage_low_v": 4.8,
        "voltage_high_v": 5.2,
        "relaxed_voltage_v": 5.0,
    },
    "host": {"framework": "collapsed"},
    "charged": {"charged_e_above_hull_ev_per_atom": 0.5},
    "discharged": {"e_above_hull_ev_per_atom": 0.5},
    "insertion": {"conversion_voltage_v": 4.5},
    "elements": {"chemsys": "Mg-Mn-O-Re"},
    "barrier": {"barrier_ev": 1.5, "barrier_std_ev": 0.4},
    "dynamics": {"sigma_verdict": "framework melted"},
}
"""For each criterion what turns a good row against it."""

HIDDEN: dict[str, tuple[str, ...]] = {
    "voltage": ("voltage_v",),
    "agreement": ("relaxed_voltage_v",),
    "host": ("framework",),
    "charged": ("charged_e_above_hull_ev_per_atom",),
    "discharged": ("e_above_hull_ev_per_atom",),
    "insertion": ("conversion_voltage_v",),
    "elements": ("chemsys",),
    "capacity": ("capacity_redox_vol_ah_per_l",),
}


def verdict(row: dict[str, Any]) -> str:
    return judgement(row, Thresholds()).verdict


def hand_made(counts: dict[str, int], volume_a3: float) -> dict[str, Any]:
    """A row whose capacity the project counts itself, and which is perfect in all that relaxation would tell."""
    species = tuple(element for element, count in counts.items() for _ in range(count))
    formula = "".join(f"{e}{n if n > 1 else ''}" for e, n in counts.items())
    crystal = Crystal(
        id=formula, formula=formula, source="test", species=species,
        lattice_a=np.eye(3) * volume_a3 ** (1 / 3), frac=np.zeros((len(species), 3)),
    )  # fmt: skip
    counted = capacity(crystal, "Mg", charge_number("Mg"))
    return {
        **GOOD,
        "formula": formula,
        "chemsys": "-".join(sorted(counts)),
        "capacity_vol_ah_per_l": counted.capacity_vol_ah_per_l,
        "capacity_redox_vol_ah_per_l": counted.capacity_redox_vol_ah_per_l,
    }


def test_all_known_and_nothing_against_is_made_next() -> None:
    judged = judge(pd.DataFrame([GOOD]), Thresholds()).iloc[0]
    assert judged["verdict"] == "make next"
    assert (judged["n_for"], judged["n_against"], judged["n_unknown"]) == (10, 0, 0)


def test_costly_checks_need_not_be_known_but_count_where_they_are() -> None:
    assert [it.key for it in judgement(GOOD, Thresholds()).of("unknown")] == [
        "first principles", "barrier", "dynamics",
    ]  # fmt: skip
    fast = {**GOOD, "sigma_verdict": "diffusive", "sigma_ms_per_cm": 300.0, "sigma_low_ms_per_cm": 180.0}
    assert judge(pd.DataFrame([fast]), Thresholds())["n_for"].iloc[0] == 11


@pytest.mark.parametrize("key", [rule.key for rule in RULES])
def test_one_thing_against_it_makes_a_candidate_doubtful_and_redox_none_at_all(key: str) -> None:
    row = {**GOOD, **SPOILT[key]}
    judged = judgement(row, Thresholds())
    against = [it.key for it in judged.of("against")]
    assert key in against
    assert judged.verdict == ("no cathode" if key == "redox" else "doubtful")
    assert against == ([key] if key != "redox" else ["redox", "capacity"])


@pytest.mark.parametrize("key", sorted(HIDDEN))
def test_one_thing_not_known_keeps_a_candidate_open(key: str) -> None:
    judged = judgement({**GOOD, **dict.fromkeys(HIDDEN[key])}, Thresholds())
    assert key in [it.key for it in judged.of("unknown")]
    assert judged.verdict == "open"


def test_against_weighs_more_than_unknown() -> None:
    assert verdict({**GOOD, "framework": "collapsed", "chemsys": None}) == "doubtful"
    assert verdict({"chemsys": "F-Mg"}) == "no cathode"


def test_verdicts_sort_best_first() -> None:
    rows = [
        {**GOOD, "id": "d", **SPOILT["redox"]},
        {**GOOD, "id": "b", "framework": None},
        {**GOOD, "id": "c", **SPOILT["host"]},
        {**GOOD, "id": "a"},
    ]
    judged = judge(pd.DataFrame(rows), Thresholds()).assign(id=[row["id"] for row in rows])
    assert list(judged.sort_values("verdict")["id"]) == ["a", "b", "c", "d"]
    assert list(judged.sort_values("verdict")["verdict"]) == list(VERDICTS)
    assert VERDICTS == ("make next", "open", "doubtful", "no cathode")
    assert judged["verdict"].cat.ordered


def test_wanted_are_the_first_two() -> None:
    rows = [GOOD, {**GOOD, "framework": None}, {**GOOD, **SPOILT["host"]}, {**GOOD, **SPOILT["redox"]}]
    judged = judge(pd.DataFrame(rows), Thresholds())
    assert is_wanted(judged, WANTED).tolist() == [True, True, False, False]
    assert is_wanted(judged, ()).tolist() == [False] * 4


@pytest.mark.parametrize(
    ("counts", "volume_a3", "words"),
    [
        ({"Mg": 1, "Fe": 1, "F": 5}, 100.0, "Fe already at the highest"),  # Fe 3+
        ({"Ca": 1, "Mg": 1, "As": 1, "O": 4, "F": 1}, 95.0, "no redox metal"),
        ({"Mg": 1, "Cr": 1, "F": 6}, 110.0, "Cr already at the highest"),  # Cr 4+
        ({"Mg": 1, "F": 2}, 33.0, "no redox metal"),
        ({"K": 1, "Mg": 1, "F": 3}, 64.0, "no redox metal"),
        ({"Mg": 1, "Al": 2, "O": 4}, 66.0, "no redox metal"),
        ({"Mg": 1, "O": 1}, 19.0, "no redox metal"),
        ({"Mg": 1, "Fe": 2, "O": 4}, 74.0, "Fe already at the highest"),  # Fe 3+
        ({"Mg": 2, "Ni": 1}, 51.0, "no anion"),
    ],
    ids=["MgFeF5", "CaMgAsO4F", "MgCrF6", "MgF2", "KMgF3", "MgAl2O4", "MgO", "MgFe2O4", "Mg2Ni"],
)
def test_what_cannot_pay_for_its_ions_is_no_cathode(
    counts: dict[str, int], volume_a3: float, words: str
) -> None:
    row = hand_made(counts, volume_a3)
    judged = judgement(row, Thresholds())
    assert judged.verdict == "no cathode"
    (redox,) = [it for it in judged.of("against") if it.key == "redox"]
    assert words in redox.text
    # whatever low limits are asked for, and whichever definition
    for thresholds in (
        Thresholds(voltage_v=0.0, capacity_vol_ah_per_l=0.0, sigma_ms_per_cm=None),
        Thresholds(definition="paper"),
    ):
        assert judgement(row, thresholds).verdict == "no cathode"


@pytest.mark.parametrize(
    ("counts", "volume_a3"),
    [
        ({"Mg": 1, "Mn": 2, "O": 4}, 79.96),
        ({"Mg": 1, "Cr": 2, "O": 4}, 75.87),
        ({"Mg": 1, "V": 2, "O": 4}, 77.0),
    ],
    ids=["MgMn2O4", "MgCr2O4", "MgV2O4"],
)
def test_known_cathodes_are_not_turned_away(counts: dict[str, int], volume_a3: float) -> None:
    assert verdict(hand_made(counts, volume_a3)) == "make next"


@pytest.mark.parametrize(
    ("license_", "remarks"),
    [
        ("CC BY-NC 4.0", ["structure under CC BY-NC 4.0: no commercial use of it"]),  # GNoME's
        ("CC BY 4.0", ["structure under CC BY 4.0"]),
        ("", []),
        (None, []),
        (np.nan, []),
        (pd.NA, []),
    ],
)
def test_a_licence_is_a_remark_and_changes_no_verdict(license_: Any, remarks: list[str]) -> None:
    row = {**GOOD, "license": license_}
    judged = judgement(row, Thresholds())
    assert judged.verdict == "make next"
    assert [it.text for it in judged.of("remark")] == remarks
    assert "licence" not in [it.key for state in ("for", "against", "unknown") for it in judged.of(state)]
    told = with_reasons(pd.DataFrame([row]), Thresholds())
    assert not any("structure under" in told[column].iloc[0] for column in REASONS)


def test_a_polymorph_that_melts_is_a_hint_and_changes_no_verdict() -> None:
    row = {**GOOD, "melted_polymorph": "mvc-14334"}
    judged = judgement(row, Thresholds())
    dynamics = judged.of("unknown")[-1]
    assert judged.verdict == "make next" and dynamics.key == "dynamics" and dynamics.is_told
    assert dynamics.text == "not simulated, but its polymorph mvc-14334 melts in molecular dynamics"
    assert with_reasons(pd.DataFrame([row]), Thresholds())["unknown"].tolist() == [dynamics.text]
    assert judge(pd.DataFrame([row]), Thresholds()).equals(judge(pd.DataFrame([GOOD]), Thresholds()))
    simulated = {**row, "sigma_verdict": "diffusive", "sigma_ms_per_cm": 300.0, "sigma_low_ms_per_cm": 180.0}
    assert "polymorph" not in " ".join(it.text for it in judgement(simulated, Thresholds()).criteria)


def test_a_licence_counts_nowhere() -> None:
    rows = pd.DataFrame([GOOD, {**GOOD, "license": "CC BY-NC 4.0"}])
    judged = judge(rows, Thresholds())
    assert judged.iloc[0].tolist() == judged.iloc[1].tolist()


COLUMNS = [name for name in dict.fromkeys((*SCREEN_COLUMNS, *GOOD)) if name != "working_ion"]


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
def test_nothing_known_is_open_with_nothing_for_it(missing: Any) -> None:
    frame = pd.DataFrame({name: [missing, missing] for name in COLUMNS}, index=["x", "y"])
    judged = judge(frame, Thresholds())
    assert judged.index.tolist() == ["x", "y"]
    assert (judged["verdict"] == "open").all()
    assert (judged["n_for"] == 0).all() and (judged["n_against"] == 0).all()
    assert (judged["n_unknown"] == sum(rule.needed for rule in RULES)).all()
    told = with_reasons(frame, Thresholds())
    assert told["reasons_for"].tolist() == ["", ""]
    assert told["reasons_against"].tolist() == ["", ""]
    assert "no predicted voltage" in told["unknown"].iloc[0]
    assert judgement(frame.iloc[0].to_dict(), Thresholds()).of("for") == ()


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
@pytest.mark.parametrize("name", COLUMNS)
def test_one_missing_column_never_adds_a_reason_for(name: str, missing: Any) -> None:
    known = {it.key for it in judgement(GOOD, Thresholds()).of("for")}
    held = {it.key for it in judgement({**GOOD, name: missing}, Thresholds()).of("for")}
    assert held <= known


def test_a_missing_value_and_a_missing_column_are_judged_alike() -> None:
    for name in COLUMNS:
        without = {key: value for key, value in GOOD.items() if key != name}
        assert (
            judgement(without, Thresholds()).verdict
            == judgement({**without, name: None}, Thresholds()).verdict
        )


def test_a_frame_of_no_rows_and_one_of_no_columns() -> None:
    for frame in (pd.DataFrame(), pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame([GOOD]).iloc[:0]):
        judged = judge(frame, Thresholds())
        assert len(judged) == 0
        assert list(judged["verdict"].cat.categories) == list(VERDICTS)
        assert set(REASONS) <= set(with_reasons(frame, Thresholds()).columns)
    assert (judge(pd.DataFrame(index=range(3)), Thresholds())["verdict"] == "open").all()


def test_a_row_is_judged_alone_as_in_a_frame() -> None:
    rows = [GOOD, *({**GOOD, **spoilt} for spoilt in SPOILT.values()), {**GOOD, "framework": None}]
    frame = pd.DataFrame(rows)
    together = judge(frame, Thresholds())
    told = with_reasons(frame, Thresholds())
    for position, row in enumerate(frame.to_dict("records")):
        alone = judgement(row, Thresholds())
        assert alone.verdict == together["verdict"].iloc[position]
        assert len(alone.of("for")) == together["n_for"].iloc[position]
        assert len(alone.of("against")) == together["n_against"].iloc[position]
        needed = [it for it in alone.of("unknown") if it.needed]
        assert len(needed) == together["n_unknown"].iloc[position]
        assert told["reasons_against"].iloc[position] == "; ".join(it.text for it in alone.of("against"))
        assert told["unknown"].iloc[position] == "; ".join(it.text for it in needed)


def test_rows_keep_their_order_and_index() -> None:
    frame = pd.DataFrame([{**GOOD, **SPOILT["host"]}, GOOD], index=[7, 7])
    judged = judge(frame, Thresholds())
    assert judged.index.tolist() == [7, 7]
    assert judged["verdict"].tolist() == ["doubtful", "make next"]
    assert with_reasons(frame, Thresholds()).index.tolist() == [7, 7]


def test_judging_leaves_the_frame_as_it_was() -> None:
    frame = pd.DataFrame([GOOD])
    before = frame.copy(deep=True)
    judge(frame, Thresholds())
    with_reasons(frame, Thresholds())
    pd.testing.assert_frame_equal(frame, before)


def test_reasons_are_read_worst_first() -> None:
    row = {**GOOD, "framework": "collapsed", "e_above_hull_ev_per_atom": None}
    states = [it.state for it in judgement(row, Thresholds()).criteria]
    assert states == sorted(states, key=["against", "unknown", "for", "remark"].index)
    assert states[0] == "against" and states[-1] == "remark"


def test_reasons_in_columns_name_the_numbers() -> None:
    told = with_reasons(pd.DataFrame([{**GOOD, "framework": "collapsed"}]), Thresholds()).iloc[0]
    assert "1,113 Ah/L" in told["reasons_for"] and "3.20 V" in told["reasons_for"]
    assert "host collapsed: volume -4.0%" in told["reasons_against"]
    assert told["unknown"] == ""  # dynamics need not be known


def test_a_verdict_asks_for_redox_capacity_by_either_definition() -> None:
    row = {**GOOD, "capacity_redox_vol_ah_per_l": 500.0}
    assert Thresholds().capacity_column == "capacity_redox_vol_ah_per_l"
    assert Thresholds(definition="paper").capacity_column == "capacity_vol_ah_per_l"
    assert judgement(row, Thresholds(definition="paper")).verdict == "doubtful"
