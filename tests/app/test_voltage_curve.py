"""The voltage curve on the Candidate page: offered, started, steered, shown with its ground states."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.components.voltage_curve_figures import energy_figure, step_figure, volume_figure
from app.theme import _LIGHT as LIGHT
from core.calculations.kinds import relaxation
from core.calculations.kinds.curve import CurveResult, CurveSpec
from core.ordering import CurveStep
from core.tasks import cancel, list_jobs, merge, queue
from core.tasks.worker import run_job
from tests.app.md_runs import MGO, charts, press, words
from tests.tasks.toy_potential import NAME

Opener = Callable[..., AppTest]


@pytest.fixture
def by_the_cheap_potential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.service.curves.DEFAULT_POTENTIAL", NAME)


@pytest.fixture
def made(open_md: Opener, pictures: list, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished curve of the small release's MgO by the cheap potential; the folder of its run."""
    relaxation.loaded_potential.cache_clear()
    monkeypatch.setattr(
        "app.components.voltage_curve.structure_viewer",
        lambda *arguments, **options: pictures.append({"arguments": arguments, **options}),
    )
    spec = replace(CurveSpec.planned(MGO, potential=NAME, device="cpu"), force_ev_per_a=0.2)
    job = run_job(queue.prepare(spec).path)
    assert (job.state, job.error) == ("finished", None)
    return job.path


def test_where_there_is_none_it_is_offered_and_started(open_md: Opener, by_the_cheap_potential: None) -> None:
    app = open_md("candidate", id=MGO.id)
    assert not app.exception
    assert "In a cell of 8 atoms with 4 Mg: 3 contents between the ends" in words(app)
    app = press(app, "Compute the curve")
    assert not app.exception
    (job,) = list_jobs()
    assert (job.state, job.spec.kind, job.spec.subject.id) == ("queued", "curve", MGO.id)
    assert "Cancel" in [button.label for button in app.button]
    assert "Compute the curve" not in [button.label for button in app.button]
    cancel(job.job_id)
    assert job.folder.cancel_flag.exists()


def test_a_failed_one_can_be_tried_again(open_md: Opener, by_the_cheap_potential: None) -> None:
    app = press(open_md("candidate", id=MGO.id), "Compute the curve")
    (job,) = list_jobs()
    job.folder.write_status("failed", error="the disk <b> is full")
    app.run()
    assert "The run failed. the disk" in words(app)
    assert "Try again" in [button.label for button in app.button]


def test_a_finished_one_shows_steps_states_and_volume(open_md: Opener, made: Path, pictures: list) -> None:
    app = open_md("candidate", id=MGO.id)
    assert not app.exception
    text = words(app)
    assert "A run of one's own" in text and "Orderings of Mg and gaps over 4 sites" in text
    names = {trace.get("name", "") for chart in charts(app) for trace in chart["data"]}
    assert {"Steps", "On the hull", "Volume"} <= names
    assert any(name.startswith("Relaxed average") for name in names)
    states = next(it for it in app.get("button_group") if "Ground states" in it.label)
    states.set_value("0 of 4 Mg").run()
    assert pictures[-1]["arguments"][0].count("Mg") == 0
    assert pictures[-1]["working_ion"] == "Mg"


def test_one_that_the_release_holds_is_shown(open_md: Opener, made: Path, folders, tmp_path: Path) -> None:
    report = merge([made], folders[0])
    assert [record.kind for record in report.added] == ["curve"]
    made.rename(tmp_path / "elsewhere")
    app = open_md("candidate", id=MGO.id)
    assert not app.exception and "Held by the release" in words(app)


def test_why_there_can_be_none_is_said(open_md: Opener) -> None:
    """The small release ships no potential."""
    app = open_md("candidate", id=MGO.id)
    assert not app.exception and "The card nequip-mp.json" in words(app)
    assert "Compute the curve" not in [button.label for button in app.button]


def test_figures_say_what_they_draw(made: Path) -> None:
    result = run_job(made).result
    assert isinstance(result, CurveResult)
    steps = [CurveStep(x_low=0.0, x_high=0.5, voltage_v=3.0), CurveStep(x_low=0.5, x_high=1.0, voltage_v=2.0)]
    figure = step_figure(steps, {"Predicted average": 2.4, "Relaxed average": 2.5}, "Mg", LIGHT, chosen_x=0.5)
    line, predicted, relaxed = figure["data"]
    assert (line["x"], line["y"]) == ([0.0, 0.5, 0.5, 1.0], [3.0, 3.0, 2.0, 2.0])
    assert predicted["name"] == "Predicted average, 2.40 V" and relaxed["y"] == [2.5, 2.5]
    assert predicted["line"]["dash"] != relaxed["line"]["dash"]
    assert figure["layout"]["shapes"][0]["x0"] == 0.5
    assert step_figure(steps, {}, "Mg", LIGHT, chosen_x=None)["layout"]["shapes"] == []
    energies = energy_figure(result.points, result.ground_states, "Mg", LIGHT)
    assert sum(len(trace["x"]) for trace in energies["data"]) == len(result.points)
    assert volume_figure(result.ground_states, "Mg", LIGHT)["data"][0]["y"][-1] == 0.0
