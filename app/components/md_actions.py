"""What can be taken away from a finished run: downloads, and its conductivity into the database."""

import csv
import io
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import streamlit as st

from app.components.md_runs import FinishedRun
from app.components.md_words import significant
from app.theme import safe
from core.dynamics import write_extxyz
from core.errors import ExplorerError
from core.jobs import Job, MergeReport, list_jobs, merge, status

_MERGED: Final = "md_merged"


def actions(run: FinishedRun) -> None:
    """Draw the downloads of a run and, for one's own, the button that merges it."""
    with st.container(horizontal=True):
        st.download_button(
            "Displacements (CSV)", lambda: msd_csv(run.result).encode(), f"{run.run_id}-msd.csv", "text/csv",
            icon=":material/download:", on_click="ignore", key=f"md_csv_{run.run_id}", disabled=not run.result["msd"],
        )  # fmt: skip
        st.download_button(
            "Result (JSON)", lambda: json.dumps(run.result, indent=1).encode(), f"{run.run_id}.json",
            "application/json", icon=":material/download:", on_click="ignore", key=f"md_json_{run.run_id}",
            help="Every figure with its interval, the protocol, notes and provenance.",
        )  # fmt: skip
        if run.has_frames:
            st.download_button(
                "Trajectory (extxyz)", lambda: extxyz(run.path), f"{run.run_id}.extxyz", "chemical/x-xyz",
                icon=":material/download:", on_click="ignore", key=f"md_xyz_{run.run_id}",
                help="All frames with cell, unwrapped positions, phase and time; ASE and OVITO read it.",
            )  # fmt: skip
    if not run.shipped:
        _merging(run)


def msd_csv(result: Mapping[str, Any]) -> str:
    """Return the mean-square displacements of a result: a row a species and lag time, in total and along each axis."""
    text = io.StringIO()
    for name in ("run_id", "formula", "potential", "temperature_k", "seed", "verdict"):
        text.write(f"# {name}: {result[name]}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["species", "lag_ps", "msd_a2", "msd_x_a2", "msd_y_a2", "msd_z_a2"])
    for species, msd in result["msd"].items():
        for lag_ps, total, axes in zip(msd["lag_ps"], msd["msd_a2"], msd["axis_a2"], strict=True):
            writer.writerow([species, lag_ps, total, *axes])
    return text.getvalue()


def extxyz(folder: Path) -> bytes:
    """Return a run's frames as extended XYZ."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "frames.extxyz"
        write_extxyz(folder, target)
        return target.read_bytes()


def _merging(run: FinishedRun) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(
            "**Merge into the database.** Pools this run with its finished sisters (same settings, other seeds) and "
            "publishes a new release that holds their conductivity: the Screen page filters on it from then on.",
            width="stretch",
        )
        if st.button("Merge", icon=":material/database_upload:", key=f"md_merge_{run.run_id}"):
            st.session_state[_MERGED] = (run.run_id, *_merge(run))
            st.rerun()
    run_id, kind, words = st.session_state.get(_MERGED, (None, "", ""))
    if run_id == run.run_id:
        {"success": st.success, "info": st.info, "error": st.error}[kind](words)


def _merge(run: FinishedRun) -> tuple[str, str]:
    """Merge a run with its sisters; return how it went, for a coloured box."""
    try:
        return merge_words(merge([job.path for job in sisters(status(run.path.name))]))
    except ExplorerError as error:
        return "error", f"Nothing was merged. {safe(error)}"


def sisters(job: Job) -> list[Job]:
    """Return the finished runs that differ from this one in nothing but their seed, itself among them."""
    key = job.spec.material_key
    return [
        it
        for it in list_jobs()
        if it.state == "finished" and it.spec.id == job.spec.id and it.spec.material_key == key
    ]


def merge_words(report: MergeReport) -> tuple[str, str]:
    """Return the kind of box and the words that tell what a merge did."""
    left_out = " ".join(f"Left out: {safe(it.reason)}" for it in report.skipped)
    if report.release is None:
        return "info", f"Nothing new was merged. {left_out}"
    words = []
    for record in report.added:
        sigma, high = record.sigma_ms_per_cm, record.sigma_high_ms_per_cm
        value = (
            f"{significant(sigma)} mS/cm" if sigma is not None
            else f"below {significant(high)} mS/cm" if high is not None else "no value"
        )  # fmt: skip
        seeds = f"{record.n_seeds} seed{'s' * (record.n_seeds > 1)}"
        words.append(f"{safe(record.verdict)}, {value} from {seeds}")
    return (
        "success",
        f"Release {safe(report.release.version)} holds it: {'; '.join(words)}. {left_out}".strip(),
    )
