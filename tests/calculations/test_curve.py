"""The voltage curve as a calculation: what it asks, what comes out, what a second sitting keeps."""

import json
from dataclasses import replace

import pytest

from core.calculations import read_spec
from core.calculations.kinds import relaxation
from core.calculations.kinds.curve import CurveResult, CurveSpec
from core.calculations.kinds.curve.result import verdict_of
from core.errors import NoWorkingIonError, OrderingError, RecordError
from core.ordering import CurveStep
from core.records import Crystal
from core.tasks import list_jobs, queue
from core.tasks.worker import run_job
from tests.dynamics.toys import rocksalt
from tests.tasks.toy_potential import NAME


@pytest.fixture(autouse=True)
def no_potential_kept(runs) -> None:
    relaxation.loaded_potential.cache_clear()


@pytest.fixture
def spec() -> CurveSpec:
    """Four Mg and four O: contents 1, 2 and 3 with one, two and one ordering."""
    return replace(CurveSpec.planned(rocksalt(), potential=NAME, device="cpu"), max_sites=8)


def finished(spec: CurveSpec) -> CurveResult:
    job = run_job(queue.prepare(spec).path)
    assert (job.state, job.error) == ("finished", None)
    assert isinstance(job.result, CurveResult)
    return job.result


def test_a_curve_comes_with_its_ends_its_points_and_its_steps(spec: CurveSpec) -> None:
    result = finished(spec)
    assert {job.spec.kind for job in list_jobs()} == {"curve", "relaxation"}
    assert (result.n_ion_sites, result.n_sites) == (4, 8)
    assert [it.x for it in result.contents] == [0.25, 0.5, 0.75]
    assert [it.n_ions for it in result.points] == sorted(it.n_ions for it in result.points)
    ends = [it for it in result.points if it.n_ions in (0, 4)]
    assert [it.formation_ev for it in ends] == pytest.approx([0.0, 0.0])
    assert [it.x for it in result.ground_states][:: len(result.ground_states) - 1] == [0.0, 1.0]
    assert all(it.crystal.count("Mg") == it.n_ions for it in result.ground_states)
    figures = result.figures()
    assert figures["n_curve_steps"] == len(result.steps) == len(result.ground_states) - 1
    assert figures["curve_low_v"] <= result.average_voltage_v <= figures["curve_high_v"]


def test_steps_weighted_by_their_width_are_the_average(spec: CurveSpec) -> None:
    result = finished(spec)
    mean_v = sum(it.voltage_v * (it.x_high - it.x_low) for it in result.steps)
    assert mean_v == pytest.approx(result.average_voltage_v)
    voltages = [it.voltage_v for it in result.steps]
    assert voltages == sorted(voltages, reverse=True)


def test_no_point_lies_below_the_hull(spec: CurveSpec) -> None:
    result = finished(spec)
    stable = {(it.n_ions, it.ordering) for it in result.ground_states}
    for content in {it.n_ions for it in result.points}:
        lowest = min((it for it in result.points if it.n_ions == content), key=lambda it: it.energy_ev)
        assert all(number == lowest.ordering for n_ions, number in stable if n_ions == content)


def test_spec_and_result_survive_json(spec: CurveSpec) -> None:
    assert read_spec(json.loads(json.dumps(spec.to_dict()))).key == spec.key
    result = finished(spec)
    again = CurveResult.from_dict(json.loads(json.dumps(result.to_dict())))
    assert again.to_dict() == result.to_dict()
    coordinate = result.ground_states[1].crystal.frac[1, 0]
    assert coordinate == round(coordinate, 5)


def test_a_second_sitting_goes_on_from_what_is_kept(spec: CurveSpec) -> None:
    first = finished(spec)
    folder = queue.prepare(spec).path
    kept = folder / "ordering-3-0.json"
    fields = json.loads(kept.read_text())
    fields["relaxed"]["energy_ev"] += 1.0
    kept.write_text(json.dumps(fields))
    (folder / "ordering-1-0.json").unlink()
    (folder / "result.json").unlink()
    second = finished(spec)
    energies = [
        {(it.n_ions, it.ordering): it.energy_ev for it in result.points} for result in (first, second)
    ]
    assert energies[1][3, 0] == energies[0][3, 0] + 1.0
    assert energies[1][1, 0] == energies[0][1, 0]


def test_a_stop_is_heard_within_a_relaxation_and_the_run_goes_on(spec: CurveSpec) -> None:
    folder = queue.prepare(spec)

    def stop(row) -> None:
        if row["step"] > 0:
            folder.cancel_flag.touch()

    assert run_job(folder.path, stop).state == "cancelled"
    assert finished(spec).verdict


def test_what_does_not_relax_is_left_out_with_its_reason(spec: CurveSpec) -> None:
    result = finished(replace(spec, max_steps=1, force_ev_per_a=0.001))
    assert {it.n_ions for it in result.points} >= {0, 4}
    assert result.left_out and all("eV/angstrom were left" in it.reason for it in result.left_out)
    assert any("did not relax to the force" in note for note in result.notes)
    assert any("are left out" in note for note in result.notes)


def test_one_that_falls_apart_is_left_out_too(spec: CurveSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.calculations.kinds.curve import work
    from core.errors import RelaxationError

    def fall(crystal: Crystal, *_, **__):
        raise RelaxationError("the cell went to 3 times its volume")

    monkeypatch.setattr(work, "relax", fall)
    result = finished(spec)
    assert result.verdict == "one step"
    assert {it.reason for it in result.left_out} == {"the cell went to 3 times its volume"}


def test_an_ordering_without_its_host_is_no_ground_state(
    spec: CurveSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.calculations.kinds.curve import work

    real = work.host_change

    def collapsed(discharged: Crystal, charged: Crystal, ion: str):
        return replace(real(discharged, charged, ion), framework="collapsed")

    monkeypatch.setattr(work, "host_change", collapsed)
    result = finished(spec)
    assert {it.n_ions for it in result.ground_states} == {0, 4} < {it.n_ions for it in result.points}
    assert any("the host collapsed" in note for note in result.notes)


def test_one_ion_in_the_cell_says_that_nothing_is_between(spec: CurveSpec) -> None:
    result = finished(replace(spec, max_sites=2))
    assert result.verdict == "one step" and result.contents == ()
    assert any("1 ion sites" in note for note in result.notes)


@pytest.mark.parametrize(
    ("voltages", "verdict"),
    [
        ((3.0,), "one step"),
        ((3.05, 3.0, 2.95), "solid solution"),
        ((3.5, 3.45, 2.0), "2 steps"),
        ((3.5, 3.0, 2.0), "3 steps"),
    ],
)
def test_the_verdict_counts_steps_that_stand_apart(voltages, verdict) -> None:
    n = len(voltages)
    steps = [CurveStep(x_low=i / n, x_high=(i + 1) / n, voltage_v=v) for i, v in enumerate(voltages)]
    assert verdict_of(steps)[0] == verdict


def test_a_large_cell_is_planned_as_it_is() -> None:
    assert CurveSpec.planned(rocksalt(), potential=NAME, max_sites=1).max_sites == 2
    assert CurveSpec.planned(rocksalt(), potential=NAME).max_sites == 60


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"max_sites": 1}, OrderingError, "2 sites, and 1 are allowed"),
        ({"n_relaxed": 0}, RecordError, "n_relaxed is 0; 1 to 100"),
        ({"working_ion": "Ca"}, NoWorkingIonError, "holds no Ca"),
    ],
)
def test_what_could_never_run_is_refused(spec: CurveSpec, changes, error, words) -> None:
    with pytest.raises(error, match=words):
        replace(spec, **changes).check()
