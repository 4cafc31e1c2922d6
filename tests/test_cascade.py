"""The cascade: the costly model is asked about what could pass, and about nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from core.build import predict_again
from core.cascade import Cascade, Limits
from core.records import Crystal, VoltagePrediction
from core.store import ReleaseWriter, open_reader
from core.voltage import VoltageModel
from tests.store.small_release import crystals, fill, prediction

IDS = ["mp-1", "mp-2", "mp-3", "mp-4"]


class Table:
    """A model that reads voltages off a table; None is a failure."""

    def __init__(self, name: str, voltages_v: dict[str, float | None]) -> None:
        self.name, self.voltages_v = name, voltages_v
        self.sha256 = "a" * 64
        self.card = SimpleNamespace(seeds=(0,))
        self.asked: list[str] = []

    def predict(
        self, crystals: Sequence[Crystal], working_ions: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[VoltagePrediction]:  # fmt: skip
        self.asked = [crystal.id for crystal in crystals]
        if progress is not None:
            progress(len(crystals))
        return [self._one(crystal, ion) for crystal, ion in zip(crystals, working_ions, strict=True)]

    def _one(self, crystal: Crystal, ion: str) -> VoltagePrediction:
        about = {"id": crystal.id, "formula": crystal.formula, "working_ion": ion}
        voltage_v = self.voltages_v[crystal.id]
        if voltage_v is None:
            return VoltagePrediction.failed(**about, error="broke")
        return VoltagePrediction(
            **about, voltage_v=voltage_v, voltage_std_v=0.1, voltage_low_v=voltage_v - 0.2, in_domain=True,
            voltage_high_v=voltage_v + 0.2, model=self.name,
        )  # fmt: skip


def four() -> list[Crystal]:
    """One rock salt of 2,000 Ah/L under four names."""
    return [replace(crystals()[2], id=id) for id in IDS]


def test_a_costlier_model_is_asked_about_what_could_pass() -> None:
    quick = Table("quick", {"mp-1": 1.0, "mp-2": 2.1, "mp-3": None, "mp-4": 3.0})
    middle = Table("middle", {"mp-2": 1.9, "mp-4": 3.1})
    costly = Table("costly", {"mp-4": None})
    models = cast(tuple[VoltageModel, ...], (quick, middle, costly))
    done: list[int] = []
    limits = Limits(voltage_v=2.5, margin_v=0.5, capacity_vol_ah_per_l=600.0)
    found = Cascade(models=models, limits=limits).predict(four(), ["Mg"] * 4, progress=done.append)
    assert (quick.asked, middle.asked, costly.asked) == (IDS, ["mp-2", "mp-4"], ["mp-4"])
    assert [(row.id, row.voltage_v, row.model) for row in found] == [
        ("mp-1", 1.0, "quick"), ("mp-2", 1.9, "middle"), ("mp-3", None, None), ("mp-4", 3.1, "middle"),
    ]  # fmt: skip
    assert done == [4, 4]


@pytest.mark.parametrize(
    ("voltage_v", "capacity_ah_per_l", "could"),
    [(2.0, 600.0, True), (1.99, 900.0, False), (4.0, 599.0, False), (None, 900.0, False), (4.0, None, False)],
)
def test_what_is_not_known_is_not_worth_it(
    voltage_v: float | None, capacity_ah_per_l: float | None, could: bool
) -> None:
    assert Limits().could_pass(voltage_v, capacity_ah_per_l) is could


def test_nothing_that_cannot_hold_the_charge_goes_on() -> None:
    models = cast(
        tuple[VoltageModel, ...], (Table("quick", dict.fromkeys(IDS, 4.0)), costly := Table("costly", {}))
    )
    Cascade(models=models, limits=Limits(capacity_vol_ah_per_l=1e6)).predict(four(), ["Mg"] * 4)
    assert costly.asked == []


def test_a_release_shows_the_accurate_voltage_where_there_is_one(tmp_path: Path) -> None:
    with ReleaseWriter(tmp_path) as writer:
        fill(writer)
        writer.publish(model_name="test")
    with open_reader(tmp_path) as reader:
        before = reader.screen().set_index("id")
    ids = [crystal.id for crystal in crystals()]
    for voltage_v in (3.3, 3.4):  # asked twice: the second answer stands
        model = Table("accurate", {id: None if id == ids[0] else voltage_v for id in ids})
        release, n_asked = predict_again(
            tmp_path, cast(VoltageModel, model), limits=Limits(voltage_v=prediction(crystals()[0]).voltage_v or 0.0)
        )  # fmt: skip
        assert (release.model_name, release.accurate_model_name) == ("test", "accurate")
        with open_reader(tmp_path) as reader:
            after = reader.screen().set_index("id")
            assert n_asked == len(model.asked) > 1
            for id in ids:
                asked = id in model.asked and id != ids[0]
                assert after.voltage_model[id] == ("accurate" if asked else "test")
                expected_v = voltage_v if asked else before.voltage_v[id]
                assert after.voltage_v[id] == pytest.approx(expected_v, nan_ok=True)
            by = after.provenance_id[after.voltage_model == "accurate"].unique()
            assert [reader.provenance(it)["model_name"] for it in by] == ["accurate"]
    with ReleaseWriter(tmp_path, extend=True) as writer:
        assert writer.publish().accurate_model_name == "accurate"
