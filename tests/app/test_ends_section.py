"""Both ends relaxed on the Candidate page: offered, started, followed, shown with their stability."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.calculations.kinds import relaxation
from core.calculations.kinds.relaxation import RelaxationResult, RelaxationSpec
from core.errors import HullError
from core.relaxation import FRAMEWORKS
from core.service.calculations import jobs_of
from core.service.charged_state import NOT_CONVERGED, charged_state, known_facts
from core.store import open_reader
from core.tasks import cancel, list_jobs, queue
from core.tasks.worker import run_job
from tests.app.md_runs import MGO, press, words
from tests.tasks.toy_potential import NAME

Opener = Callable[..., AppTest]


@pytest.fixture
def by_the_cheap_potential(monkeypatch: pytest.MonkeyPatch) -> None:
    planned = RelaxationSpec.planned
    monkeypatch.setattr(
        RelaxationSpec, "planned", lambda crystal, ion: planned(crystal, ion, potential=NAME, device="cpu")
    )


@pytest.fixture
def made(open_md: Opener, pictures: list, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Relaxed ends of the small release's MgO by the cheap potential; the folder of their run."""
    relaxation.loaded_potential.cache_clear()
    monkeypatch.setattr(
        "app.components.ends_section.structure_viewer",
        lambda *arguments, **options: pictures.append({"arguments": arguments, **options}),
    )
    spec = replace(RelaxationSpec.planned(MGO, potential=NAME, device="cpu"), force_ev_per_a=0.2)
    job = run_job(queue.prepare(spec).path)
    assert (job.state, job.error) == ("finished", None)
    return job.path


def test_where_there_are_none_they_are_offered_and_started(
    open_md: Opener, by_the_cheap_potential: None
) -> None:
    app = open_md("candidate", id=MGO.id)
    assert "Does the host hold when its Mg leaves?" in words(app)
    app = press(app, "Relax both ends")
    assert not app.exception
    (job,) = list_jobs()
    assert (job.state, job.spec.kind, job.spec.subject.id) == ("queued", "relaxation", MGO.id)
    labels = [button.label for button in app.button]
    assert "Cancel" in labels and "Relax both ends" not in labels
    cancel(job.job_id)
    assert job.folder.cancel_flag.exists()


def test_what_cannot_be_planned_is_told_and_starts_nothing(
    open_md: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(crystal: object, ion: object) -> None:
        raise HullError("no potential <b> here")

    monkeypatch.setattr(RelaxationSpec, "planned", refuse)
    app = press(open_md("candidate", id=MGO.id), "Relax both ends")
    assert any("no potential" in error.value and "<b>" not in error.value for error in app.error)
    assert list_jobs() == []


def test_finished_ends_are_shown_with_and_without_the_ions(
    open_md: Opener, made: Path, pictures: list
) -> None:
    app = open_md("candidate", id=MGO.id)
    assert not app.exception
    text = words(app)
    assert "Discharged" in text and "Charged" in text and "bonds broken or formed" in text
    n_ions = [picture["arguments"][0].count("Mg") for picture in pictures if picture.get("compact")]
    assert n_ions == [MGO.count("Mg"), 0]
    assert "Relax both ends" not in [button.label for button in app.button]


def test_a_potential_on_another_scale_leaves_stability_unknown(open_md: Opener, made: Path) -> None:
    app = open_md("candidate", id=MGO.id)
    assert any("Stability is not known" in box.value for box in app.info)


def test_stability_is_worked_out_once_a_draw(
    open_md: Opener, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def judge(result: RelaxationResult, ion: str, **stated: object) -> None:
        asked.append(ion)
        raise HullError("not known <b> here")

    monkeypatch.setattr("core.service.charged_state.stability_of", judge)
    app = open_md("candidate", id=MGO.id)
    assert asked == ["Mg"]
    assert any("not known" in box.value and "<b>" not in box.value for box in app.info)


def test_ends_of_ones_own_count_in_the_verdict(open_md: Opener, made: Path, folders) -> None:
    with open_reader(folders[0]) as reader:
        jobs = jobs_of(MGO)
        known = known_facts(reader, MGO, charged_state(reader, MGO, "Mg", jobs), jobs)
    assert known["framework"] in (*FRAMEWORKS, NOT_CONVERGED)
    assert ("relaxed_voltage_v" in known) == (known["framework"] != NOT_CONVERGED)
    assert not any(name.startswith("start_") for name in known)
    app = open_md("candidate", id=MGO.id)
    assert "host not relaxed yet" not in "".join(element.proto.body for element in app.get("html"))


def test_nothing_is_known_of_what_was_never_calculated(open_md: Opener, folders) -> None:
    with open_reader(folders[0]) as reader:
        assert charged_state(reader, MGO, "Mg", jobs_of(MGO)) is None
        assert known_facts(reader, MGO, None, jobs_of(MGO)) == {}
    app = open_md("candidate", id=MGO.id)
    assert "host not relaxed yet" in "".join(element.proto.body for element in app.get("html"))
