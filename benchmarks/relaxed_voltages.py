"""How far voltages between relaxed ends are from the labels, beside the predicted ones of the same candidates.

    python -m benchmarks.relaxed_voltages [--runs FOLDER]

Reads finished relaxations from the release and from a folder of runs (default MGC_RUNS). A label tells of all ions, so
where the redox metals pay for a part alone, such rows stand apart. The potential was trained on relaxations of the
Materials Project, which hold many of these crystals: on others expect more. Intervals are bootstrapped (95 %).
"""

import argparse
import platform
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from benchmarks.dft import mae
from core.calculations.kinds.relaxation import RelaxationResult
from core.provenance import package_versions
from core.service.calculations import list_jobs
from core.store import Reader, open_reader
from core.tasks.merge import released

FULL_SHARE = 0.999
"""Of the capacity with all ions out, from which the redox metals pay for all."""


def table(reader: Reader, runs: Path | None) -> pd.DataFrame:
    """One row a relaxed candidate: voltages, label, verdict; the last relaxation of each, the release's before one's
    own."""
    own = (job.calculation for job in list_jobs(runs) if job.state == "finished")
    calculations = [*released(reader, kind="relaxation"), *(it for it in own if it is not None)]
    rows = {
        it.spec.subject.id: {"relaxed_v": it.result.voltage_v, "verdict": it.result.verdict}
        for it in calculations
        if isinstance(it.result, RelaxationResult)
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").join(reader.screen().set_index("id"), how="inner")
    paid = frame.capacity_redox_vol_ah_per_l >= FULL_SHARE * frame.capacity_vol_ah_per_l
    return frame.assign(pays_for_all=paid)


def told(name: str, frame: pd.DataFrame, column: str) -> None:
    errors = frame[column] - frame.mp_average_voltage_v
    rmse = float((errors**2).mean() ** 0.5) if len(errors) else float("nan")
    print(f"{name:42} {mae(list(errors))}, root mean square {rmse:.2f} V")


def counted(verdicts: Iterable[str]) -> str:
    return ", ".join(f"{verdict} {n}" for verdict, n in Counter(verdicts).most_common())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, help="folder of runs (default MGC_RUNS)")
    arguments = parser.parse_args()
    print(platform.machine(), package_versions(("torch", "nequip", "ase")))
    with open_reader() as reader:
        frame = table(reader, arguments.runs)
    print(f"{len(frame)} candidates relaxed: {counted(frame.verdict)}")
    labelled = frame[frame.mp_average_voltage_v.notna()]
    full = labelled[labelled.pays_for_all]
    told("relaxed, metals pay for all", full, "relaxed_v")
    for verdict, rows in full.groupby("verdict"):
        told(f"  {verdict}", rows, "relaxed_v")
    told("relaxed, metals pay for a part or unknown", labelled[~labelled.pays_for_all], "relaxed_v")
    told("predicted (labels learned from), the same", labelled, "voltage_v")


if __name__ == "__main__":
    main()
