"""Migration barriers on the Candidate page: offered with what they take, started, and shown with their ways."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.calculations.kinds.barrier import BarrierResult, BarrierSpec, EndBarriers, HopBarrier
from core.errors import BarrierError
from core.provenance import Provenance
from core.service.barriers import limiting_hop, way_of
from core.tasks import cancel, list_jobs
from core.tasks.elsewhere import keep_finished
from tests.app.md_runs import MGO, press, words
from tests.tasks.toy_potential import NAME

Opener = Callable[..., AppTest]


def hop(end: str, label: int = 0, barrier_ev: float | None = 0.6) -> HopBarrier:
    if barrier_ev is None:
        return HopBarrier(
            end=end, label=label, length_a=3.0, n_atoms=63, reason="A Mg-O pair is 0.90 angstrom apart."
        )
    return HopBarrier(
        end=end, label=label, length_a=3.0, n_atoms=63, barrier_ev=barrier_ev, forward_ev=barrier_ev,
        back_ev=barrier_ev, converged=True, n_forces=80, ways=(0.0, 0.5, 1.0), energies_ev=(0.0, barrier_ev, 0.0),
        path=((0.0, 0.0, 0.0), (0.3, 0.2, 0.0), (0.5, 0.5, 0.0)),
    )  # fmt: skip


def result(empty_ev: float | None = 0.8) -> BarrierResult:
    ends = (
        EndBarriers(end="full", crystal=MGO, one_ev=0.6, two_ev=0.6, three_ev=0.9),
        EndBarriers(end="empty", crystal=MGO, one_ev=empty_ev, two_ev=None, three_ev=None),
    )
    return BarrierResult(
        verdict="one dimension", reason="Barrier of the easiest way: full 0.60 eV.", potential=NAME,
        barrier_ev=empty_ev, barrier_std_ev=None, ends=ends,
        hops=(hop("full"), hop("full", 1, 0.9), hop("empty", 0, empty_ev)),
        provenance=Provenance(kind="barrier"),
    )  # fmt: skip


@pytest.fixture
def by_the_cheap_potential(monkeypatch: pytest.MonkeyPatch) -> None:
    planned = BarrierSpec.planned
    monkeypatch.setattr(
        BarrierSpec, "planned", lambda crystal, ion, **_: planned(crystal, ion, potential=NAME, device="cpu")
    )


@pytest.fixture
def pictured(pictures: list, monkeypatch: pytest.MonkeyPatch) -> list:
    monkeypatch.setattr(
        "app.components.barrier_section.structure_viewer",
        lambda *arguments, **options: pictures.append({"arguments": arguments, **options}),
    )
    return pictures


def test_where_there_is_none_it_is_offered_and_started(
    open_md: Opener, by_the_cheap_potential: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.components.barrier_section.barrier_plan", never)
    app = open_md("candidate", id=MGO.id)
    app = press(app, "Work out the barrier")
    assert not app.exception
    (job,) = list_jobs()
    assert (job.state, job.spec.kind, job.spec.subject.id) == ("queued", "barrier", MGO.id)
    cancel(job.job_id)


def never(*_: object) -> None:
    pytest.fail("telling hops apart takes up to minutes: the page must not wait for it")


def test_what_it_would_take_is_told_to_who_asks(open_md: Opener, by_the_cheap_potential: None) -> None:
    app = open_md("candidate", id=MGO.id)
    assert " in some " not in words(app)
    (ask,) = [it for it in app.button if it.key == f"estimate-barrier-{MGO.id}"]
    app = ask.click().run()
    assert not app.exception
    assert "kind of hop in some" in words(app) or "kinds of hops in some" in words(app)


def test_a_crystal_that_no_cell_can_hold_is_refused_before_a_run(
    open_md: Opener, by_the_cheap_potential: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.hops.cells.MAX_ATOMS", 1)
    app = press(open_md("candidate", id=MGO.id), "Work out the barrier")
    assert "No cell of up to 1 atoms" in app.error[0].value
    assert not list_jobs()


def test_both_ends_are_shown_with_their_ways_and_every_hop(
    open_md: Opener, by_the_cheap_potential: None, pictured: list
) -> None:
    keep_finished(BarrierSpec.planned(MGO, "Mg"), result())
    app = open_md("candidate", id=MGO.id)
    assert not app.exception
    assert {"0.60 eV", "0.80 eV"} <= {metric.value for metric in app.metric}
    assert "One dimension" in words(app)
    ways = [it["path_points"] for it in pictured if it.get("path_points") is not None]
    assert len(ways) == 2 and all(way.shape[1] == 3 for way in ways)


def test_an_end_without_a_way_says_why(open_md: Opener, by_the_cheap_potential: None, pictured: list) -> None:
    keep_finished(BarrierSpec.planned(MGO, "Mg"), result(empty_ev=None))
    app = open_md("candidate", id=MGO.id)
    assert not app.exception
    assert "no way through" in {metric.value for metric in app.metric}
    assert "could be worked out" in words(app)


def test_the_hop_that_limits_an_end_is_the_one_at_its_barrier() -> None:
    found = result()
    assert limiting_hop(found, found.ends[0]).label == 0
    shut = replace(found.ends[0], one_ev=None)
    assert limiting_hop(found, shut).label == 1
    with pytest.raises(BarrierError, match="No hop in the empty host"):
        limiting_hop(result(empty_ev=None), found.ends[1])


def test_a_way_is_drawn_through_its_points() -> None:
    way = way_of(hop("full"))
    np.testing.assert_allclose(way[[0, -1]], [[0.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    assert np.abs(way - [0.3, 0.2, 0.0]).sum(axis=1).min() < 0.01
