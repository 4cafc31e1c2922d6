"""What can be taken away from a finished run: downloads, and its conductivity into the database."""

import csv
import io
import json
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import streamlit as st

from app.components.md_runs import diffusion, has_frames
from app.theme import safe
from app.visitor import check_merge
from core.errors import ExplorerError
from core.quantities import significant
from core.service.calculations import Calculation, MergeReport, merge, sisters, status
from core.service.dynamics import DiffusionResult, write_extxyz

_MERGED: Final = "md_merged"


def actions(run: Calculation) -> None:
    """Draw the downloads of a run and, for one's own, the button that merges it."""
    with st.container(horizontal=True):
        if (result := diffusion(run)) is not None:
            st.download_button(
                "Displacements (CSV)", lambda: msd_csv(result).encode(), f"{run.name}-msd.csv", "text/csv",
                icon=":material/download:", on_click="ignore", key=f"md_csv_{run.name}", disabled=not result.msd,
            )  # fmt: skip
        st.download_button(
            "Result (JSON)", lambda: json.dumps(run.result.to_dict(), indent=1).encode(), f"{run.name}.json",
            "application/json", icon=":material/download:", on_click="ignore", key=f"md_json_{run.name}",
            help="Every figure with its interval, the protocol, notes and provenance.",
        )  # fmt: skip
        if run.folder is not None and has_frames(run):
            st.download_button(
                "Trajectory (extxyz)", partial(extxyz, run.folder), f"{run.name}.extxyz", "chemical/x-xyz",
                icon=":material/download:", on_click="ignore", key=f"md_xyz_{run.name}",
                help="All frames with cell, unwrapped positions, phase and time; ASE and OVITO read it.",
            )  # fmt: skip
    if not run.is_shipped:
        _merging(run)


def msd_csv(result: DiffusionResult) -> str:
    """Return the mean-square displacements of a result: a row a species and lag time, in total and along each axis."""
    text = io.StringIO()
    for name in ("run_id", "formula", "potential", "temperature_k", "seed", "verdict"):
        text.write(f"# {name}: {getattr(result, name)}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["species", "lag_ps", "msd_a2", "msd_x_a2", "msd_y_a2", "msd_z_a2"])
    for species, msd in result.msd.items():
        for lag_ps, total, axes in zip(msd.lag_ps, msd.msd_a2, msd.axis_a2, strict=True):
            writer.writerow([species, lag_ps, total, *axes])
    return text.getvalue()


def extxyz(folder: Path) -> bytes:
    """Return a run's frames as extended XYZ."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "frames.extxyz"
        write_extxyz(folder, target)
        return target.read_bytes()


def _merging(run: Calculation) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(
            "**Merge into the database.** Pools this run with its finished sisters (same settings, other seeds) and "
            "publishes a new release that holds their conductivity: the Screen page filters on it from then on.",
            width="stretch",
        )
        if st.button("Merge", icon=":material/database_upload:", key=f"md_merge_{run.name}"):
            st.session_state[_MERGED] = (run.name, *_merge(run))
            st.rerun()
    run_id, kind, words = st.session_state.get(_MERGED, (None, "", ""))
    if run_id == run.name:
        {"success": st.success, "info": st.info, "error": st.error}[kind](words)


def _merge(run: Calculation) -> tuple[str, str]:
    """Merge a run with its sisters; return how it went, for a coloured box."""
    try:
        check_merge()
        return merge_words(merge([job.path for job in sisters(status(run.name))]))
    except ExplorerError as error:
        return "error", f"Nothing was merged. {safe(error)}"


def merge_words(report: MergeReport) -> tuple[str, str]:
    """Return the kind of box and the words that tell what a merge did."""
    left_out = " ".join(f"Left out: {safe(it.reason)}" for it in report.skipped)
    if report.release is None:
        return "info", f"Nothing new was merged. {left_out}"
    pooled = [record.result for record in report.added if record.kind == "conductivity"]
    words = [_pooled_words(result) for result in pooled] or [
        f"{len(report.added)} result{'s' * (len(report.added) > 1)}"
    ]
    return (
        "success",
        f"Release {safe(report.release.version)} holds it: {'; '.join(words)}. {left_out}".strip(),
    )


def _pooled_words(result: Mapping[str, Any]) -> str:
    sigma, high = result["sigma_ms_per_cm"], result["sigma_high_ms_per_cm"]
    value = (
        f"{significant(sigma)} mS/cm" if sigma is not None
        else f"below {significant(high)} mS/cm" if high is not None else "no value"
    )  # fmt: skip
    seeds = f"{result['n_seeds']} seed{'s' * (result['n_seeds'] > 1)}"
    return f"{safe(result['verdict'])}, {value} from {seeds}"
