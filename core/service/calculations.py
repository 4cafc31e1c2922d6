"""Calculations for pages, commands and the API: one's own runs and those of the release, as one list of one shape."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.calculations import Calculation, Result, Spec, all_kinds, read_spec
from core.calculations.kinds.diffusion import DiffusionSpec
from core.records import Crystal, Skipped
from core.store import Reader
from core.tasks import (
    RESUMABLE,
    Job,
    cancel,
    list_jobs,
    merge,
    resume,
    status,
    submit,
    unreadable_runs,
)
from core.tasks.folder import RunFolder, runs_folder
from core.tasks.merge import MergeReport, held_already, released

__all__ = [
    "RESUMABLE",
    "ROW_COLUMNS",
    "Calculation",
    "Job",
    "MergeReport",
    "Result",
    "Spec",
    "all_kinds",
    "calculation_about",
    "calculation_row",
    "calculations_about",
    "cancel",
    "export_documents",
    "export_documents_of",
    "export_rows",
    "job_about",
    "job_row",
    "jobs_of",
    "list_jobs",
    "merge",
    "merge_names",
    "read_spec",
    "resume",
    "rows",
    "shipped",
    "sisters",
    "status",
    "submit",
    "unreadable_row",
    "unreadable_runs",
]

ROW_COLUMNS = (
    "name", "kind", "state", "id", "formula", "working_ion", "potential", "protocol", "temperature_k", "seed",
    "verdict", "d_cm2_per_s", "sigma_ms_per_cm", "sigma_high_ms_per_cm", "place", "fraction", "eta_s", "submitted",
    "created", "error",
)  # fmt: skip
"""Of one run in a list; the names are those of `core.quantities`. A kind fills those that it has."""


def jobs_of(crystal: Crystal, runs: Path | None = None) -> list[Job]:
    """Return the runs about a crystal, the latest first; an uploaded structure of the same name is another one."""
    return [job for job in list_jobs(runs) if _is_about(job.spec, crystal)]


def job_about(jobs: Iterable[Job], kind: str) -> Job | None:
    """Return the latest run of a kind, in whatever state, among those about a crystal (`jobs_of`)."""
    return next((job for job in jobs if job.spec.kind == kind), None)


def calculations_about(
    reader: Reader, crystal: Crystal, kind: str, jobs: Iterable[Job]
) -> list[Calculation]:  # fmt: skip
    """Return the finished calculations of a kind about a crystal: one's own, then the release's, the latest first.

    `jobs`: the runs about it, as `jobs_of` returns them. Looking for them reads every run there is, so that a page does
    it once.
    """
    own = [job.calculation for job in jobs if job.spec.kind == kind]
    mine = [it for it in own if it is not None]
    names = {it.name for it in mine}
    held = [it for it in released(reader, crystal.id, kind) if it.name not in names]
    held = [it for it in held if _is_about(it.spec, crystal)]
    return [*mine, *sorted(held, key=lambda it: it.result.created, reverse=True)]


def calculation_about(reader: Reader, crystal: Crystal, kind: str, jobs: Iterable[Job]) -> Calculation | None:
    """Return the first of `calculations_about`, or None."""
    return next(iter(calculations_about(reader, crystal, kind, jobs)), None)


def shipped(reader: Reader, subject_id: str | None = None) -> list[Calculation]:
    """Return the single calculations of a release, pooled ones left out, in order of their names."""
    calculations = released(reader, subject_id)
    return sorted((it for it in calculations if not it.spec.made_of()), key=lambda it: it.name)


def rows(jobs: Iterable[Job], calculations: Iterable[Calculation] = ()) -> list[dict[str, Any]]:
    """Return a row for each run: one's own first, in the order given, then those of the release not among them."""
    own = [job_row(job) for job in jobs]
    names = {row["name"] for row in own}
    return own + [calculation_row(it) for it in calculations if it.name not in names]


def job_row(job: Job) -> dict[str, Any]:
    """Return a run of one's own as a row of `ROW_COLUMNS`."""
    result = job.result
    answer = (
        {} if result is None else {"verdict": result.verdict, "created": result.created, **result.figures()}
    )
    state = {
        "state": job.state, "place": job.place, "fraction": job.fraction, "eta_s": job.eta_s,
        "submitted": job.submitted, "error": job.error,
    }  # fmt: skip
    return _row(job.job_id, job.spec, answer | state)


def calculation_row(calculation: Calculation) -> dict[str, Any]:
    """Return a finished calculation as a row of `ROW_COLUMNS`."""
    result = calculation.result
    state = "shipped" if calculation.is_shipped else "finished"
    answer = {"verdict": result.verdict, "created": result.created, **result.figures(), "state": state}
    return _row(calculation.name, calculation.spec, answer)


def unreadable_row(item: Skipped) -> dict[str, Any]:
    """Return a run that cannot be read as a row of `ROW_COLUMNS`, with the reason."""
    return dict.fromkeys(ROW_COLUMNS) | {"name": item.id, "state": "unreadable", "error": item.reason}


def sisters(job: Job, runs: Path | None = None) -> list[Job]:
    """Return the finished runs that differ from one in their seed alone, itself among them."""
    if not isinstance(job.spec, DiffusionSpec):
        return [job]
    key = job.spec.measurement_key
    return [
        other
        for other in list_jobs(runs)
        if other.state == "finished"
        and isinstance(other.spec, DiffusionSpec)
        and other.spec.measurement_key == key
    ]


def merge_names(
    names: Sequence[str], reader: Reader, *, runs: Path | None = None, precomputed: Path | None = None
) -> MergeReport:
    """Merge runs by name; where none is named, all that say they are finished.

    One that came with the release is passed over; those that cannot be read are left out with the reason.
    """
    shipped_names = {record.name for record in reader.calculations()}
    here = [name for name in names if name not in shipped_names or (runs_folder(runs) / name).is_dir()]
    paths = [RunFolder.named(name, runs).path for name in here] if names else _said_to_be_finished(runs)
    report = merge(paths, precomputed)
    held = [held_already(name, name) for name in names if name not in here]
    unread = [] if names else unreadable_runs(runs)
    return replace(report, skipped=[*report.skipped, *unread, *held], held=[*report.held, *held])


def _said_to_be_finished(runs: Path | None) -> list[Path]:
    """Of all runs those whose status says so, also where the result turns out not to be sound."""
    return [job.path for job in list_jobs(runs) if job.folder.status().get("state") == "finished"]


def export_rows(reader: Reader, kind: str | None = None, runs: Path | None = None) -> list[dict[str, Any]]:
    """Return every finished calculation, one's own and the release's, pooled ones too, as rows of `ROW_COLUMNS`."""
    return [calculation_row(it) for it in _finished(reader, kind, runs)]


def export_documents(
    reader: Reader, kind: str | None = None, runs: Path | None = None
) -> list[dict[str, Any]]:
    """Return every finished calculation whole: `name`, `key`, `spec` and `result` as JSON holds them."""
    return [_document(it) for it in _finished(reader, kind, runs)]


def export_documents_of(reader: Reader, subject_id: str) -> list[dict[str, Any]]:
    """Return every calculation of the release about one structure, whole, as `export_documents` does."""
    return [_document(it) for it in released(reader, subject_id)]


def _document(it: Calculation) -> dict[str, Any]:
    return {"name": it.name, "key": it.spec.key, "spec": it.spec.to_dict(), "result": it.result.to_dict()}


def _finished(reader: Reader, kind: str | None, runs: Path | None) -> list[Calculation]:
    own = [job.calculation for job in list_jobs(runs) if job.state == "finished"]
    mine = [it for it in own if it is not None and kind in (None, it.spec.kind)]
    names = {it.name for it in mine}
    return [*mine, *(it for it in released(reader, kind=kind) if it.name not in names)]


def _row(name: str, spec: Spec, answer: dict[str, Any]) -> dict[str, Any]:
    subject = spec.subject
    about = {
        "name": name, "kind": spec.kind, "id": subject.id, "formula": subject.formula,
        "working_ion": subject.working_ion,
    }  # fmt: skip
    return dict.fromkeys(ROW_COLUMNS) | about | spec.settings() | answer


def _is_about(spec: Spec, crystal: Crystal) -> bool:
    own = getattr(spec, "crystal", None)
    return own is not None and own.id == crystal.id and own.same_structure(crystal)
