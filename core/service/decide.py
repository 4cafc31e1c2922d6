"""Is a crystal's conductivity decided, and if not, the run that could decide it: for pages one, for commands a loop."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from core.calculations import Calculation
from core.calculations.kinds.diffusion import DiffusionSpec
from core.calculations.kinds.diffusion.displacements import DISPLACEMENTS_FILE
from core.errors import CalculationError
from core.service.calculations import Job, calculations_about, jobs_of
from core.service.conductivities import ConductivityPoint, conductivity_points
from core.store import Reader
from core.tasks.campaign import run_all
from core.tasks.decide import SEEDS, Measurement, Outcome, Standing, outcome, standing

__all__ = ["SEEDS", "Outcome", "Standing", "command_of", "outcome", "standing_of", "until_decided"]


def standing_of(
    points: Sequence[ConductivityPoint], finished: Sequence[Calculation], limit_ms_per_cm: float
) -> Standing | None:
    """Return how measurements like the first point stand against a limit, None where none of its runs is at hand.

    `points`: as `conductivity_points` returns them, those alike in all but protocol and seed count. `finished`: the
    runs about the crystal. Raises `CalculationError` for a limit that is not positive.
    """
    first = _spec_of(points[0], finished) if points else None
    return None if first is None else _standing(points, finished, first, limit_ms_per_cm)


def command_of(spec: DiffusionSpec, limit_ms_per_cm: float) -> str:
    """Return the command that goes on with runs like this one until they are decided against a limit."""
    options = [
        f"--potential {spec.potential}", f"--refine {spec.refine_rounds}" if spec.refine_rounds else "",
        f"--temperature-k {spec.protocol.temperature_k:g}", f"--limit {limit_ms_per_cm:g}",
    ]  # fmt: skip
    return " ".join(["python -m core mlmd run", spec.subject.id, "--until-decided", *filter(None, options)])


def until_decided(
    reader: Reader, first: DiffusionSpec, limit_ms_per_cm: float, *, max_runs: int, runs: Path | None = None
) -> Iterator[tuple[Job | None, Standing]]:
    """Do runs, one after another in this process, until it is decided, none could decide it, or there were `max_runs`.

    Yields how it stands at first, with no job, then each run and how it stands after it. `first` is done where there is
    none yet; one's own runs (folder `runs`) and the release's count that differ from it in protocol and seed alone.
    Raises `CalculationError` for a limit or a number of runs that is not positive.
    """
    if max_runs < 1:
        raise CalculationError(f"max_runs is {max_runs}; 1 or more are needed.")
    now = _now(reader, first, limit_ms_per_cm, runs)
    yield None, now
    for _ in range(max_runs):
        spec = first if now.pooled is None else now.next_spec
        if spec is None:
            return
        for job in run_all([replace(spec, device=first.device)], runs):
            now = _now(reader, first, limit_ms_per_cm, runs)
            yield job, now
            if job.state != "finished":
                return


def _now(reader: Reader, first: DiffusionSpec, limit_ms_per_cm: float, runs: Path | None) -> Standing:
    finished = calculations_about(reader, first.crystal, DiffusionSpec.kind, jobs_of(first.crystal, runs))
    own = [it for it in finished if not it.is_shipped]
    points = conductivity_points(reader, first.crystal.id, own)
    return _standing(points, finished, first, limit_ms_per_cm)


def _standing(
    points: Sequence[ConductivityPoint],
    finished: Sequence[Calculation],
    first: DiffusionSpec,
    limit_ms_per_cm: float,
) -> Standing:
    like = [it for it in finished if isinstance(it.spec, DiffusionSpec) and _alike(it.spec, first)]
    measured = [it for point in points if (it := _measurement(point, like)) is not None]
    seen = [it.spec for it in like if isinstance(it.spec, DiffusionSpec)]
    return standing(measured, limit_ms_per_cm, seen)


def _alike(spec: DiffusionSpec, other: DiffusionSpec) -> bool:
    """Whether two runs differ in protocol, seed and device alone, at the same temperature."""
    left_out = ("protocol", "seed", "device")
    same_heat = spec.protocol.temperature_k == other.protocol.temperature_k
    return same_heat and spec.key_without(*left_out) == other.key_without(*left_out)


def _spec_of(point: ConductivityPoint, runs: Sequence[Calculation]) -> DiffusionSpec | None:
    return next(
        (it.spec for it in runs if it.name in point.runs and isinstance(it.spec, DiffusionSpec)), None
    )


def _measurement(point: ConductivityPoint, runs: Sequence[Calculation]) -> Measurement | None:
    spec = _spec_of(point, runs)
    if spec is None:
        return None
    kept = sum(it.read_file(DISPLACEMENTS_FILE) is not None for it in runs if it.name in point.runs)
    return Measurement(spec=spec, pooled=point.conductivity, n_seeds_kept=kept)
