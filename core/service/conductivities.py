"""Conductivities of a crystal for the faces: seeds pooled, and the one that counts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from core.calculations import Calculation
from core.calculations.kinds.conductivity import ConductivityResult, ConductivitySpec, group_seeds, pool
from core.calculations.kinds.diffusion import DiffusionSpec
from core.errors import ExplorerError
from core.records import Conductivity
from core.service.calculations import Job
from core.store import Reader
from core.tasks.merge import released
from core.thresholds import PAPER_SIGMA_MS_PER_CM, Thresholds

_USABLE = ("diffusive", "upper limit")
_PAPER_K = 1200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConductivityPoint:
    """A pooled conductivity: the names of its runs, and whether all of it came with the release."""

    conductivity: Conductivity
    runs: tuple[str, ...]
    is_shipped: bool


def conductivity_points(
    reader: Reader, subject_id: str, own: Sequence[Calculation]
) -> list[ConductivityPoint]:
    """Return the conductivities of a crystal, seeds pooled, the one that counts first.

    `own`: finished runs about it, pooled with those that the release holds of the same measurement. Of the same runs
    the release's figures are taken, of more runs one's own.
    """
    held = _shipped_points(reader, subject_id)
    mine = _own_points(own, released(reader, subject_id, DiffusionSpec.kind)) if own else []
    mine = [it for it in mine if not any(set(it.runs) <= set(more.runs) for more in held)]
    kept = [it for it in held if not any(set(it.runs) < set(more.runs) for more in mine)]
    return _ordered([*kept, *mine])


def own_conductivity(reader: Reader, subject_id: str, jobs: Iterable[Job]) -> dict[str, float | str | None]:
    """Return the figures that count, by columns of the view `screening`, where one's own runs have part in them."""
    own = [it for job in jobs if (it := job.calculation) is not None and isinstance(it.spec, DiffusionSpec)]
    points = conductivity_points(reader, subject_id, own) if own else []
    if not points or points[0].is_shipped:
        return {}
    found = points[0].conductivity
    return {
        "sigma_ms_per_cm": found.sigma_ms_per_cm, "sigma_low_ms_per_cm": found.sigma_low_ms_per_cm,
        "sigma_high_ms_per_cm": found.sigma_high_ms_per_cm, "sigma_temperature_k": found.temperature_k,
        "sigma_verdict": found.verdict,
    }  # fmt: skip


def limit_of(thresholds: Thresholds) -> float:
    """Return the conductivity that is asked for, mS/cm, or the paper's."""
    asked = thresholds.sigma_ms_per_cm
    return PAPER_SIGMA_MS_PER_CM if asked is None else asked


def _own_points(own: Sequence[Calculation], held: Sequence[Calculation]) -> list[ConductivityPoint]:
    names = {it.name for it in own}
    groups = [group for group in group_seeds([*own, *held]) if any(it.name in names for it in group)]
    return [it for group in groups if (it := _pooled(group, names)) is not None]


def _pooled(group: Sequence[Calculation], own_names: set[str]) -> ConductivityPoint | None:
    """Pool a group; where the release kept no displacements of its part, one's own part alone."""
    for runs in (group, [it for it in group if it.name in own_names]):
        try:
            pooled = pool(runs)
        except ExplorerError:
            continue
        if isinstance(pooled.result, ConductivityResult) and isinstance(pooled.spec, ConductivitySpec):
            return ConductivityPoint(conductivity=pooled.result, runs=pooled.spec.runs, is_shipped=False)
    return None


def _shipped_points(reader: Reader, subject_id: str) -> list[ConductivityPoint]:
    names = [it.name for it in fields(Conductivity)]
    runs = {it.name: tuple(it.spec.get("runs", ())) for it in reader.calculations("conductivity", subject_id)}
    rows = reader.conductivities(subject_id).astype(object)
    rows = rows.where(rows.notna(), None)
    return [
        ConductivityPoint(
            conductivity=Conductivity(**{name: row[name] for name in names}), runs=runs.get(row["run_id"], ()),
            is_shipped=True,
        )
        for row in rows.to_dict("records")
    ]  # fmt: skip


def _ordered(points: Iterable[ConductivityPoint]) -> list[ConductivityPoint]:
    """The one that counts first, as the store's view `shown_conductivities` picks it.

    A usable verdict, the temperature nearest the paper's, the most ions times time, the latest.
    """
    found = sorted(points, key=lambda it: it.conductivity.run_id)
    found.sort(key=lambda it: it.conductivity.created, reverse=True)
    return sorted(found, key=lambda it: _order(it.conductivity))


def _order(it: Conductivity) -> tuple[bool, float, float]:
    return it.verdict not in _USABLE, abs(it.temperature_k - _PAPER_K), -it.n_working_ions * it.simulated_ps
