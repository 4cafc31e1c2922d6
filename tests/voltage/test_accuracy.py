"""What the Accuracy page reads: the shipped table agrees with the model's card, and damaged files are refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import ModelError
from core.voltage import VoltageCard, accuracy

COLUMNS = ",".join(
    ("partition", "battery_id", "working_ion", "formula", "id_discharge", "host_formula", "voltage_check",
     "voltage_v", "predicted_v", "std_v", "in_domain")
)  # fmt: skip


def frame_of(errors_v: list[float], std_v: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame({"error_v": errors_v, "std_v": std_v})


def error_row(ion: str, mae_v: float) -> dict:
    return {
        "working_ion": ion, "n": 10, "mae_v": mae_v, "low_v": mae_v - 0.1, "high_v": mae_v + 0.1,
        "mean_baseline_v": 1.0, "median_baseline_v": 0.9, "paper_v": None,
    }  # fmt: skip


@pytest.fixture(scope="module")
def card() -> VoltageCard:
    return accuracy.shipped_card()


@pytest.fixture(scope="module")
def shipped(card: VoltageCard) -> pd.DataFrame:
    return accuracy.read_out_of_fold(card.name)


def test_the_shipped_table_holds_every_electrode_twice(shipped: pd.DataFrame, card: VoltageCard) -> None:
    assert set(shipped["partition"]) == set(accuracy.PARTITIONS)
    for _, rows in shipped.groupby("partition"):
        assert len(rows) == rows["battery_id"].nunique() == card.n_labelled
    assert 0 < (~shipped["in_domain"]).sum() < 0.2 * len(shipped)


def test_the_shipped_table_gives_the_errors_of_the_card(shipped: pd.DataFrame, card: VoltageCard) -> None:
    own = accuracy.baseline_of_card(card)
    for partition, rows in shipped.groupby("partition"):
        found, stated = accuracy.mean_absolute_error(rows), own.row(partition, "all")
        assert found.n == stated.n
        assert found.value == pytest.approx(stated.mae_v, abs=2e-4)
        assert (found.low, found.high) == pytest.approx((stated.low_v, stated.high_v), abs=0.01)
        assert accuracy.coverage(rows).value == pytest.approx(card.evaluation.coverage[partition], abs=2e-3)


def test_coverage_counts_rows_inside_the_normal_interval() -> None:
    frame = frame_of([0.0, 1.6, -1.7, 3.0])
    assert accuracy.coverage(frame).value == 0.5
    assert accuracy.coverage(frame, 0.99).value == 0.75
    wide = accuracy.coverage(frame_of([0.0] * 400))
    assert (wide.value, wide.n) == (1.0, 400)
    assert wide.high == pytest.approx(1.0) and 0.98 < wide.low < 1.0


def test_a_normal_error_is_covered_at_every_level() -> None:
    frame = frame_of(np.random.default_rng(0).normal(0.0, 0.3, 4000).tolist(), 0.3)
    for level in accuracy.LEVELS:
        found = accuracy.coverage(frame, level)
        assert found.low - 0.01 < level < found.high + 0.01


def test_mean_absolute_error_has_an_interval_that_repeats() -> None:
    frame = frame_of([0.1, -0.3, 0.2, -0.4])
    found = accuracy.mean_absolute_error(frame)
    assert found.value == pytest.approx(0.25) and found.low < 0.25 < found.high
    assert found == accuracy.mean_absolute_error(frame)


def test_spread_bins_are_ordered_and_equal() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"std_v": rng.uniform(0.1, 1.0, 800)})
    frame["error_v"] = rng.normal(0.0, frame["std_v"])
    bins = accuracy.spread_bins(frame, 4)
    assert [it.observed_v.n for it in bins] == [200] * 4
    widths = [it.half_width_v for it in bins]
    assert widths == sorted(widths)
    for it in bins:
        assert it.observed_v.low <= it.half_width_v <= it.observed_v.high * 1.1


def test_worst_cases_come_largest_first() -> None:
    worst = accuracy.worst_cases(frame_of([0.1, -0.9, 0.5]), 2)
    assert worst["error_v"].tolist() == [-0.9, 0.5]


def test_baselines_of_all_files_are_read(tmp_path: Path) -> None:
    entry = {"description": "a forest", "random": [error_row("all", 0.4)], "host": [error_row("all", 0.5)]}
    (tmp_path / "some.json").write_text(json.dumps({"peers": {"forest": entry}, "command": "python -m x"}))
    (tmp_path / "more.json").write_text(
        json.dumps({"peers": {"tree": {"description": "a tree", "random": []}}})
    )
    tree, forest = accuracy.read_baselines(tmp_path)
    assert (tree.name, forest.name, forest.command) == ("tree", "forest", "python -m x")
    assert forest.row("host", "all").mae_v == 0.5
    assert forest.row("host", "Mg") is None and tree.row("host", "all") is None


def test_each_model_is_held_against_all_others_once(card: VoltageCard) -> None:
    names = [it.name for it in accuracy.other_models(card)]
    assert len(names) == len(set(names)) and card.name not in names
    assert {accuracy.shipped_card("fast").name, "cgcnn", "magpie-forest"} <= {*names, card.name}


def test_a_damaged_table_of_baselines_is_refused(tmp_path: Path) -> None:
    (tmp_path / "some.json").write_text('{"peers": {"forest": {"random": []}}}')
    with pytest.raises(ModelError, match=r"some\.json is not a table of baselines"):
        accuracy.read_baselines(tmp_path)


def test_an_absent_table_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing"):
        accuracy.read_out_of_fold("frozen-host", tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a,b\n1,2\n", "lacks partition"),
        (f"{COLUMNS}\n", "empty"),
        (f"{COLUMNS}\nrandom,b,Li,LiC,mp-1,C,ok,inf,1.0,0.1,True\n", "not finite"),
        (f"{COLUMNS}\nrandom,b,Li,LiC,mp-1,C,ok,much,1.0,0.1,True\n", "not the table"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "made.csv").write_text(content)
    with pytest.raises(ModelError, match=reason):
        accuracy.read_out_of_fold("made", tmp_path)
