"""Migration barriers as a calculation: what it asks, what comes out, what a second sitting keeps."""

import json
from dataclasses import replace

import pytest
from ase.io import read

from core.calculations import read_spec
from core.calculations.kinds import barrier, relaxation
from core.calculations.kinds.barrier import BarrierResult, BarrierSpec, HopBarrier, _end, _verdict
from core.codec import from_json
from core.errors import NoWorkingIonError, RecordError
from core.hops import choice
from core.hops.network import network
from core.records import Crystal
from core.tasks import list_jobs, queue
from core.tasks.worker import run_job
from tests.dynamics.toys import rocksalt
from tests.tasks.toy_potential import NAME


@pytest.fixture(autouse=True)
def no_potential_kept(runs) -> None:
    relaxation.loaded_potential.cache_clear()


@pytest.fixture
def spec() -> BarrierSpec:
    """Rock salt: one kind of hop, to the nearest of twelve neighbours."""
    return replace(BarrierSpec.planned(rocksalt(), potential=NAME, device="cpu"), max_hop_a=3.5, n_planes=1)


def finished(spec: BarrierSpec) -> BarrierResult:
    job = run_job(queue.prepare(spec).path)
    assert (job.state, job.error) == ("finished", None)
    assert isinstance(job.result, BarrierResult)
    return job.result


def test_both_ends_and_every_kind_of_hop_come_out(spec: BarrierSpec) -> None:
    result = finished(spec)
    assert {job.spec.kind for job in list_jobs()} == {"barrier", "relaxation"}
    assert [it.end for it in result.ends] == ["full", "empty"]
    assert [it.end for it in result.hops] == ["full", "empty"]
    full = result.hops[0]
    assert full.barrier_ev is not None and full.barrier_ev == pytest.approx(
        max(full.forward_ev, full.back_ev)
    )
    assert len(full.path) == len(full.ways) == len(full.energies_ev) == 3
    (job,) = [it for it in list_jobs() if it.spec.kind == "barrier"]
    frames = read(job.path / "images-full-0.extxyz", ":")
    assert [len(atoms) for atoms in frames] == [full.n_atoms] * 3
    assert [atoms.info["energy_over_start_ev"] for atoms in frames] == pytest.approx(full.energies_ev)
    assert result.ends[0].three_ev == result.ends[0].one_ev == full.barrier_ev
    fields = json.loads(json.dumps(result.to_dict()))
    assert BarrierResult.from_dict(fields).to_dict() == result.to_dict()
    assert read_spec(json.loads(json.dumps(spec.to_dict()))).key == spec.key


def test_a_second_sitting_keeps_the_hops_that_are_done(spec: BarrierSpec) -> None:
    finished(spec)
    (job,) = [it for it in list_jobs() if it.spec.kind == "barrier"]
    kept = from_json(HopBarrier, json.loads((job.path / "full-0.json").read_text()))
    (job.path / "full-0.json").write_text(
        json.dumps(json.loads((job.path / "full-0.json").read_text()) | {"n_forces": 7777})
    )
    (job.path / "result.json").unlink()
    (job.path / "status.json").write_text(json.dumps({"state": "interrupted"}))
    result = finished(spec)
    assert result.hops[0].n_forces == 7777 and result.hops[0].barrier_ev == kept.barrier_ev


def hop(end: str, label: int, barrier_ev: float | None) -> HopBarrier:
    return HopBarrier(
        end=end,
        label=label,
        length_a=3.0,
        n_atoms=9,
        barrier_ev=barrier_ev,
        reason="" if barrier_ev else "wild",
    )


def test_the_barrier_of_the_worse_end_counts_and_a_shut_one_says_why() -> None:
    crystal = rocksalt()
    sites = network(crystal, "Mg", max_hop_a=3.5)
    (label,) = {it.label for it in sites.hops}
    hops = [hop("full", label, 0.4), hop("empty", label, 0.7)]
    ends = [_end(end, crystal, sites, hops) for end in ("full", "empty")]
    barrier_ev, verdict, reason = _verdict(ends, hops)
    assert (barrier_ev, verdict) == (0.7, "three dimensions") and "full 0.40 eV, empty 0.70 eV" in reason
    shut = [hop("full", label, 0.4), hop("empty", label, None)]
    ends = [_end(end, crystal, sites, shut) for end in ("full", "empty")]
    assert _verdict(ends, shut) == (None, "no way through", "No way through the empty host: wild")


def test_what_cannot_be_asked_is_refused(spec: BarrierSpec) -> None:
    with pytest.raises(RecordError, match="99"):
        replace(spec, max_hop_a=99.0).check()
    host = Crystal(
        id="h",
        formula="O",
        source="test",
        species=("O",),
        lattice_a=rocksalt().lattice_a,
        frac=rocksalt().frac[:1],
    )
    with pytest.raises(NoWorkingIonError):
        BarrierSpec.planned(host, potential=NAME).check()


def test_a_hop_too_high_to_matter_is_left_and_says_above_what(spec: BarrierSpec, monkeypatch) -> None:
    monkeypatch.setattr(barrier, "limit", lambda sites, known: -5.0)
    result = finished(spec)
    assert {hop.above_ev for hop in result.hops} == {-5.0}
    assert all(hop.barrier_ev is None and not hop.reason and hop.path for hop in result.hops)


def test_without_a_name_the_most_accurate_potential_at_hand_is_taken(monkeypatch) -> None:
    absent = BarrierSpec.planned(rocksalt(), potential="nequip-mp")
    assert (absent.guide, absent.relaxation.potential) == (None, "nequip-mp")
    monkeypatch.setattr(choice, "MOST_ACCURATE", "nobody")
    assert choice.barrier_potential() == "nequip-mp"
    monkeypatch.setattr(choice, "MOST_ACCURATE", "chgnet")
    monkeypatch.setitem(barrier.GUIDES, "chgnet", "nequip-mp")
    guided = BarrierSpec.planned(rocksalt())
    assert (guided.potential, guided.guide, guided.relaxation.potential) == (
        "chgnet",
        "nequip-mp",
        "nequip-mp",
    )
    guided.check()
    assert read_spec(json.loads(json.dumps(guided.to_dict()))).key == guided.key != absent.key
