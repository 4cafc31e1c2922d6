"""Cross-validates a kind of voltage model on the ten folds that all of them share, and writes its error tables.

    python -m benchmarks.cross_validation --data ../shared/data --model cgcnn
    python -m benchmarks.cross_validation --data ../shared/data --model original-cgcnn

`cgcnn` is trained as the shipped one is, but as one network and without watching validation rows. Finished folds are
kept in checkpoints/, so a stopped run goes on; the table in precomputed/accuracy/NAME.json covers the folds that are
done and says how many.
"""

import argparse
import platform
from pathlib import Path

from core.artifacts import write_json
from core.provenance import package_versions
from core.settings import Settings
from core.voltage.base import VoltageKind
from core.voltage.dataset import load_labelled
from core.voltage.evaluation.cross_validate import N_FOLDS, cross_validate, partitions
from core.voltage.evaluation.errors import format_table
from core.voltage.evaluation.evaluate import table_of
from core.voltage.kinds import KINDS, voltage_kind
from core.voltage.kinds.cgcnn.kind import CgcnnKind

CGCNN_EPOCHS = 40
DESCRIPTIONS = {
    "cgcnn": f"CGCNN pooling the working ions (the paper's), one network, AdamW, L1, {CGCNN_EPOCHS} epochs",
}
"""Where what is cross-validated here is not what the kind says of its shipped model."""


def kind_of(name: str) -> tuple[VoltageKind, int | None]:
    """Return the kind to cross-validate and its epochs, where they are not its own."""
    return (CgcnnKind(stops_early=False), CGCNN_EPOCHS) if name == "cgcnn" else (voltage_kind(name), None)


def main() -> None:
    """Run one model over both partitions, print the tables and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Settings.from_environment().data)
    parser.add_argument("--model", choices=KINDS, required=True)
    parser.add_argument("--folds", type=int, default=N_FOLDS, help="how many of the ten folds to run")
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    name, n_folds = arguments.model, arguments.folds
    kept = settings.checkpoints / f"cross-validation-{name}"
    data = load_labelled(arguments.data)
    kind, epochs = kind_of(name)
    prepared = kind.prepare(data, seeds=(0,), checkpoints=kept, epochs=epochs)
    description = DESCRIPTIONS.get(name, kind.description)
    entry: dict[str, object] = {
        "description": f"{description}; {n_folds} of {N_FOLDS} folds", "folds": n_folds,
    }  # fmt: skip
    for partition, folds in partitions(data).items():
        predicted = cross_validate(
            prepared, folds, partition=partition, kept=kept, n_test_folds=n_folds,
            progress=lambda stage, done, total: print(f"{stage}: fold {done} of {total}", flush=True),
        )  # fmt: skip
        rows = table_of(data, predicted)
        entry[partition] = [row.to_dict() for row in rows]
        print(format_table(rows, f"\n{name}, {partition}, {n_folds} of {N_FOLDS} folds"), flush=True)
    target = settings.precomputed / "accuracy" / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    command = f"python -m benchmarks.cross_validation --data ../shared/data --model {name}"
    command += f" --folds {n_folds}" * (n_folds != N_FOLDS)
    content = {
        "peers": {name: entry}, "n": len(data), "versions": package_versions(), "machine": platform.machine(),
        "command": command,
    }  # fmt: skip
    write_json(target, content)


if __name__ == "__main__":
    main()
