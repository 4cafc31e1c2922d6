"""What the pages read of calculations: one's own under the runs folder, and those that the release holds."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import streamlit as st

from app import state
from app.components.md_words import age_words
from core.errors import ExplorerError
from core.service import calculations as service
from core.service.calculations import Calculation, Job
from core.service.dynamics import DiffusionResult, DiffusionSpec, Frames, read_trajectory
from core.service.measurements import MeasuredRow, measured_rows
from core.service.release import Reader

_FRAMES_FILE: Final = "trajectory.f32"


def has_frames(run: Calculation) -> bool:
    """Whether the trajectory of a run is here."""
    return run.folder is not None and (run.folder / _FRAMES_FILE).is_file()


def diffusion(run: Calculation) -> DiffusionResult | None:
    """Return the result of a molecular dynamics run, None for a calculation of another kind."""
    return run.result if isinstance(run.result, DiffusionResult) else None


def finished(job: Job) -> Calculation | None:
    """Return a job as a calculation, or None while it has no result."""
    return job.calculation


def shipped_runs(id: str | None = None) -> list[Calculation]:
    """Return the runs that the release holds, about one structure where an id is given, in order of their names."""
    reader = state.reader()
    return _shipped(reader.release.sha256, id, reader)


@st.cache_resource(show_spinner=False, max_entries=64)
def _shipped(sha256: str, id: str | None, _reader: Reader) -> list[Calculation]:
    return service.shipped(_reader, id)


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


def run_words(run: Job | Calculation) -> str:
    """Name a run among others of its material: temperature, protocol, potential, seed, and how it ended.

    A run that goes on has no end to tell: a browser keeps the words of a choice once made, and would say so for ever.
    """
    if isinstance(run, Calculation):
        end = f": {run.result.verdict}{', shipped' if run.is_shipped else ''}"
    else:
        end = "" if run.is_active else f": {run.state if run.result is None else run.result.verdict}"
    if not isinstance(run.spec, DiffusionSpec):
        return f"{run.spec.title}{end}"
    protocol = run.spec.protocol
    return (
        f"{protocol.temperature_k:g} K, {protocol.name}, {run.spec.potential_name}, seed {run.spec.seed}{end}"
    )


def simulations() -> list[Calculation]:
    """Return the molecular dynamics runs that the release holds."""
    return [run for run in shipped_runs() if diffusion(run) is not None]


def measurements(jobs: Sequence[Job], shipped: Sequence[Calculation]) -> list[MeasuredRow]:
    """Return one row a measurement, seeds pooled; worked out anew only when a run has changed."""
    seen = tuple((job.job_id, job.state, job.fraction) for job in jobs)
    reader = state.reader()
    return _measurements(reader.release.sha256, seen, len(shipped), reader, jobs, shipped)


@st.cache_resource(show_spinner=False, max_entries=8)
def _measurements(
    sha256: str, seen: tuple[Any, ...], n_shipped: int, _reader: Reader, _jobs: Sequence[Job],
    _shipped: Sequence[Calculation],
) -> list[MeasuredRow]:  # fmt: skip
    return measured_rows(_reader, _jobs, _shipped)


def told_age(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return `age` of a run's row in words, and `state` saying how far an active one is, or its place in the queue."""
    if row["state"] == "shipped":
        return {"age": str(row["created"])[:10]}
    is_active = row["state"] in ("queued", "running")
    done = "" if row["fraction"] is None or not is_active else f" {row['fraction']:.0%}"
    if row["place"] is not None:
        done = f" #{row['place']}"
    age = age_words(age_s(row["submitted"])) if row["submitted"] else ""
    return {"state": row["state"] + done, "age": age}


def age_s(when: str | None) -> float | None:
    """Return the seconds since an ISO time, or None where there is none."""
    if not when:
        return None
    then = datetime.fromisoformat(when)
    return (datetime.now(UTC) - (then if then.tzinfo else then.replace(tzinfo=UTC))).total_seconds()
