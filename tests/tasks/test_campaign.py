"""Campaigns: the order of candidates, and runs done once."""

from core.store import open_reader
from core.tasks.campaign import campaign, ranked_crystals, run_all


def test_the_first_candidates_are_one_a_formula_and_hold_redox_capacity() -> None:
    with open_reader() as reader:
        crystals = ranked_crystals(reader, 24)
        rows = reader.screen().set_index("id")
    assert len({crystal.formula for crystal in crystals}) == len(crystals) == 24
    ranked = rows.loc[[crystal.id for crystal in crystals]]
    assert (ranked.capacity_redox_vol_ah_per_l >= 800).all()
    assert (ranked.voltage_v > 3.0).all()


def test_a_campaign_runs_every_seed_of_the_first_crystal_first(make_spec) -> None:
    spec = make_spec()
    specs = campaign([spec.crystal, spec.crystal], spec.protocol, spec.potential, [0, 1])
    assert [one.seed for one in specs] == [0, 1, 0, 1]
    assert not any(one.refine_rounds for one in specs)


def test_runs_are_done_once(make_spec) -> None:
    specs = [make_spec(seed=seed) for seed in (0, 1)]
    first = list(run_all(specs))
    assert [job.state for job in first] == ["finished", "finished"]
    changed = [(job.path / "result.json").stat().st_mtime_ns for job in first]
    again = list(run_all(specs))
    assert [(job.path / "result.json").stat().st_mtime_ns for job in again] == changed
