"""How the shipped crystal graph model is made and judged, from the data folder to weights and card."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.graphs import GraphStore
from core.provenance import package_versions
from core.settings import Settings
from core.voltage.batches import GraphTable
from core.voltage.calibrate import Domain
from core.voltage.cgcnn import CgcnnEnsemble
from core.voltage.dataset import LabelledData, load_labelled
from core.voltage.elements import N_ELEMENTS, element_table
from core.voltage.evaluate import ErrorRow, baselines, format_table
from core.voltage.folds import Split, check_hosts_apart, fold_split, host_folds, random_folds
from core.voltage.judge import HeldOut, judge
from core.voltage.predict import Outputs
from core.voltage.train import TrainingConfig, train_network
from core.voltage.weights import data_snapshot_note, read_card, write_model

Progress = Callable[[str, int, int], None]
PARTITIONS = ("random", "host")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workshop:
    """The data in the forms that training and evaluation need, and where checkpoints go."""

    name: str
    data: LabelledData
    store: GraphStore
    table: GraphTable
    config: TrainingConfig
    seeds: tuple[int, ...]
    checkpoints: Path
    resume: bool
    progress: Progress | None

    def ensemble(
        self, stage: str, train: NDArray[np.int64], validation: NDArray[np.int64] | None
    ) -> CgcnnEnsemble:
        """Train one network a seed on the given rows."""
        members = []
        for number, seed in enumerate(self.seeds, start=1):
            label = f"{stage} {number}/{len(self.seeds)}"
            members.append(
                train_network(
                    self.table, self.data.voltages_v, train=train, validation=validation,
                    element_table=element_table(), config=self.config, seed=seed,
                    checkpoint=self.checkpoints / f"{self.name}-{stage}-{number}.safetensors", resume=self.resume,
                    progress=self._report(label),
                )
            )  # fmt: skip
        return CgcnnEnsemble(members)

    def _report(self, label: str) -> Callable[[int, int], None] | None:
        report = self.progress
        if report is None:
            return None
        return lambda done, total: report(label, done, total)

    def outputs(self, ensemble: CgcnnEnsemble, rows: NDArray[np.int64]) -> Outputs:
        """Outputs of an ensemble for rows of the data."""
        ions = self.data.working_ions
        return ensemble.outputs_of_graphs([self.store[int(row)] for row in rows], [ions[row] for row in rows])

    def element_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n_elements + 1,) in how many of the rows an element occurs."""
        counts = np.zeros(N_ELEMENTS + 1, dtype=np.int64)
        for row in rows:
            counts[np.unique(self.store[int(row)].atomic_numbers)] += 1
        return counts

    def held_out(self, partition: str, split: Split) -> HeldOut:
        """Train on a split and return what its test rows get."""
        ensemble = self.ensemble(partition, split.train, split.validation)
        domain = Domain(self.outputs(ensemble, split.train).vectors, self.element_rows(split.train), np.inf)
        outputs = self.outputs(ensemble, split.test)
        numbers = [self.store[int(row)].atomic_numbers.tolist() for row in split.test]
        known = np.array([not domain.unknown_elements(item) for item in numbers]) & outputs.trusted
        means, medians = baselines(self.data.voltages_v, self.data.working_ions, split.train)
        return HeldOut(
            rows=split.test, voltages_v=outputs.voltages_v.mean(axis=1), spread_v=outputs.voltages_v.std(axis=1),
            distance=domain.distance(outputs.vectors), known=known, baseline_v=(means[split.test], medians[split.test]),
        )  # fmt: skip


def train_voltage(
    data_dir: Path,
    *,
    name: str = "cgcnn",
    seed: int = 0,
    epochs: int = 60,
    n_members: int = 3,
    resume: bool = False,
    models_dir: Path | None = None,
    checkpoints_dir: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train for both test splits and on all rows, calibrate on the test rows, write the model and return its
    card.

    `progress(stage, epoch, epochs)` is called after every epoch. `resume` goes on from the checkpoints of a
    broken run with the same settings and data. Raises `SourceError`, `TrainingError`.
    """
    settings = Settings.from_environment()
    data = load_labelled(data_dir)
    shop = _workshop(
        name, data, TrainingConfig(epochs=epochs), tuple(100 * seed + member for member in range(n_members)),
        checkpoints_dir or settings.checkpoints, resume, progress,
    )  # fmt: skip
    splits = test_splits(data, seed=seed)
    held_out = {partition: shop.held_out(partition, split) for partition, split in splits.items()}
    every_row = np.arange(len(data))
    final = shop.ensemble("final", every_row, None)
    calibration, judged = judge(data, held_out)
    arrays = final.to_arrays() | {
        "domain.vectors": shop.outputs(final, every_row).vectors,
        "domain.element_rows": shop.element_rows(every_row),
    }
    card = _card(shop, seed, n_members) | judged | {"calibration": calibration.to_dict()}
    return write_model(models_dir or settings.precomputed / "models", name, arrays, card)


def test_splits(data: LabelledData, *, seed: int = 0) -> dict[str, Split]:
    """Return the 0.8/0.1/0.1 split at random within each ion, and that by host formula."""
    by_host = fold_split(host_folds(data.host_formulas, data.working_ions, seed=seed))
    check_hosts_apart(by_host, data.host_formulas)
    return {"random": fold_split(random_folds(data.working_ions, seed=seed)), "host": by_host}


def evaluate_voltage(data_dir: Path, *, name: str = "default", models_dir: Path | None = None) -> str:
    """Return the error tables of a model's card as text, headed by a warning when the data is another
    snapshot.

    Raises `ModelError` for an absent or damaged card, `SourceError` for absent data.
    """
    card = read_card(models_dir or Settings.from_environment().precomputed / "models", name)
    note = data_snapshot_note(card, load_labelled(data_dir).data_sha256)
    parts = [f"Warning: {note}"] if note else []
    parts.append(f"Model {card['name']} ({card['kind']}), {card['n_labelled']} labelled electrodes.")
    for partition, rows in card["errors"].items():
        table = [ErrorRow(**row) for row in rows]
        parts.append(format_table(table, f"\nTest MAE, split: {partition}"))
        parts.append(f"90 % intervals hold for {card['coverage'][partition]:.1%} of these rows.")
    return "\n".join(parts)


def _workshop(
    name: str,
    data: LabelledData,
    config: TrainingConfig,
    seeds: tuple[int, ...],
    checkpoints: Path,
    resume: bool,
    progress: Progress | None,
) -> _Workshop:
    store = GraphStore.open_or_build(checkpoints / "graphs-electrodes.npz", data.crystals)
    table = GraphTable.from_graphs(store, data.working_ions, merge_equivalent=True, merge_edges=True)
    return _Workshop(
        name=name, data=data, store=store, table=table, config=config, seeds=seeds, checkpoints=checkpoints,
        resume=resume, progress=progress,
    )  # fmt: skip


def _card(shop: _Workshop, seed: int, n_members: int) -> dict[str, Any]:
    data = shop.data
    training = asdict(shop.config)
    return {
        "kind": "cgcnn",
        "description": "CGCNN that pools the working ions alone; the voltage is the mean over the members.",
        "network": training.pop("network"),
        "training": training,
        "seeds": list(shop.seeds),
        "data_sha256": data.data_sha256,
        "n_labelled": len(data),
        "n_refused": len(data.refused),
        "n_labels_out_of_usual_range": data.n_unusual,
        "licence": "Trained on Materials Project data, CC BY 4.0",
        "versions": package_versions(),
        "command": "python -m core train-voltage --kind cgcnn --data ../shared/data "
        f"--seed {seed} --epochs {shop.config.epochs} --members {n_members}",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
