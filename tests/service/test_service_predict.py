"""Rows of predictions: one a structure in its place, whatever happens to it, for files and uploads alike."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ModelError, RecordError, SourceError
from core.records import Crystal, FailedInput, VoltagePrediction
from core.service import predict
from core.service.predict import (
    ASKED,
    COLUMNS,
    PredictedRow,
    judged_structure,
    predict_crystal,
    predict_files,
    predict_upload,
    predicted_rows,
    rows_csv,
)
from core.service.screen import Thresholds
from tests.app.structures import MGO_CIF
from tests.store.small_release import spinel


class Constant:
    """A model that predicts 3.5 V for what holds the ion, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def predict(self, crystals: Sequence[Crystal], working_ions: Sequence[str]) -> list[VoltagePrediction]:
        self.asked.append(len(crystals))
        return [self._one(crystal, ion) for crystal, ion in zip(crystals, working_ions, strict=True)]

    def _one(self, crystal: Crystal, ion: str) -> VoltagePrediction:
        about = {"id": crystal.id, "formula": crystal.formula, "working_ion": ion}
        if not crystal.count(ion):
            return VoltagePrediction.failed(**about, error=f"holds no {ion}")
        return VoltagePrediction(
            **about, voltage_v=3.5, voltage_std_v=0.5, voltage_low_v=2.7, voltage_high_v=4.3, in_domain=True
        )


def test_every_input_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "_CHUNK", 2)
    model = Constant()
    broken = FailedInput(id="broken", reason="no lattice")
    rows = list(predicted_rows([spinel(), broken, spinel(), spinel()], "Mg", model))
    assert [row.id for row in rows] == ["mp-32006", "broken", "mp-32006", "mp-32006"]
    assert [row.error for row in rows] == [None, "no lattice", None, None]
    assert model.asked == [1, 2]
    assert rows[0].capacity_vol_ah_per_l == pytest.approx(1119, abs=1) and rows[1].voltage_v is None


def test_a_structures_own_ion_wins_and_a_refusal_keeps_its_reason() -> None:
    no_ion = Crystal(
        id="x", formula="MnO", lattice_a=spinel().lattice_a, species=("Mn", "O"), frac=spinel().frac[[0, 20]],
        source="test", working_ion="Ca",
    )  # fmt: skip
    (row,) = predicted_rows([no_ion], "Mg", Constant())
    assert row.working_ion == "Ca" and row.error == "holds no Ca" and row.capacity_vol_ah_per_l is None


def test_files_are_refused_before_anything_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "load_model", lambda _: pytest.fail("no model is needed"))
    with pytest.raises(SourceError, match=r"none\.cif is not there"):
        predict_files([tmp_path / "none.cif"], "Mg")


def test_a_missing_model_is_said_before_the_first_row(tmp_path: Path) -> None:
    (tmp_path / "a.cif").write_bytes(MGO_CIF)
    with pytest.raises(ModelError, match="no-such-model"):
        predict_files([tmp_path], "Mg", "no-such-model")


def test_an_upload_that_cannot_be_read_needs_no_model() -> None:
    result = predict_upload("page.cif", b"<html>", "Mg", lambda: pytest.fail("no model is needed"))
    assert result.crystal is None and result.error and result.row.id == "page.cif"
    good = predict_upload("mgo.cif", MGO_CIF, "Mg", Constant)
    assert good.crystal is not None and good.error is None and good.row.voltage_v == 3.5


def test_the_chance_counts_the_spread_and_the_verdict_what_is_not_known() -> None:
    result = predict_crystal("spinel", spinel(), "Mg", Constant())
    assert result.row.p_all == pytest.approx(0.8413, abs=1e-4) and result.row.verdict == "open"
    judged = judged_structure(result)
    assert judged.verdict == "open" and result.row.reasons_against == ""
    assert {it.key for it in judged.of("for")} == {
        "redox",
        "capacity",
        "voltage",
        "electrolyte",
        "discharged",
        "elements",
    }
    assert {it.key for it in judged.of("unknown") if it.needed} == {
        "agreement",
        "host",
        "charged",
        "insertion",
    }
    assert judged_structure(result, Thresholds(voltage_v=4.5)).verdict == "doubtful"


def test_a_spinel_without_a_redox_metal_passes_nothing() -> None:
    """MgAl2O4 was told "Passes, probability 100 %"."""
    species = tuple("Al" if symbol == "Mn" else symbol for symbol in spinel().species)
    result = predict_crystal(
        "MgAl2O4", replace(spinel(), formula="MgAl2O4", species=species), "Mg", Constant()
    )
    row = result.row
    assert row.capacity_vol_ah_per_l > ASKED.capacity_vol_ah_per_l and row.capacity_redox_vol_ah_per_l == 0.0
    assert row.p_all == 0.0 and row.verdict == "no cathode" and "no redox metal" in row.reasons_against


def test_what_was_not_read_cannot_be_judged() -> None:
    refused = predict_upload("page.cif", b"<html>", "Mg", Constant)
    with pytest.raises(RecordError, match=r"page\.cif holds no crystal"):
        judged_structure(refused)


def test_rows_as_csv() -> None:
    head, line = rows_csv(
        [PredictedRow(id="=a", working_ion="Mg", voltage_v=3.5, in_domain=True)]
    ).splitlines()
    assert tuple(head.split(",")) == COLUMNS
    assert line == "'=a,,Mg,3.500000,,,,true" + "," * 8
