"""Results of runs in the release: merged, shipped, listed and compared."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.calculations import all_kinds
from core.errors import StoreWriteError
from core.provenance import Provenance
from core.store import ReleaseWriter, open_reader
from core.tasks.queue import prepare
from core.tasks.worker import run_job
from tests.app.md_runs import MGO, STEP_A, charts, half_done, press, ship, spec, words
from tests.store.small_release import conductivity
from tests.tasks.made_runs import walked

Opener = Callable[..., AppTest]


def test_merging_makes_a_release_that_the_screen_filters_on(open_md: Opener, folders) -> None:
    for seed in (0, 1):
        walked(spec(seed=seed), folders[1], step_a=STEP_A)
    app = press(open_md("candidate", id=MGO.id), "Merge")
    assert not app.exception and "2 seeds" in app.success[0].value
    with open_reader(folders[0]) as reader:
        (found,) = reader.conductivities(MGO.id).to_dict("records")
    assert found["n_seeds"] == 2 and found["sigma_ms_per_cm"] > 0
    assert "Held by the release" in words(app)
    screen = open_md(v="0", q="0", all="1")
    assert not screen.slider(key="sigma_ms_per_cm_slider").disabled
    assert screen.dataframe[0].value["sigma_ms_per_cm"].notna().sum() == 1
    again = press(open_md("candidate", id=MGO.id), "Merge")
    assert "already" in words(again)


def test_a_release_that_cannot_be_written_is_said(
    open_md: Opener, folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(runs: object) -> None:
        raise StoreWriteError("The folder is read-only; make it writable.")

    monkeypatch.setattr("app.components.md_actions.merge", refuse)
    walked(spec(), folders[1], step_a=STEP_A)
    app = press(open_md("candidate", id=MGO.id), "Merge")
    assert "Nothing was merged" in app.error[0].value and "read-only" in app.error[0].value


def test_shipped_results_are_shown_without_merging(open_md: Opener, folders) -> None:
    ship(*folders, spec())
    app = open_md("candidate", id=MGO.id)
    assert not app.exception and " diffusive]" in words(app) and "shipped" in words(app)
    assert "Merge" not in [button.label for button in app.button] and len(charts(app)) == 1
    app.get("button_group")[0].set_value("path").run()
    assert "kept no positions" in words(app)
    page = open_md("dynamics", run=spec().name)
    assert page.dataframe[0].value["state"].tolist() == ["shipped"] and " diffusive]" in words(page)


def test_released_conductivities_stand_in_a_table(open_md: Opener, folders) -> None:
    with ReleaseWriter(folders[0], extend=True) as writer:
        made_by = writer.add_provenance(Provenance(kind="test", seed=8))
        writer.add_conductivities([conductivity("run-1", MGO.id)], provenance_id=made_by)
        writer.publish(model_name="test", model_sha256="ab" * 32, data_sha256="cd" * 32)
    text = words(open_md("candidate", id=MGO.id))
    assert "150 mS/cm" in text and "90 %: 75 to 300 mS/cm" in text and "3 seeds" in text
    assert "not computed" not in text and "95 %" not in text


def test_the_empty_dynamics_page_says_how_to_start(open_md: Opener) -> None:
    app = open_md("dynamics")
    assert not app.exception and "No run yet" in words(app) and "mlmd run" in words(app)


def test_runs_are_listed_and_compared(open_md: Opener, folders) -> None:
    walked(spec(), folders[1], step_a=STEP_A)
    walked(spec(seed=1), folders[1], step_a=0.0)
    half_done(spec(seed=2), folders[1], "cancelled")
    app = open_md("dynamics")
    (row,) = app.dataframe[0].value.to_dict("records")
    assert not app.exception and (row["n_seeds"], row["material"]) == (2, "MgO")
    assert "1 measurement**" in words(app) and "Tick a row" in words(app)
    app.session_state["dynamics_selected"] = app.session_state["dynamics_ids"]
    app.run()
    (plot,) = charts(app)
    names = {trace.get("name") for trace in plot["data"]}
    assert {"MgO, 1200 K, seed 0", "MgO, 1200 K, seed 1"} <= names
    assert "1 of the ticked runs" in words(app)
    box = next(it for it in app.selectbox if it.label == "Its 3 runs")
    box.set_value(spec(seed=1).name).run()
    assert not app.exception and " upper limit]" in words(app)


def test_measurements_are_found_by_formula_and_id(open_md: Opener, folders) -> None:
    walked(spec(), folders[1], step_a=STEP_A)
    walked(spec(800.0), folders[1], step_a=STEP_A)
    app = open_md("dynamics")
    assert len(app.dataframe[0].value) == 2
    for text in ("MgO", "O2Mg2", MGO.id.upper()):
        app.text_input(key="dynamics_search").set_value(text).run()
        assert len(app.dataframe[0].value) == 2, text
    app.text_input(key="dynamics_search").set_value("MgCr2O4").run()
    assert not app.dataframe and "No measurement of MgCr2O4" in words(app)


def test_a_shipped_result_of_no_candidate_is_shown_with_the_crystal_of_its_spec(
    open_md: Opener, folders
) -> None:
    crystal = replace(MGO, id="from-literature")
    with ReleaseWriter(folders[0], extend=True) as writer:
        made_by = writer.add_provenance(Provenance(kind="test"))
        writer.add_structures([crystal], origin="literature", provenance_id=made_by)
        writer.publish(model_name="test", model_sha256="ab" * 32, data_sha256="cd" * 32)
    asked = replace(spec(), crystal=crystal)
    ship(*folders, asked)
    app = open_md("dynamics", run=asked.name)
    assert not app.exception and not app.error and " diffusive]" in words(app)
    assert "not one of the release" in words(app)


def test_a_run_that_cannot_be_read_is_named(open_md: Opener, folders) -> None:
    """It vanished without a word before."""
    walked(spec(), folders[1], step_a=STEP_A)
    broken = walked(spec(seed=1), folders[1], step_a=STEP_A)
    (broken / "spec.json").write_text('{"kind": "alchemy"}')
    app = open_md("dynamics")
    assert not app.exception and len(app.dataframe[0].value) == 1
    assert broken.name in words(app) and "not a kind of calculation" in words(app)


def test_a_run_of_a_kind_that_pages_do_not_know_is_listed_and_shown(
    open_md: Opener, folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds_folder = Path(__file__).resolve().parents[1] / "calculations"
    monkeypatch.setenv("MGC_KINDS", "toy_kind")
    monkeypatch.syspath_prepend(str(kinds_folder))
    asked = all_kinds()["squares"](crystal=MGO, n=5, device="cpu")
    job = run_job(prepare(asked).path)
    app = open_md("dynamics", run=job.job_id)
    assert not app.exception and not app.error
    row = app.dataframe[0].value.iloc[0]
    assert (row["state"], row["kind"], row["verdict"]) == ("finished", "squares", "summed")
    assert " summed]" in words(app) and "Sum of squares" in words(app)
