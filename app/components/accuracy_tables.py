"""Tables of the Accuracy page: errors by ion, baselines, in and out of domain, worst cases."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

import pandas as pd

from app.components.accuracy_figures import PARTITION_NAMES
from app.components.tables import Cell, Detailed, Link, draw_named_rows, draw_table
from app.components.text import pretty_formula
from core.quantities import QUANTITIES
from core.service.accuracy import Baseline, ErrorRow, Interval

_MATERIAL_URL = "https://materialsproject.org/materials/"
_CHECK_WORDS = {"ok": "agrees", "differs": "disagrees"}


def volts(figure: Interval | ErrorRow | None) -> Cell:
    """Return a mean absolute error with its interval beneath."""
    if figure is None:
        return "–"
    if isinstance(figure, ErrorRow):
        return Detailed(text=f"{figure.mae_v:.3f}", detail=f"{figure.low_v:.2f} to {figure.high_v:.2f}")
    return Detailed(text=f"{figure.value:.3f}", detail=f"{figure.low:.2f} to {figure.high:.2f}")


def ion_table(errors: Mapping[str, Sequence[ErrorRow]]) -> None:
    """Draw the errors by ion in both partitions beside the paper and both guesses."""
    host = {row.working_ion: row for row in errors.get("host", ())}
    rows: dict[str, list[Cell]] = {}
    for row in errors["random"]:
        unseen = host.get(row.working_ion)
        rows[row.working_ion] = [
            f"{row.n:,}", volts(row), volts(unseen), "–" if row.paper_v is None else f"{row.paper_v:.2f}",
            f"{row.mean_baseline_v:.2f}", f"{row.median_baseline_v:.2f}",
        ]  # fmt: skip
    draw_named_rows(
        [
            "Rows",
            *(f"{name}, {QUANTITIES['mae_v'].head}" for name in PARTITION_NAMES.values()),
            *(QUANTITIES[name].label for name in ("paper_v", "mean_baseline_v", "median_baseline_v")),
        ],
        rows,
    )


def baselines_table(baselines: Sequence[Baseline]) -> None:
    """Draw all models with their errors over all ions and over the paper's seven, both partitions."""
    draw_table(
        [
            "Model",
            "Rows",
            "Random, all ions (V)",
            "Unseen hosts, all ions (V)",
            "Random, seven ions",
            "Unseen, seven ions",
        ],
        [
            [
                Detailed(text=baseline.name, detail=baseline.description),
                _rows_of(baseline),
                volts(baseline.row("random", "all")),
                volts(baseline.row("host", "all")),
                volts(baseline.row("random", "seven-ion mean")),
                volts(baseline.row("host", "seven-ion mean")),
            ]
            for baseline in baselines
        ],
    )


def _rows_of(baseline: Baseline) -> str:
    counts = [row.n for partition in PARTITION_NAMES if (row := baseline.row(partition, "all")) is not None]
    return " / ".join(dict.fromkeys(f"{count:,}" for count in counts)) or "–"


def domain_table(parts: Iterable[tuple[str, str, Interval, Interval]]) -> None:
    """Draw (partition, inside or outside, MAE, coverage) rows."""
    draw_table(
        ["Rows", "", "n", QUANTITIES["mae_v"].head, "90 % intervals hold"],
        [
            [PARTITION_NAMES[partition], side, f"{mae.n:,}", volts(mae), _percent(covered)]
            for partition, side, mae, covered in parts
        ],
    )


def _percent(figure: Interval) -> Cell:
    return Detailed(text=f"{figure.value:.1%}", detail=f"{figure.low:.0%} to {figure.high:.0%}")


_WORST: Final = (
    "battery_id", "id_discharge", "working_ion", "calculated_v", "predicted_v", "error_v", "in_domain", "voltage_check",
)  # fmt: skip


def worst_table(worst: pd.DataFrame, candidates: Collection[str]) -> None:
    """Draw the worst predictions; the structure's link leads to its candidate page where it has one."""
    draw_table(
        [QUANTITIES[name].head for name in _WORST],
        [
            [
                Detailed(text=pretty_formula(it.formula), detail=it.battery_id),
                structure_link(it.id_discharge, candidates),
                it.working_ion,
                QUANTITIES["calculated_v"].number(it.voltage_v),
                f"{QUANTITIES['predicted_v'].number(it.predicted_v)} ± {QUANTITIES['std_v'].number(it.std_v)}",
                QUANTITIES["error_v"].number(it.error_v),
                QUANTITIES["in_domain"].text(it.in_domain),
                _CHECK_WORDS.get(it.voltage_check, "not checked"),
            ]
            for it in worst.itertuples()
        ],
    )


def structure_link(id: str, candidates: Collection[str]) -> Link:
    """Return a link to the candidate page of a structure, or to Materials Project where it is no candidate."""
    name = quote(id, safe="")
    return Link(text=id, url=f"candidate?id={name}" if id in candidates else _MATERIAL_URL + name)
