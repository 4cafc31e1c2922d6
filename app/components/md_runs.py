"""What the pages read of runs: one's own under the runs folder, and those whose results were shipped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.components.md_words import age_words
from core.dynamics import Frames, read_trajectory
from core.errors import ExplorerError
from core.jobs import Job, list_jobs, read_path, status
from core.records import Crystal
from core.settings import Settings

SHIPPED_FOLDER: Final = "md"
"""Under `precomputed`: a folder a run, with its result.json and, for the picture, its path.npz."""

_FRAMES_FILE: Final = "trajectory.f32"


@dataclass(frozen=True, kw_only=True, eq=False)
class FinishedRun:
    """A result with the folder that it lies in; `shipped` ones came with the release and hold no frames."""

    result: Mapping[str, Any]
    path: Path
    shipped: bool

    @property
    def run_id(self) -> str:
        """The run's id."""
        return str(self.result["run_id"])

    @property
    def has_frames(self) -> bool:
        """Whether its trajectory is here."""
        return (self.path / _FRAMES_FILE).is_file()

    def path_points(self) -> NDArray[np.float32] | None:
        """Return where the ions have been, fractional in the crystal's cell, or None where that was not kept."""
        return read_path(self.path)


def finished(job: Job) -> FinishedRun | None:
    """Return a job's result, or None while it has none."""
    return None if job.result is None else FinishedRun(result=job.result, path=job.path, shipped=False)


def jobs_of(crystal: Crystal) -> list[Job]:
    """Return the runs of a candidate, the latest first; an uploaded structure of the same name is another one."""
    return [
        job
        for job in list_jobs()
        if job.spec.id == crystal.id and job.spec.crystal.species == crystal.species
        and np.allclose(job.spec.crystal.lattice_a, crystal.lattice_a, atol=1e-4)
    ]  # fmt: skip


def find_job(job_id: str | None) -> Job | None:
    """Return a run, or None for a name, as of an old link, that is none."""
    try:
        return status(job_id) if job_id else None
    except ExplorerError:
        return None


def shipped_runs(id: str | None = None) -> list[FinishedRun]:
    """Return the results that came with the release, of one candidate where an id is given, in order of their names."""
    folder = Settings.from_environment().precomputed / SHIPPED_FOLDER
    if not folder.is_dir():
        return []
    modified_ns = max(path.stat().st_mtime_ns for path in (folder, *folder.iterdir()))
    runs = _shipped(str(folder), modified_ns)
    return [run for run in runs if id is None or run.result["id"] == id]


@st.cache_resource(show_spinner=False, max_entries=2)
def _shipped(folder: str, modified_ns: int) -> list[FinishedRun]:
    found = []
    for path in sorted(Path(folder).rglob("result.json")):
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # a damaged file hides itself, not the page
        if isinstance(result, dict) and {"run_id", "id", "verdict"} <= result.keys():
            found.append(FinishedRun(result=result, path=path.parent, shipped=True))
    return found


def frames_so_far(path: Path) -> Frames | None:
    """Return the frames of a run's trajectory, or None before the first."""
    file = path / _FRAMES_FILE
    try:
        return _frames(str(path), file.stat().st_size)
    except (OSError, ExplorerError):
        return None


@st.cache_resource(show_spinner=False, max_entries=4)
def _frames(path: str, size: int) -> Frames | None:
    frames = read_trajectory(Path(path))
    return frames if len(frames) else None


def run_words(job_or_run: Job | FinishedRun) -> str:
    """Name a run among others of its material: temperature, protocol, potential, seed, and how it ended.

    A run that goes on has no end to tell: a browser keeps the words of a choice once made, and would say so for ever.
    """
    if isinstance(job_or_run, FinishedRun):
        it = job_or_run.result
        temperature_k, protocol, end = it["temperature_k"], it["protocol"]["name"], f": {it['verdict']}"
        potential, seed = it["potential"], it["seed"]
        end += ", shipped" if job_or_run.shipped else ""
    else:
        spec, result = job_or_run.spec, job_or_run.result
        temperature_k, protocol = spec.protocol.temperature_k, spec.protocol.name
        potential, seed = spec.potential_name, spec.seed
        end = "" if job_or_run.is_active else f": {job_or_run.state if result is None else result['verdict']}"
    return f"{temperature_k:g} K, {protocol}, {potential}, seed {seed}{end}"


def run_rows(jobs: Sequence[Job], shipped: Sequence[FinishedRun]) -> list[dict[str, Any]]:
    """Return one row a run for tables: one's own first, in the order given, then the shipped ones not among them."""
    own = {job.job_id for job in jobs}
    return [_job_row(job) for job in jobs] + [_row(run.result) for run in shipped if run.run_id not in own]


def _job_row(job: Job) -> dict[str, Any]:
    spec = job.spec
    about = {
        "run_id": job.job_id, "id": spec.id, "formula": spec.crystal.formula, "potential": spec.potential_name,
        "temperature_k": spec.protocol.temperature_k, "protocol": spec.protocol.name, "seed": spec.seed,
    }  # fmt: skip
    done = "" if job.fraction is None or not job.is_active else f" {job.fraction:.0%}"
    age = age_words(age_s(job.submitted)) if job.submitted else ""
    return about | _figures(job.result or {}) | {"state": job.state + done, "age": age}


def _row(result: Mapping[str, Any]) -> dict[str, Any]:
    about = {name: result[name] for name in ("run_id", "id", "formula", "potential", "temperature_k", "seed")}
    about |= {"protocol": result["protocol"]["name"], "state": "shipped", "age": str(result["created"])[:10]}
    return about | _figures(result)


def _figures(result: Mapping[str, Any]) -> dict[str, Any]:
    return {name: result.get(name) for name in ("verdict", "d_cm2_per_s", "sigma_ms_per_cm", "sigma_high")}


def age_s(when: str | None) -> float | None:
    """Return the seconds since an ISO time, or None where there is none."""
    if not when:
        return None
    then = datetime.fromisoformat(when)
    return (datetime.now(UTC) - (then if then.tzinfo else then.replace(tzinfo=UTC))).total_seconds()
