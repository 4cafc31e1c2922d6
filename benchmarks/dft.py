"""Predicted, relaxed and first-principles voltages of the same electrodes, as in Fig. 4c of the paper.

    python -m benchmarks.dft [--runs FOLDER] [--csv FILE]

Reads finished calculations of kind `dft` from the release and from a folder of runs (default MGC_RUNS). The paper's
model is 0.51 V from its own density-functional theory for the magnesium materials that it selected. Intervals are
bootstrapped over the electrodes (95 %). Labels are the Materials Project's and hold no dispersion; the voltage model
may have learned from them, so that only its distance from first principles tells of unknown crystals.
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from core.calculations.kinds.dft import DftResult
from core.calculations.kinds.relaxation import RelaxationResult
from core.errors import ExplorerError
from core.service.accuracy import mean_absolute_error, read_out_of_fold, shipped_card
from core.service.calculations import list_jobs
from core.service.first_principles import PAPER_MAE_V, comparisons, first_principles_rows
from core.store import Reader, open_reader
from core.tasks.merge import released

COLUMNS = (
    "id", "formula", "predicted_v", "relaxed_v", "dft_v", "dft_d3_v", "label_v", "verdict", "spin", "force_ev_per_a",
    "seconds",
)  # fmt: skip
PAIRS = (
    ("predicted", "predicted_v", "dft_v"), ("relaxed", "relaxed_v", "dft_v"), ("label", "label_v", "dft_v"),
    ("label, with D3", "label_v", "dft_d3_v"), ("predicted against label", "predicted_v", "label_v"),
    ("relaxed against label", "relaxed_v", "label_v"),
)  # fmt: skip


def table(reader: Reader, runs: Path | None) -> list[dict[str, object]]:
    """One row a crystal: the first result of each, one's own before the release's."""
    own = [job.calculation for job in list_jobs(runs) if job.state == "finished"]
    calculations = [*(it for it in own if it is not None), *released(reader)]
    relaxed: dict[str, RelaxationResult] = {}
    found: dict[str, tuple[str, DftResult]] = {}
    for it in calculations:
        if isinstance(it.result, RelaxationResult):
            relaxed.setdefault(it.spec.subject.id, it.result)
        elif isinstance(it.result, DftResult):
            found.setdefault(it.spec.subject.id, (it.spec.subject.formula, it.result))
    return [row(reader, id, formula, result, relaxed.get(id)) for id, (formula, result) in found.items()]


def row(
    reader: Reader, id: str, formula: str, result: DftResult, relaxed: RelaxationResult | None
) -> dict[str, object]:
    try:
        candidate = reader.candidate(id)
    except ExplorerError:
        candidate = {}
    ends = (result.discharged, result.charged)
    return {
        "id": id, "formula": formula, "predicted_v": candidate.get("voltage_v"),
        "relaxed_v": None if relaxed is None else relaxed.voltage_v, "dft_v": result.voltage_v,
        "dft_d3_v": result.voltage_d3_v, "label_v": candidate.get("mp_average_voltage_v"), "verdict": result.verdict,
        "spin": "/".join(end.start or "?" for end in ends),
        "force_ev_per_a": max((end.force_max_ev_per_a or 0.0) for end in ends),
        "seconds": sum(end.seconds or 0.0 for end in ends),
    }  # fmt: skip


def mae(errors: Sequence[float]) -> str:
    """Mean absolute error with its bootstrap interval, mean error and count."""
    if len(errors) < 2:
        return f"n = {len(errors)}"
    found = mean_absolute_error(pd.DataFrame({"error_v": errors}))
    between = f"{found.low:.2f} to {found.high:.2f}"
    return f"{found.value:.2f} V ({between}), bias {np.mean(errors):+.2f} V, n = {found.n}"


def text(value: object) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, help="folder of runs (default MGC_RUNS)")
    parser.add_argument("--csv", type=Path, help="write the table there too")
    arguments = parser.parse_args()
    with open_reader() as reader:
        rows = sorted(table(reader, arguments.runs), key=lambda it: str(it["id"]))
    if arguments.csv is not None:
        with arguments.csv.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    print("| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS))
    for it in rows:
        print("| " + " | ".join(text(it[name]) for name in COLUMNS) + " |")
    with open_reader() as reader:
        held_out = first_principles_rows(reader, read_out_of_fold(shipped_card().name))
    print("\nOf the release, labelled electrodes predicted by members that saw no electrode of their host")
    for it in comparisons(held_out):
        between = f"{it.mae.low:.2f} to {it.mae.high:.2f}"
        print(f"{it.name:28} {it.mae.value:.2f} V ({between}), bias {it.bias_v:+.2f} V, n = {it.n}")
    print(f"\nMean absolute error against first principles (the paper's: {PAPER_MAE_V:.2f} V)")
    for name, one, other in PAIRS:
        known = [(it[one], it[other]) for it in rows]
        errors = [
            a - b for a, b in known if isinstance(a, float) and isinstance(b, float) and a == a and b == b
        ]
        print(f"{name:24} {mae(errors)}")


if __name__ == "__main__":
    main()
