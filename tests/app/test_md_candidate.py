"""Molecular dynamics on the Candidate page, with runs whose ions walk by a known law."""

import shutil
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.calculations.kinds.diffusion.visited import write_visited
from core.dynamics import read_trajectory
from core.tasks import cancel, list_jobs, merge
from tests.app.md_runs import MGO, STEP_A, charts, half_done, press, spec, words
from tests.tasks.made_runs import walked
from tests.tasks.toy_potential import refinable_card

Opener = Callable[..., AppTest]


def test_a_candidate_without_runs_offers_one_after_measuring(open_md: Opener, folders) -> None:
    app = open_md("candidate", id=MGO.id)
    assert not app.exception and "not computed yet" in words(app)
    app.number_input(key=f"md_temperature_{MGO.id}").set_value(900.0).run()
    app = press(app, "Measure step time")
    assert "atoms" in words(app) and "measured" in words(app) and "About" in words(app)
    assert list_jobs() == []
    app = press(app, "Start")
    assert not app.exception
    (job,) = list_jobs()
    assert (job.state, job.spec.protocol.temperature_k, job.spec.subject.id) == ("queued", 900.0, MGO.id)
    assert job.spec.protocol.name == "quick"
    assert "Cancel" in [button.label for button in app.button]
    cancel(job.job_id)
    assert job.folder.cancel_flag.exists()


def test_a_measurement_does_not_stand_for_other_settings(open_md: Opener) -> None:
    app = press(open_md("candidate", id=MGO.id), "Measure step time")
    app.number_input(key=f"md_seed_{MGO.id}").set_value(3).run()
    assert "measure again" in words(app) and "Start" not in [button.label for button in app.button]


def test_numbers_that_cannot_run_are_refused_in_words(open_md: Opener) -> None:
    app = open_md("candidate", id=MGO.id)
    app.number_input(key=f"md_quick_max_atoms_{MGO.id}").set_value(3).run()
    assert "3 is below" in app.error[0].value
    assert "Measure step time" not in [button.label for button in app.button]


def test_fine_tuning_is_offered_where_the_potential_can(
    open_md: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not [box for box in open_md("candidate", id=MGO.id).number_input if "fine-tuning" in box.label]
    monkeypatch.setattr("tests.tasks.toy_potential.card", refinable_card)
    app = open_md("candidate", id=MGO.id)
    app.number_input(key=f"md_refine_{MGO.id}").set_value(2).run()
    app = press(press(app, "Measure step time"), "Start")
    assert not app.exception and list_jobs()[0].spec.refine_rounds == 2


def test_a_cell_that_cannot_be_built_is_refused_in_words(open_md: Opener) -> None:
    app = open_md("candidate", id=MGO.id)
    app.number_input(key=f"md_quick_min_atoms_{MGO.id}").set_value(2).run()
    app.number_input(key=f"md_quick_max_atoms_{MGO.id}").set_value(8).run()
    app = press(app, "Measure step time")
    assert app.error and "Start" not in [button.label for button in app.button]


def test_a_finished_run_is_told_in_words_and_figures(open_md: Opener, folders, pictures: list) -> None:
    path = walked(spec(), folders[1], step_a=STEP_A, teacher_mae=0.05)
    write_visited(path, np.random.default_rng(0).random((50, 3)).astype(np.float32))
    app = open_md("candidate", id=MGO.id)
    text = words(app)
    assert not app.exception and not app.error
    assert " diffusive]" in text and "straight line" in text and "cm²/s" in text and "mS/cm" in text
    assert "0.05 eV/Å" in text and "close to its teacher" in text and "Diffusivity along each axis" in text
    (plot,) = charts(app)
    assert {trace.get("name") for trace in plot["data"]} >= {"Mg", "Mg, fit", "Mg, 90 %", "O"}
    view = app.get("button_group")[0]
    view.set_value("path").run()
    assert pictures[-1]["path_points"].shape == (50, 3)
    app.get("button_group")[0].set_value("trajectory").run()
    assert pictures[-1]["arguments"][2].shape == read_trajectory(path).positions_a.shape


def test_a_limit_and_a_melt_have_no_value(open_md: Opener, folders) -> None:
    walked(spec(), folders[1], step_a=0.0)
    text = words(open_md("candidate", id=MGO.id))
    assert " upper limit]" in text and "below" in text and "no line is drawn" in text
    walked(spec(seed=1), folders[1], step_a=STEP_A, framework_step_a=STEP_A)
    app = open_md("candidate", id=MGO.id, run=spec(seed=1).name)
    assert " framework melted]" in words(app) and "a melt" in words(app)


def test_several_temperatures_give_a_barrier(open_md: Opener, folders) -> None:
    for temperature_k, step_a in ((800.0, 0.08), (1000.0, 0.11), (1200.0, 0.15)):
        walked(spec(temperature_k), folders[1], step_a=step_a)
    app = open_md("candidate", id=MGO.id)
    (barrier,) = [metric for metric in app.metric if metric.label == "Barrier"]
    assert 0.1 < float(barrier.value.split()[0]) < 0.5
    assert "log" in [chart["layout"]["yaxis"].get("type") for chart in charts(app)]
    shutil.rmtree(folders[1] / spec(800.0).name)
    app = open_md("candidate", id=MGO.id)
    assert "No barrier yet" in words(app) and "needs 3" in words(app)


def test_a_barrier_that_the_release_holds_is_shown(open_md: Opener, folders) -> None:
    """It was denied before: only runs whose frames lay on this machine counted."""
    made = [spec(temperature_k) for temperature_k in (800.0, 1000.0, 1200.0)]
    paths = [
        walked(it, folders[1], step_a=step_a) for it, step_a in zip(made, (0.08, 0.11, 0.15), strict=True)
    ]
    merge(paths, folders[0])
    shutil.rmtree(folders[1])
    app = open_md("candidate", id=MGO.id)
    assert not app.exception and "No barrier yet" not in words(app)
    (barrier,) = [metric for metric in app.metric if metric.label == "Barrier"]
    assert 0.1 < float(barrier.value.split()[0]) < 0.5


@pytest.mark.parametrize(
    ("state", "button", "told"),
    [
        ("interrupted", "Resume", "restarted, or it was killed"),
        ("cancelled", "Resume", "cancelled"),
        ("failed", "Try again", "disk \\<b\\> full"),
    ],
)
def test_a_run_that_stopped_can_go_on(open_md: Opener, folders, state: str, button: str, told: str) -> None:
    half_done(spec(), folders[1], state)
    app = open_md("candidate", id=MGO.id)
    assert not app.exception and told in words(app) + " ".join(it.proto.body for it in app.get("badge"))
    press(app, button)
    assert list_jobs()[0].state == "queued"


def test_a_running_one_shows_its_curves(open_md: Opener, folders, pictures: list) -> None:
    half_done(spec(), folders[1], "running")
    app = open_md("candidate", id=MGO.id)
    assert not app.exception and "Cancel" in [button.label for button in app.button]
    temperature, energy, displacement = charts(app)
    assert temperature["layout"]["shapes"][0]["y0"] == 1200.0 and len(energy["data"]) == 1
    assert [trace["name"] for trace in displacement["data"]] == ["Mg", "framework"]
    assert any(picture.get("live") for picture in pictures)


def test_a_link_to_a_run_that_is_gone_changes_nothing(open_md: Opener) -> None:
    app = open_md("candidate", id=MGO.id, run="<script>alert(1)</script>")
    assert not app.exception and not app.error


def test_no_line_is_drawn_where_the_verdict_allows_no_value(open_md: Opener, folders) -> None:
    walked(spec(), folders[1], step_a=STEP_A, teacher_mae=0.9)
    app = open_md("candidate", id=MGO.id)
    assert "too far to be trusted" in words(app) and " out of domain]" in words(app)
    assert "Mg, fit" not in {trace.get("name") for trace in charts(app)[0]["data"]}


def test_the_pooled_result_comes_before_its_single_runs(open_md: Opener, folders) -> None:
    """The first run was shown first, an upper limit where the seeds together say diffusive."""
    for seed, step_a in ((0, STEP_A), (1, STEP_A)):
        walked(spec(seed=seed), folders[1], step_a=step_a)
    app = open_md("candidate", id=MGO.id)
    assert not app.exception and "2 seeds of" in words(app) and "Of one's own runs" in words(app)
    (fold,) = [it for it in app.expander if it.label == "The 2 single runs"]
    assert "2 seeds of" not in " ".join(html.proto.body for html in fold.get("html"))
    assert app.selectbox(key="md_shown").options[0].endswith("diffusive")
    headline = next(html.proto.body for html in app.get("html") if "Chance to pass" in html.proto.body)
    assert "Conductivity at 1200 K" in headline and "mS/cm" in headline


def test_what_is_undecided_offers_the_run_that_could_decide(open_md: Opener, folders) -> None:
    walked(spec(), folders[1], step_a=0.0)
    app = open_md("candidate", id=MGO.id)
    assert "undecided" in words(app) and "above the 100 mS/cm asked for" in words(app)
    app = press(app, "Start the run that could decide")
    assert not app.exception
    (job,) = [job for job in list_jobs() if job.state == "queued"]
    assert job.spec.crystal.id == MGO.id and job.spec.name != spec().name
    assert f"{spec().name}" not in job.job_id and "stands below among the single runs" in words(app)
