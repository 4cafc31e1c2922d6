"""Is a conductivity decided, and which run could decide it; the loop, on runs whose ions walk by a known law."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.calculations.kinds.diffusion import DiffusionSpec
from core.cli import main
from core.dynamics import PROTOCOLS
from core.errors import CalculationError
from core.service import decide
from core.service.decide import until_decided
from core.store import Reader, open_reader
from core.tasks import Job, status
from core.tasks.decide import SEEDS, Measurement, longer, outcome, projected, standing
from tests.store.small_release import conductivity, crystals, make_release
from tests.tasks.made_runs import walked

MakeSpec = Callable[..., DiffusionSpec]
VALUE = conductivity("run", "mp-1", simulated_ps=6.0, n_seeds=1, atom_steps_per_s=1000.0)
LIMIT = replace(
    VALUE, verdict="upper limit", d_cm2_per_s=None, d_low_cm2_per_s=None, sigma_ms_per_cm=None,
    sigma_low_ms_per_cm=None,
)  # fmt: skip
SHAKEN = replace(LIMIT, verdict="too short", d_high_cm2_per_s=None, sigma_high_ms_per_cm=None)
MELTED = replace(SHAKEN, verdict="framework melted")


def quick(make_spec: MakeSpec, seed: int = 0) -> DiffusionSpec:
    return make_spec(id="mp-1", crystal=crystals()[1], protocol=PROTOCOLS["quick"], seed=seed)


def next_of(make_spec: MakeSpec, pooled, limit: float, *, n_kept: int = 1, n_seen: int = 1) -> DiffusionSpec:
    spec = quick(make_spec)
    seen = [quick(make_spec, seed) for seed in range(n_seen)]
    found = standing([Measurement(spec=spec, pooled=pooled, n_seeds_kept=n_kept)], limit, seen).next_spec
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("sigma", "limit", "said"),
    [
        (VALUE, 70.0, "passed"), (VALUE, 100.0, "undecided"), (VALUE, 300.0, "failed"),
        (LIMIT, 300.0, "failed"), (LIMIT, 299.0, "undecided"), (SHAKEN, 1.0, "undecided"), (MELTED, 1e6, "undecided"),
    ],
)  # fmt: skip
def test_only_a_whole_interval_decides(sigma, limit: float, said: str) -> None:
    assert outcome(sigma, limit) == said


def test_what_more_time_would_tell_follows_its_law() -> None:
    assert projected(LIMIT, 18.0).sigma_high_ms_per_cm == pytest.approx(100.0)
    then = projected(VALUE, 24.0)  # four times as long: half as wide on a logarithm
    assert then.sigma_low_ms_per_cm == pytest.approx(150.0 / 2**0.5)
    assert then.sigma_high_ms_per_cm == pytest.approx(150.0 * 2**0.5)


def test_another_seed_where_that_is_enough_else_the_shortest_run_that_is(make_spec: MakeSpec) -> None:
    seed = next_of(make_spec, LIMIT, 110.0)
    assert (seed.protocol.name, seed.seed) == ("quick", 1)
    long = next_of(make_spec, LIMIT, 50.0)
    assert (long.protocol.name, long.protocol.nvt_ps, long.seed) == ("long", 20.0, 0)
    assert next_of(make_spec, LIMIT, 12.0).protocol.nvt_ps == 80.0


def test_seeds_whose_displacements_are_gone_are_neither_made_again_nor_counted(make_spec: MakeSpec) -> None:
    gone = next_of(make_spec, replace(LIMIT, simulated_ps=6.0), 110.0, n_kept=0, n_seen=3)
    assert (gone.protocol.name, gone.seed) == ("quick", 3)
    used_up = next_of(make_spec, replace(LIMIT, simulated_ps=18.0), 250.0, n_kept=SEEDS, n_seen=3)
    assert used_up.protocol.name == "long"


def test_a_run_too_short_asks_for_a_longer_one_and_a_melt_for_none(make_spec: MakeSpec) -> None:
    assert next_of(make_spec, SHAKEN, 100.0).protocol.name == "long"
    melt = standing([Measurement(spec=quick(make_spec), pooled=MELTED, n_seeds_kept=1)], 100.0)
    assert melt.next_spec is None and "cannot decide" in melt.reason


def test_the_command_asks_the_same_question(make_spec: MakeSpec) -> None:
    spec = replace(
        quick(make_spec), refine_rounds=1, protocol=PROTOCOLS["long"].with_changes(temperature_k=900.0)
    )
    assert decide.command_of(spec, 50.0) == (
        "python -m core mlmd run mp-1 --until-decided --potential toy --refine 1 --temperature-k 900 --limit 50"
    )


def test_words_tell_a_value_from_a_limit_that_is_near(make_spec: MakeSpec) -> None:
    near = replace(LIMIT, sigma_high_ms_per_cm=100.3, d_high_cm2_per_s=1e-5)
    told = standing([Measurement(spec=quick(make_spec), pooled=near, n_seeds_kept=1)], 100.0)
    assert told.reason == "The upper limit, 100.30 mS/cm, is above the 100 mS/cm asked for."


def test_longer_protocols_keep_cell_and_temperature() -> None:
    hot = PROTOCOLS["quick"].with_changes(temperature_k=900.0)
    lengths = []
    for _ in range(4):
        hot = longer(hot)
        lengths.append((hot.name, hot.nvt_ps, hot.temperature_k, hot.min_atoms))
    assert lengths == [
        ("long", 20.0, 900.0, 100), ("long-40ps", 40.0, 900.0, 100), ("long-80ps", 80.0, 900.0, 100),
        ("long-160ps", 160.0, 900.0, 100),
    ]  # fmt: skip


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_must_be_a_positive_number(limit: float) -> None:
    with pytest.raises(CalculationError, match="a positive number is needed"):
        standing([], limit)


@pytest.fixture
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make_release(tmp_path / "precomputed")
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path / "precomputed"))
    with open_reader() as reader:
        yield reader


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch, runs: Path) -> list[DiffusionSpec]:
    """Runs are made at once, their ions walking by steps of 0.15 angstrom; the specs that were asked for."""
    asked: list[DiffusionSpec] = []

    def made(specs, folder=None):
        for spec in specs:
            asked.append(spec)
            walked(spec, folder or runs, step_a=0.15)
            yield status(spec.name, folder)

    monkeypatch.setattr(decide, "run_all", made)
    return asked


def test_it_goes_on_until_it_is_decided(released: Reader, walks: list, make_spec: MakeSpec) -> None:
    first = quick(make_spec)
    steps: list[tuple[Job | None, decide.Standing]] = list(until_decided(released, first, 1.0, max_runs=6))
    assert steps[0][0] is None and steps[0][1].pooled is None
    assert steps[-1][1].outcome == "passed" and len(walks) == len(steps) - 1 == 1
    value = steps[-1][1].pooled.sigma_ms_per_cm
    again = list(until_decided(released, first, value, max_runs=2))
    assert len(walks) == 3 and again[-1][1].outcome == "undecided"  # the limit is the value: a bound ends it
    assert [spec.seed for spec in walks] == [0, 1, 2] and again[-1][1].pooled.n_seeds == 3
    assert not list(until_decided(released, first, 1.0, max_runs=6))[1:]


def test_another_temperature_is_another_question(released: Reader, walks: list, make_spec: MakeSpec) -> None:
    list(until_decided(released, quick(make_spec), 1.0, max_runs=1))
    cold = replace(quick(make_spec), protocol=PROTOCOLS["quick"].with_changes(temperature_k=600.0))
    assert next(until_decided(released, cold, 1.0, max_runs=1))[1].pooled is None


def test_from_a_terminal(released: Reader, walks: list, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "mlmd",
        "run",
        "mp-1",
        "--potential",
        "toy",
        "--device",
        "cpu",
        "--protocol",
        "quick",
        "--until-decided",
    ]
    assert main([*command, "--limit", "1", "--max-runs", "2"]) == 0
    printed = capsys.readouterr()
    assert (
        json.loads(printed.out)["outcome"] == "passed"
        and "finished. passed: The 90 % interval" in printed.err
    )
    assert main([*command, "--limit", "-5"]) == 2
    assert "a positive number is needed" in capsys.readouterr().err
    assert main([*command, "--max-runs", "0"]) == 2 and "1 or more" in capsys.readouterr().err
    assert main([*command, "--detach"]) == 2 and "leave --detach out" in capsys.readouterr().err
