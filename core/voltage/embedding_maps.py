"""How the maps of `core.voltage.embeddings` are made: which vectors of which network, and the files that hold them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from numpy.typing import NDArray

from core.artifacts import replacing, write_json
from core.errors import ExplorerError, TrainingError
from core.graphs import GraphStore, atomic_numbers
from core.ions import WORKING_IONS
from core.progress import Progress
from core.provenance import package_versions
from core.settings import Settings
from core.voltage.dataset import LabelledData, load_labelled
from core.voltage.elements import random_element_table
from core.voltage.embeddings import RANDOM, SHIPPED
from core.voltage.evaluation.folds import fold_split, random_folds
from core.voltage.kinds.cgcnn.batches import GraphTable
from core.voltage.kinds.cgcnn.network import NetworkConfig, VoltageNetwork
from core.voltage.kinds.cgcnn.training import TrainedNetwork, TrainingConfig, train_network
from core.voltage.predict import load_voltage_model
from core.voltage.projections import (
    N_NEIGHBOURS,
    Vectors,
    agreement,
    element_class,
    equal_share,
    principal_components,
    tsne,
)

ELEMENT_BITS: Final = 640
FEATURES: Final = 64
_SEVENNET_SITES: Final = 40
_SEVENNET_STRUCTURES_AN_ELEMENT: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """Distinct atomic environments: (n, d) vectors, (n,) atomic numbers, electrode rows and working-ion flags."""

    vectors: Vectors
    numbers: NDArray[np.int64]
    rows: NDArray[np.int64]
    is_ion: NDArray[np.bool_]

    def balanced(self, n_points: int, rng: np.random.Generator) -> "Environments":
        """Return about `n_points` of them: every element the same number, or all it has if that is fewer."""
        quota = equal_share(np.unique(self.numbers, return_counts=True)[1], n_points)
        chosen = [
            rng.permutation(np.flatnonzero(self.numbers == number))[:quota]
            for number in np.unique(self.numbers)
        ]
        kept = np.sort(np.concatenate(chosen))
        return Environments(
            vectors=self.vectors[kept],
            numbers=self.numbers[kept],
            rows=self.rows[kept],
            is_ion=self.is_ion[kept],
        )


def make_random_maps(
    data_dir: Path,
    *,
    seed: int = 0,
    epochs: int = 28,
    n_points: int = 4000,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train a crystal graph network on random element vectors, map elements and atoms, write both; return the card.

    A stopped training goes on from its checkpoint. Raises `SourceError`, `TrainingError`.
    """
    data = load_labelled(data_dir)
    table, network, test_mae_v = _random_network(data, seed, epochs, progress or _silent)
    environments = _graph_environments(network, table)
    points = environments.balanced(n_points, np.random.default_rng([seed, 6]))
    (progress or _silent)("t-SNE", 0, 1)
    arrays: dict[str, NDArray[Any]] = {}
    atoms: dict[str, Any] = {}
    for name, (columns, facts) in {
        "elements": _element_map(network, np.unique(environments.numbers)),
        "atoms": _atom_map(points, data, seed),
    }.items():
        arrays |= {f"{name}.{key}": value for key, value in columns.items()}
        atoms[name] = facts
    card = {
        "name": RANDOM, "description": "CGCNN on random binary element vectors", "seed": seed, "epochs": epochs,
        "element_bits": ELEMENT_BITS, "features": FEATURES, "test_mae_v": test_mae_v,
        "n_environments": len(points.rows), "data_sha256": data.data_sha256, "atoms": atoms, "electrodes": {},
    }  # fmt: skip
    return _write(folder, card, arrays, ("torch", "torch-geometric", "scikit-learn"))


def make_shipped_maps(
    data_dir: Path,
    *,
    model: str = "default",
    seed: int = 0,
    n_points: int = 4000,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Map the learned vectors of a shipped model's electrodes and SevenNet-0's atoms, write both; return the card.

    The electrodes' vectors come out of the model's own file. Raises `SourceError`, `ModelError`, `TrainingError`.
    """
    progress = progress or _silent
    data, loaded = load_labelled(data_dir), load_voltage_model(model)
    vectors = loaded.domain.vectors
    if loaded.card.data_sha256 != data.data_sha256 or len(vectors) != len(data):
        raise TrainingError(
            f"Model {loaded.name} learned from another data snapshot ({len(vectors)} electrodes, here {len(data)}); "
            "use the folder that it was trained on, or train it anew."
        )
    found = _sevennet_environments(data, seed, progress)
    points = found.balanced(n_points, np.random.default_rng([seed, 7]))
    progress("t-SNE", 0, 2)
    columns, facts = _atom_map(points, data, seed)
    progress("t-SNE", 1, 2)
    electrodes, explained = _electrode_map(vectors, data, seed)
    progress("t-SNE", 2, 2)
    arrays = {f"sevennet.{key}": value for key, value in columns.items()}
    arrays |= {f"electrodes.{key}": value for key, value in electrodes.items()}
    card = {
        "name": SHIPPED, "description": f"{loaded.name} and SevenNet-0", "model": loaded.name,
        "model_sha256": loaded.sha256, "vector_length": int(vectors.shape[1]), "seed": seed,
        "n_environments": len(points.rows), "n_structures": len(np.unique(found.rows)),
        "data_sha256": data.data_sha256, "atoms": {"sevennet": facts},
        "electrodes": {"electrodes": {"explained": explained}},
    }  # fmt: skip
    return _write(folder, card, arrays, ("torch", "nequip", "scikit-learn"))


def _random_network(
    data: LabelledData, seed: int, epochs: int, progress: Progress
) -> tuple[GraphTable, TrainedNetwork, float]:
    checkpoints = Settings.from_environment().checkpoints
    store = GraphStore.open_or_build(checkpoints / "graphs-electrodes.npz", data.crystals)
    table = GraphTable.from_graphs(store, data.working_ions, merge_equivalent=True)
    split = fold_split(random_folds(data.working_ions, seed=seed))
    trained = train_network(
        table,
        data.voltages_v,
        train=split.train,
        validation=split.validation,
        element_table=random_element_table(seed, ELEMENT_BITS),
        config=TrainingConfig(epochs=epochs, network=NetworkConfig(n_features=FEATURES)),
        seed=seed,
        checkpoint=checkpoints / f"inside-{RANDOM}-{seed}-{epochs}.safetensors",
        resume=True,
        progress=lambda done, total: progress("train", done, total),
    )
    errors = trained.predict(table, split.test).numpy() - data.voltages_v[split.test]
    return table, trained, float(np.abs(errors).mean())


@torch.no_grad()
def _graph_environments(trained: TrainedNetwork, table: GraphTable) -> Environments:
    parts = [trained.network.atom_vectors(table.batch(rows)) for rows in torch.arange(len(table)).split(128)]
    rows = torch.repeat_interleave(torch.arange(len(table)), torch.diff(table.atom_start))
    return Environments(
        vectors=torch.cat(parts).numpy(),
        numbers=table.atomic_numbers.numpy(),
        rows=rows.numpy(),
        is_ion=(table.ion_weights > 0).numpy(),
    )


def _sevennet_environments(data: LabelledData, seed: int, progress: Progress) -> Environments:
    """Atoms of some hundred small structures, so chosen that each element is in several of them."""
    from core.voltage.kinds.frozen_host.backbones import SevenNetBackbone

    backbone, chosen, parts = SevenNetBackbone(), _some_of_each_element(data, seed), []
    for done, row in enumerate(chosen, start=1):
        try:
            vectors = backbone(data.crystals[row]).vectors
        except ExplorerError:
            continue  # n_structures in the card counts those that were described
        numbers = atomic_numbers(data.crystals[row].species)
        keys = np.column_stack([numbers, np.round(vectors, 3)])
        _, distinct = np.unique(keys, axis=0, return_index=True)
        parts.append((vectors[distinct], numbers[distinct], np.full(len(distinct), row)))
        progress("SevenNet-0", done, len(chosen))
    vectors, numbers, rows = (np.concatenate(column) for column in zip(*parts, strict=True))
    ions = atomic_numbers(data.working_ions)
    return Environments(
        vectors=vectors, numbers=numbers.astype(np.int64), rows=rows, is_ion=numbers == ions[rows]
    )


def _some_of_each_element(data: LabelledData, seed: int) -> list[int]:
    holders: dict[str, int] = {}
    chosen = []
    for row in np.random.default_rng([seed, 8]).permutation(len(data)):
        crystal = data.crystals[row]
        elements = set(crystal.species)
        wanted = any(holders.get(element, 0) < _SEVENNET_STRUCTURES_AN_ELEMENT for element in elements)
        if crystal.n_sites <= _SEVENNET_SITES and wanted:
            chosen.append(int(row))
            for element in elements:
                holders[element] = holders.get(element, 0) + 1
    return chosen


def _element_map(
    trained: TrainedNetwork, numbers: NDArray[np.int64]
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    network = cast(VoltageNetwork, trained.network)
    with torch.no_grad():
        vectors = network.embed_element(
            network.element_table[torch.as_tensor(numbers, dtype=torch.int64)]
        ).numpy()
    symbols = _symbols(numbers)
    xy, explained = principal_components(vectors)
    columns = _columns(xy, symbols, np.isin(symbols, WORKING_IONS), [""] * len(symbols), [""] * len(symbols))
    return columns, _facts(vectors, columns, explained, n_neighbours=5)


def _atom_map(
    points: Environments, data: LabelledData, seed: int
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    symbols = _symbols(points.numbers)
    electrodes = [data.electrodes[row] for row in points.rows]
    columns = _columns(
        tsne(points.vectors, seed), symbols, points.is_ion,
        [electrode.formula_discharge for electrode in electrodes], [electrode.battery_id for electrode in electrodes],
    )  # fmt: skip
    return columns, _facts(points.vectors, columns, ())


def _columns(
    xy: NDArray[np.float32],
    symbols: NDArray[np.str_],
    is_ion: NDArray[np.bool_],
    formulas: list[str],
    battery_ids: list[str],
) -> dict[str, NDArray[Any]]:
    return {
        "xy": xy,
        "symbols": symbols,
        "classes": np.array([element_class(symbol) for symbol in symbols]),
        "is_working_ion": is_ion,
        "formulas": np.array(formulas),
        "battery_ids": np.array(battery_ids),
    }


def _facts(
    vectors: Vectors,
    columns: dict[str, NDArray[Any]],
    explained: tuple[float, ...],
    n_neighbours: int = N_NEIGHBOURS,
) -> dict[str, Any]:
    symbols, classes, is_ion = (columns[name] for name in ("symbols", "classes", "is_working_ion"))
    same_class = agreement(vectors, symbols, classes, n_neighbours=n_neighbours)
    both_ions = agreement(vectors, symbols, is_ion, of=is_ion, n_neighbours=n_neighbours)
    names = ("agreement", "chance", "ion_agreement", "ion_chance")
    figures = {name: round(value, 4) for name, value in zip(names, (*same_class, *both_ions), strict=True)}
    return figures | {"explained": explained}


def _electrode_map(
    vectors: Vectors, data: LabelledData, seed: int
) -> tuple[dict[str, NDArray[Any]], tuple[float, ...]]:
    pca_xy, explained = principal_components(vectors)
    return {
        "pca_xy": pca_xy,
        "tsne_xy": tsne(vectors, seed),
        "working_ions": np.array(data.working_ions),
        "voltages_v": data.voltages_v.astype(np.float32),
        "formulas": np.array([electrode.formula_discharge for electrode in data.electrodes]),
        "battery_ids": np.array([electrode.battery_id for electrode in data.electrodes]),
    }, explained


def _symbols(numbers: NDArray[np.int64]) -> NDArray[np.str_]:
    from ase.data import chemical_symbols

    return np.array([chemical_symbols[number] for number in numbers])


def _write(
    folder: Path | None, card: dict[str, Any], arrays: dict[str, NDArray[Any]], packages: Sequence[str]
) -> dict[str, Any]:
    """Write the arrays, then the card, each whole or not at all."""
    folder = Settings.from_environment().precomputed / "inside" if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    card = card | {
        "versions": package_versions(packages),
        "command": f"python -m core inside-model --data ../shared/data --seed {card['seed']}",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    named: dict[str, Any] = dict(arrays)
    with replacing(folder / f"{card['name']}.npz") as partial:
        np.savez_compressed(partial, **named)
    write_json(folder / f"{card['name']}.json", card)
    return card


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Report to nobody."""
