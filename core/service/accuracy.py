"""How far the voltage model is off on electrodes that it did not see, beside the paper and other models."""

from core.voltage.accuracy import (
    LEVELS,
    PARTITIONS,
    Baseline,
    Interval,
    SpreadBin,
    baseline_of_card,
    coverage,
    mean_absolute_error,
    other_models,
    read_out_of_fold,
    shipped_card,
    spread_bins,
    worst_cases,
)
from core.voltage.card import VoltageCard
from core.voltage.evaluation.errors import ErrorRow

__all__ = [
    "LEVELS",
    "PARTITIONS",
    "Baseline",
    "ErrorRow",
    "Interval",
    "SpreadBin",
    "VoltageCard",
    "baseline_of_card",
    "coverage",
    "mean_absolute_error",
    "other_models",
    "ranked",
    "read_out_of_fold",
    "shipped_card",
    "spread_bins",
    "worst_cases",
]


def ranked(own: Baseline, others: list[Baseline]) -> list[Baseline]:
    """Return all models, the best on unseen hosts first; at random where that was not tried; the untried last."""

    def error_v(baseline: Baseline) -> float:
        row = baseline.row("host", "all") or baseline.row("random", "all")
        return float("inf") if row is None else row.mae_v

    return sorted([own, *others], key=error_v)
