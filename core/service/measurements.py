"""Runs as a list of measurements: one row for each material, potential, protocol and temperature, its seeds folded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.calculations import Calculation
from core.calculations.kinds.conductivity import pool
from core.calculations.kinds.diffusion import DiffusionSpec
from core.errors import ExplorerError
from core.service.calculations import Job, calculation_row, job_row
from core.store import Reader
from core.store.filters import reduced_formula

_POOLED = ("verdict", "d_cm2_per_s", "sigma_ms_per_cm", "sigma_low_ms_per_cm", "sigma_high_ms_per_cm")


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredRow:
    """Runs that differ in their seed alone, or one of another kind. `name`: steady while seeds come; `runs`: theirs.

    `row`: what lists show, by the names of `core.quantities`, with the seeds' pooled figures.
    """

    name: str
    runs: tuple[str, ...]
    row: Mapping[str, Any]

    def matches(self, text: str) -> bool:
        """Return whether a text is part of the id or formula, or a formula of the same composition."""
        asked, formula = text.strip(), str(self.row["formula"])
        is_part = asked.lower() in str(self.row["id"]).lower() or asked.lower() in formula.lower()
        return is_part or reduced_formula(asked) == reduced_formula(formula)


def measured_rows(reader: Reader, jobs: Sequence[Job], held: Sequence[Calculation]) -> list[MeasuredRow]:
    """Return the measurements of one's own runs, in the order given, then of those that a release holds.

    A measurement that has runs of both counts them together.
    """
    own = {job.job_id for job in jobs}
    groups: dict[str, list[Job | Calculation]] = {}
    runs: list[Job | Calculation] = [*jobs, *(it for it in held if it.name not in own)]
    for run in runs:
        groups.setdefault(_name(run), []).append(run)
    pooled = _pooled_by_runs(reader)
    return [_row(name, runs, pooled) for name, runs in groups.items()]


def _name(run: Job | Calculation) -> str:
    if isinstance(run.spec, DiffusionSpec):
        return f"{run.spec.subject.id}-{run.spec.measurement_key[:16]}"
    return _run_name(run)


def _run_name(run: Job | Calculation) -> str:
    return run.name if isinstance(run, Calculation) else run.job_id


def _row(
    name: str, runs: Sequence[Job | Calculation], pooled: Mapping[frozenset[str], Mapping[str, Any]]
) -> MeasuredRow:
    rows = [calculation_row(it) if isinstance(it, Calculation) else job_row(it) for it in runs]
    finished = [
        it for run in runs if (it := run if isinstance(run, Calculation) else run.calculation) is not None
    ]
    shown = next((row for row in rows if row["state"] in ("queued", "running")), rows[0])
    figures = _figures(finished, pooled) if isinstance(runs[0].spec, DiffusionSpec) else {}
    names = tuple(_run_name(it) for it in runs)
    return MeasuredRow(name=name, runs=names, row=shown | {"n_seeds": len(finished) or None} | figures)


def _figures(
    finished: Sequence[Calculation], pooled: Mapping[frozenset[str], Mapping[str, Any]]
) -> dict[str, Any]:
    """The pooled figures: the release's of these very runs, else pooled anew, else those that it has of some."""
    names = frozenset(it.name for it in finished)
    if not finished:
        return dict.fromkeys(_POOLED)
    if names in pooled:
        return {it: pooled[names][it] for it in _POOLED}
    try:
        result = pool(finished).result
    except ExplorerError:
        of_some = [row for runs, row in pooled.items() if runs and runs < names]
        found = (
            of_some[0] if of_some else {"verdict": finished[0].result.verdict, **finished[0].result.figures()}
        )
        return {it: found.get(it) for it in _POOLED}
    return {it: getattr(result, it, None) for it in _POOLED}


def _pooled_by_runs(reader: Reader) -> dict[frozenset[str], Mapping[str, Any]]:
    rows = reader.conductivities().astype(object)
    by_name = {row["run_id"]: row for row in rows.where(rows.notna(), None).to_dict("records")}
    return {
        frozenset(record.spec.get("runs", ())): by_name[record.name]
        for record in reader.calculations("conductivity")
        if record.name in by_name
    }
