"""Errors by ion with bootstrap intervals, beside what the ion's mean or median alone would give."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from core.errors import TrainingError
from core.ions import PAPER_IONS

PAPER_MAE_V: Final[dict[str, float]] = {
    "Li": 0.32, "Mg": 0.29, "Na": 0.32, "Al": 0.33, "K": 0.30, "Ca": 0.29, "Zn": 0.25,
}  # fmt: skip
"""Test MAE by ion of Chen et al. (2024), random split of 4,045 electrodes."""

ALL, SEVEN = "all", "seven-ion mean"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """Mean absolute error of one ion, V: n, bootstrap 95 % interval, the two baselines and the paper's
    value."""

    working_ion: str
    n: int
    mae_v: float
    low_v: float
    high_v: float
    mean_baseline_v: float
    median_baseline_v: float
    paper_v: float | None = None

    def rounded(self) -> "ErrorRow":
        """Return the row to a tenth of a millivolt, as cards and tables keep it."""
        return ErrorRow(**self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, rounded to a tenth of a millivolt."""
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def baselines(
    voltages_v: Floats, working_ions: Sequence[str], train: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return (n,) mean and median of the training labels of each row's ion (of all labels for an ion not
    trained)."""
    ions = np.asarray(working_ions)
    means, medians = np.empty(len(ions)), np.empty(len(ions))
    for ion in np.unique(ions):
        known = voltages_v[train][ions[train] == ion]
        known = known if len(known) else voltages_v[train]
        means[ions == ion], medians[ions == ion] = known.mean(), np.median(known)
    return means, medians


def error_table(
    voltages_v: Floats,
    predicted_v: Floats,
    working_ions: Sequence[str],
    baseline_v: tuple[Floats, Floats],
    *,
    seed: int = 0,
) -> list[ErrorRow]:
    """Return one row an ion, most rows first, then all rows together and the mean over the paper's seven
    ions.

    All arrays are (n,) over the same test rows; intervals are 95 % percentile bootstraps over rows. The
    baseline pair is that of `baselines`. Raises `TrainingError` when lengths differ.
    """
    lengths = {len(voltages_v), len(predicted_v), len(working_ions), *(len(item) for item in baseline_v)}
    if len(lengths) != 1:
        raise TrainingError(
            f"Labels, predictions, ions and baselines have lengths {sorted(lengths)}; they must agree."
        )
    ions = np.asarray(working_ions)
    errors = np.abs(np.stack([predicted_v, *baseline_v]) - voltages_v)
    rng = np.random.default_rng([seed, 3])
    names, counts = np.unique(ions, return_counts=True)
    rows, samples = [], {}
    for ion in names[np.argsort(-counts, kind="stable")]:
        samples[ion] = resampled(errors[0][ions == ion], rng)
        rows.append(_row(str(ion), errors[:, ions == ion], samples[ion]))
    rows.append(_row(ALL, errors, resampled(errors[0], rng)))
    if all(ion in samples for ion in PAPER_IONS):
        rows.append(_seven(rows, np.mean([samples[ion] for ion in PAPER_IONS], axis=0)))
    return rows


def resampled(
    values: Floats, rng: np.random.Generator, statistic: Callable[..., Any] = np.mean, n_samples: int = 1000
) -> Floats:
    """Return (n_samples,) values of a statistic over rows drawn with replacement, for percentile intervals."""
    if len(values) == 1:  # scipy refuses a lone row, whose every draw is itself
        return np.full(n_samples, values[0])
    drawn = bootstrap(
        (values,), statistic, n_resamples=n_samples, method="percentile", vectorized=True, rng=rng
    )
    return np.asarray(drawn.bootstrap_distribution, dtype=np.float64)


def format_table(rows: Sequence[ErrorRow], title: str) -> str:
    """Return the table as text to print."""
    head = f"{'ion':<15}{'n':>6}{'MAE/V':>8}{'95 % interval':>18}{'mean':>8}{'median':>8}{'paper':>8}"
    lines = [title, head]
    for row in rows:
        paper = "-" if row.paper_v is None else f"{row.paper_v:.2f}"
        interval = f"{row.low_v:.3f} to {row.high_v:.3f}"
        lines.append(
            f"{row.working_ion:<15}{row.n:>6}{row.mae_v:>8.3f}{interval:>18}{row.mean_baseline_v:>8.2f}"
            f"{row.median_baseline_v:>8.2f}{paper:>8}"
        )
    return "\n".join(lines)


def _row(name: str, errors: NDArray[np.float64], samples: Floats) -> ErrorRow:
    mae, mean, median = errors.mean(axis=1)
    low, high = np.percentile(samples, [2.5, 97.5])
    return ErrorRow(
        working_ion=name, n=errors.shape[1], mae_v=float(mae), low_v=float(low), high_v=float(high),
        mean_baseline_v=float(mean), median_baseline_v=float(median), paper_v=PAPER_MAE_V.get(name),
    )  # fmt: skip


def _seven(rows: Sequence[ErrorRow], samples: Floats) -> ErrorRow:
    seven = [row for row in rows if row.working_ion in PAPER_IONS]
    low, high = np.percentile(samples, [2.5, 97.5])
    return ErrorRow(
        working_ion=SEVEN,
        n=sum(row.n for row in seven),
        mae_v=float(np.mean([row.mae_v for row in seven])),
        low_v=float(low),
        high_v=float(high),
        mean_baseline_v=float(np.mean([row.mean_baseline_v for row in seven])),
        median_baseline_v=float(np.mean([row.median_baseline_v for row in seven])),
        paper_v=float(np.mean(list(PAPER_MAE_V.values()))),
    )
