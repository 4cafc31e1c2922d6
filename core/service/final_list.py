"""The final list as every face sees it: cathodes whose ions get through, beside those that still have to be tested."""

from dataclasses import asdict
from typing import Any, Final

import pandas as pd

from core.csv_text import frame_csv
from core.mobility import LIMITS, MOBILITIES, FinalList, final_list
from core.store import Release
from core.verdict import with_reasons

__all__ = ["LIMITS", "MOBILITIES", "FinalList", "final_csv", "final_list", "final_rows", "side_car"]

FIRST: Final = (
    "id", "formula", "is_final", "mobility", "verdict", "voltage_v", "voltage_low_v", "voltage_high_v",
    "capacity_redox_vol_ah_per_l", "capacity_vol_ah_per_l", "barrier_ev", "barrier_std_ev", "sigma_ms_per_cm",
    "sigma_low_ms_per_cm", "sigma_high_ms_per_cm", "sigma_verdict", "reasons_for", "reasons_against", "unknown",
)  # fmt: skip
"""What is read first of the table."""


def final_rows(found: FinalList) -> pd.DataFrame:
    """Return all that pass voltage and capacity with their reasons in words, the final list first."""
    rows = with_reasons(found.rows, LIMITS).drop(columns=["label"], errors="ignore")
    return rows[[*FIRST, *(name for name in rows.columns if name not in FIRST)]]


def final_csv(found: FinalList) -> str:
    """Return `final_rows` as CSV."""
    return frame_csv(final_rows(found))


def side_car(found: FinalList, release: Release) -> dict[str, Any]:
    """Return what the CSV does not say: limits, the counts down the funnel, release with its hashes."""
    return {
        "thresholds": LIMITS.as_dict(),
        "candidates": found.n_candidates,
        "passing": found.n_passing,
        "tested": found.n_tested,
        "fast": found.n_fast,
        "final": len(found.final),
        "release": asdict(release),
    }
