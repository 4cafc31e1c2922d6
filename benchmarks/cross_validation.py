"""Cross-validates the graph networks on the folds of the other models: the paper's CGCNN and the original one.

    python -m benchmarks.cross_validation --data ../shared/data --model cgcnn
    python -m benchmarks.cross_validation --data ../shared/data --model original-cgcnn

`cgcnn` pools the working ions and is trained as the shipped one is (one network a fold). `original-cgcnn` pools all
atoms and keeps the hyper-parameters of the original code (txie-93/cgcnn: SGD with momentum 0.9, learning rate 0.01,
batches of 256, mean squared error, 30 epochs, 128 hidden features). Finished folds are kept in checkpoints/, so a
stopped run goes on; the table in precomputed/accuracy/NAME.json covers the folds that are done and says how many.
"""

import argparse
import json
import platform
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.graphs import GraphStore
from core.provenance import package_versions
from core.settings import Settings
from core.voltage.batches import GraphTable
from core.voltage.dataset import LabelledData, load_labelled
from core.voltage.elements import element_table
from core.voltage.evaluate import ErrorRow, baselines, error_table, format_table
from core.voltage.folds import host_folds, random_folds
from core.voltage.model import NetworkConfig, VoltageNetwork
from core.voltage.train import TrainingConfig, train_network

N_FOLDS = 10
CGCNN_EPOCHS = 40
DESCRIPTIONS = {
    "cgcnn": f"CGCNN pooling the working ions (the paper's), one network, AdamW, L1, {CGCNN_EPOCHS} epochs",
    "original-cgcnn": "CGCNN pooling all atoms with the original code's hyper-parameters, one network, 30 epochs",
}
Rows = NDArray[np.int64]


def paper_cgcnn(
    table: GraphTable, voltages_v: NDArray[np.float64], train: Rows, test: Rows
) -> NDArray[np.float64]:
    """Return (n_test,) voltages of a network trained like the shipped one."""
    network = train_network(
        table, voltages_v, train=train, validation=None, element_table=element_table(),
        config=TrainingConfig(epochs=CGCNN_EPOCHS), seed=0,
    )  # fmt: skip
    return network.predict(table, test).numpy().astype(np.float64)


def original_cgcnn(
    table: GraphTable, voltages_v: NDArray[np.float64], train: Rows, test: Rows
) -> NDArray[np.float64]:
    """Return (n_test,) voltages of the all-atom network under the original code's settings."""
    torch.manual_seed(0)
    mean, scale = voltages_v[train].mean(), voltages_v[train].std()
    targets = torch.as_tensor((voltages_v - mean) / scale, dtype=torch.float32)
    network = VoltageNetwork(torch.as_tensor(element_table()), NetworkConfig(pooling="all"))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    network.train()
    for _ in range(30):
        for rows in torch.as_tensor(train)[torch.randperm(len(train))].split(256):
            loss = torch.nn.functional.mse_loss(network(table.batch(rows)), targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    network.eval()
    with torch.no_grad():
        parts = [network(table.batch(rows)) for rows in torch.as_tensor(test).split(128)]
    return (mean + scale * torch.cat(parts).numpy()).astype(np.float64)


TRAINERS = {"cgcnn": paper_cgcnn, "original-cgcnn": original_cgcnn}


def cross_validated(
    name: str, partition: str, data: LabelledData, table: GraphTable, folds: list[Rows], kept: Path
) -> tuple[list[ErrorRow], int]:
    """Train the folds that are not done yet, and return the table over all that are, with their number."""
    predicted, means, medians = (np.full(len(data), np.nan) for _ in range(3))
    for number, test in enumerate(folds):
        path = kept / f"{partition}-{number}.npy"
        train = np.setdiff1d(np.arange(len(data)), test)
        if not path.is_file():
            start = time.perf_counter()
            found = TRAINERS[name](table, data.voltages_v, train, test)
            kept.mkdir(parents=True, exist_ok=True)
            np.save(path, found)
            error = np.abs(found - data.voltages_v[test]).mean()
            print(
                f"{name}, {partition}, fold {number}: MAE {error:.3f} V, {time.perf_counter() - start:.0f} s",
                flush=True,
            )
        predicted[test] = np.load(path)
        mean, median = baselines(data.voltages_v, data.working_ions, train)
        means[test], medians[test] = mean[test], median[test]
    done = np.flatnonzero(~np.isnan(predicted))
    ions = [data.working_ions[row] for row in done]
    rows = error_table(data.voltages_v[done], predicted[done], ions, (means[done], medians[done]))
    return rows, len(folds)


def main() -> None:
    """Run one model over both partitions, print the tables and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Settings.from_environment().data)
    parser.add_argument("--model", choices=tuple(TRAINERS), required=True)
    parser.add_argument("--folds", type=int, default=N_FOLDS, help="how many of the ten folds to run")
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    data = load_labelled(arguments.data)
    graphs = GraphStore.open_or_build(settings.checkpoints / "graphs-electrodes.npz", data.crystals)
    table = GraphTable.from_graphs(graphs, data.working_ions, merge_equivalent=True)
    partitions = {
        "random": random_folds(data.working_ions, n_folds=N_FOLDS),
        "host": host_folds(data.host_formulas, data.working_ions, n_folds=N_FOLDS),
    }
    name = arguments.model
    peer: dict[str, object] = {"description": f"{DESCRIPTIONS[name]}; {arguments.folds} of {N_FOLDS} folds"}
    for partition, folds in partitions.items():
        kept = settings.checkpoints / f"cross-validation-{name}"
        rows, n_folds = cross_validated(name, partition, data, table, folds[: arguments.folds], kept)
        peer[partition] = [row.to_dict() for row in rows]
        peer["folds"] = n_folds
        print(format_table(rows, f"\n{name}, {partition}, {n_folds} of {N_FOLDS} folds"), flush=True)
    target = settings.precomputed / "accuracy" / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    command = f"python -m benchmarks.cross_validation --data ../shared/data --model {name}"
    if arguments.folds != N_FOLDS:
        command += f" --folds {arguments.folds}"
    written = {
        "peers": {name: peer}, "n": len(data), "versions": package_versions(), "machine": platform.machine(),
        "command": command,
    }  # fmt: skip
    target.write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
