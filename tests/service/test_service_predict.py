"""Rows of predictions: one a structure in its place, whatever happens to it, for files and uploads alike."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ModelError, RecordError, RelaxationError, SourceError, StructureError
from core.records import Crystal, FailedInput, VoltagePrediction
from core.service import predict
from core.service.predict import (
    COLUMNS,
    MAX_UPLOADS,
    PredictedRow,
    judged_structure,
    predict_crystal,
    predict_files,
    predict_upload,
    predicted_rows,
    rows_csv,
)
from core.service.relax_first import RelaxedFirst, relax_first
from core.service.screen import ASKED, Thresholds
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


def test_every_input_keeps_its_place() -> None:
    model = Constant()
    broken = FailedInput(id="broken", reason="no lattice")
    rows = list(predicted_rows([spinel(), broken, spinel(), spinel()], "Mg", model, chunk=2))
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
    assert line == "'=a,,Mg,3.500000,,,,true" + "," * 16


def test_a_row_says_what_nobody_knows_yet() -> None:
    """That ions get through, and that the host survives, must not pass for known."""
    row = predict_crystal("spinel", spinel(), "Mg", Constant()).row
    assert "how high ions must climb to get through is not known" in row.unknown
    assert "host not relaxed yet" in row.unknown and "not simulated" in row.unknown


def test_an_alloy_is_no_cathode() -> None:
    species = tuple("Ni" if symbol == "O" else symbol for symbol in spinel().species)
    crystal = replace(spinel(), formula="MgMn2Ni4", species=species)
    row = predict_crystal("alloy", crystal, "Mg", Constant()).row
    assert row.verdict == "no cathode" and row.reasons_against.startswith("no anion: an intermetallic")
    assert row.error is None and row.p_all is None


def relaxed(crystal: Crystal, unrest: str | None = None) -> RelaxedFirst:
    return RelaxedFirst(
        crystal=replace(crystal, lattice_a=1.1 * crystal.lattice_a), potential="toy", volume_change=0.331,
        start_force_ev_per_a=4.0, start_pressure_gpa=119.0, n_steps=15, unrest=unrest,
    )  # fmt: skip


def test_a_row_says_that_it_was_relaxed_first_and_how_it_was_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "relax_first", relaxed)
    (row,) = predicted_rows([spinel()], "Mg", Constant(), relax=True)
    assert row.relaxed_by == "toy" and row.relaxed_volume_change == 0.331 and row.start_pressure_gpa == 119.0
    assert row.in_domain is True
    assert row.capacity_vol_ah_per_l == pytest.approx(1119 / 1.331, abs=1)  # of the relaxed cell


def test_what_did_not_come_to_rest_is_out_of_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        predict, "relax_first", lambda crystal: relaxed(crystal, "not at rest after 300 steps")
    )
    (row,) = predicted_rows([spinel()], "Mg", Constant(), relax=True)
    assert row.in_domain is False and row.domain_reason == "not at rest after 300 steps"
    assert row.verdict == "open" and "not at rest after 300 steps" in row.unknown


def test_what_breaks_while_it_is_relaxed_keeps_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(crystal: Crystal) -> RelaxedFirst:
        raise RelaxationError("its cell went to 2.02 times its volume")

    monkeypatch.setattr(predict, "relax_first", broken)
    (row,) = predicted_rows([spinel()], "Mg", Constant(), relax=True)
    assert row.error == "It could not be relaxed first: its cell went to 2.02 times its volume"


def test_a_crystal_too_large_to_wait_for_is_sent_to_the_command_line() -> None:
    with pytest.raises(RelaxationError, match=r"56 sites; up to 20 .*predict --relax"):
        relax_first(spinel(), max_sites=20)


def test_twenty_uploads_one_of_them_bad() -> None:
    """All are predicted by one model that is loaded once, and the bad one keeps to itself."""
    model = Constant()
    files = [(f"{number}.cif", b"<html>" if number == 7 else MGO_CIF) for number in range(MAX_UPLOADS)]
    with ThreadPoolExecutor(MAX_UPLOADS) as visitors:
        found = list(visitors.map(lambda file: predict_upload(*file, "Mg", lambda: model), files))
    assert [it.name for it in found] == [name for name, _ in files]
    assert [it.error is None for it in found] == [number != 7 for number in range(MAX_UPLOADS)]
    assert model.asked == [1] * (MAX_UPLOADS - 1)


def test_no_more_than_two_uploads_are_parsed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each parser may take a gigabyte, so that twenty at once must wait for one another."""
    at_work, most = [], []

    class Parser:
        def __enter__(self) -> "Parser":
            at_work.append(self)
            most.append(len(at_work))
            return self

        def __exit__(self, *_: object) -> None:
            at_work.remove(self)

        def parse(self, kind: str, text: str) -> dict:
            time.sleep(0.01)
            raise StructureError("not read here")

    monkeypatch.setattr("core.sources.files.StructureParser", Parser)
    with ThreadPoolExecutor(MAX_UPLOADS) as visitors:
        list(visitors.map(lambda _: predict_upload("a.cif", MGO_CIF, "Mg", Constant), range(MAX_UPLOADS)))
    assert len(most) == MAX_UPLOADS and max(most) <= 2


def test_a_second_run_passes_over_what_the_first_wrote() -> None:
    done = [{"id": "mp-32006", "working_ion": "Mg"}]
    inputs = [spinel(), replace(spinel(), id="next")]
    assert [it.id for it in predict._after(inputs, "Mg", done)] == ["next"]


@pytest.mark.parametrize(
    "done", [{"id": "other", "working_ion": "Mg"}, {"id": "mp-32006", "working_ion": "Ca"}]
)
def test_a_second_run_about_other_structures_is_refused(done: dict[str, str]) -> None:
    with pytest.raises(
        SourceError, match=r"Row 1 of the earlier run is .* the structure in its place now is mp-32006"
    ):
        list(predict._after([spinel()], "Mg", [done]))


def test_a_second_run_about_fewer_structures_is_refused() -> None:
    with pytest.raises(SourceError, match="in its place now is none"):
        list(predict._after([], "Mg", [{"id": "mp-32006", "working_ion": "Mg"}]))
