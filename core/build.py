"""One release, end to end: data -> candidates -> graphs -> voltages -> capacities -> nearest electrodes -> store.

Every figure of a release is computed here from the data and the voltage model; nothing else writes predictions.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from sklearn.neighbors import NearestNeighbors

from core.capacity import capacity
from core.errors import ExplorerError, ReleaseNotFoundError, SourceError
from core.graphs import GraphStore
from core.ions import charge_number
from core.provenance import Provenance, sha256_of_files
from core.records import Capacity, Crystal, Electrode, Skipped, VoltagePrediction
from core.sources.reference import read_candidates, read_electrode_structures, read_electrodes
from core.store import Release, ReleaseWriter, prune, read_manifest
from core.voltage import VoltageModel
from core.voltage.dataset import LabelledData, clean

DATA_FILES: Final = (
    "mg_candidates.jsonl.gz", "mg_candidates.csv", "electrodes.csv", "structures_electrodes.jsonl.gz",
)  # fmt: skip
"""The files of the data folder that a release is made from; their hash stands in every provenance."""

GRAPHS_FILE: Final = "graphs.npz"
"""The candidates' crystal graphs beside the release, for whoever screens them again with another model."""

N_NEAREST: Final = 8

Progress = Callable[[str, int, int], None]
"""Called as (stage, done, total)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """What a build made: the release, why inputs were left out, predictions that failed, old releases removed."""

    release: Release
    skipped_reasons: dict[str, int]
    failed_predictions: dict[str, int]
    removed: list[Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inputs:
    """The reference data as read, what was left out of it, its hash; `capacities` by candidate id."""

    candidates: list[Crystal]
    capacities: dict[str, Capacity]
    skipped: list[Skipped]
    electrodes: list[Electrode]
    labelled: LabelledData
    data_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Results:
    """What the model made of the inputs."""

    predictions: list[VoltagePrediction]
    nearest: dict[str, list[tuple[str, float]]]


def build_release(
    data: Path,
    precomputed: Path,
    model: VoltageModel,
    *,
    working_ion: str = "Mg",
    progress: Progress | None = None,
) -> BuildReport:
    """Build a release from the data folder, make it the current one and remove the one before.

    Raises `SourceError` for absent or malformed data, `ModelError` or `StoreError` kinds where predicting or writing
    fails; the release before is whole then.
    """
    progress = progress or _quiet
    inputs = read_inputs(data, working_ion, progress)
    graphs = _graphs(inputs.candidates, progress)
    predictions = _predict(inputs.candidates, working_ion, model, progress)
    predicted = [
        crystal for crystal, found in zip(inputs.candidates, predictions, strict=True) if found.error is None
    ]
    nearest = nearest_electrodes(predicted, working_ion, inputs.labelled, model, progress=progress)
    release = _write(
        precomputed, inputs, _Results(predictions=predictions, nearest=nearest), working_ion, model
    )
    graphs.save(precomputed / GRAPHS_FILE)
    return BuildReport(
        release=release,
        skipped_reasons=dict(Counter(item.reason for item in inputs.skipped).most_common()),
        failed_predictions=dict(Counter(item.error for item in predictions if item.error).most_common()),
        removed=prune(precomputed),
    )


def data_sha256(data: Path) -> str:
    """Return one hash over the files that a release is made from; an absent one is a `SourceError`."""
    missing = [name for name in DATA_FILES if not (data / name).is_file()]
    if missing:
        raise SourceError(
            f"{data} lacks {', '.join(missing)}; name the reference data's folder with --data or MGC_DATA."
        )
    return sha256_of_files(data / name for name in DATA_FILES)


def read_inputs(data: Path, working_ion: str, progress: Progress) -> _Inputs:
    """Read candidates and labelled electrodes; a candidate without a capacity for the ion is left out, and why."""
    fingerprint = data_sha256(data)
    progress("read", 0, 3)
    crystals, skipped = read_candidates(data)
    progress("read", 1, 3)
    electrodes = read_electrodes(data)
    progress("read", 2, 3)
    labelled = clean(electrodes, read_electrode_structures(data))
    progress("read", 3, 3)
    capacities, without = _capacities(crystals, working_ion)
    return _Inputs(
        candidates=[crystal for crystal in crystals if crystal.id in capacities],
        capacities=capacities,
        skipped=[*skipped, *without],
        electrodes=electrodes,
        labelled=labelled,
        data_sha256=fingerprint,
    )


def nearest_electrodes(
    crystals: Sequence[Crystal],
    working_ion: str,
    labelled: LabelledData,
    model: VoltageModel,
    *,
    count: int = N_NEAREST,
    progress: Progress | None = None,
) -> dict[str, list[tuple[str, float]]]:
    """Return the (battery id, distance) of the labelled electrodes nearest to each crystal, nearest first, by its id.

    Distance: Euclidean between the model's learned vectors, in units of the root-mean-square norm of the electrodes'
    vectors about their mean, so that it reads alike for every model.
    """
    progress = progress or _quiet
    progress("nearest electrodes", 0, 3)
    known = model.embed(labelled.crystals, labelled.working_ions)
    progress("nearest electrodes", 1, 3)
    asked = model.embed(crystals, [working_ion] * len(crystals))
    progress("nearest electrodes", 2, 3)
    scale = float(np.sqrt(((known - known.mean(axis=0)) ** 2).sum(axis=1).mean())) or 1.0
    search = NearestNeighbors(n_neighbors=min(count, len(known))).fit(known)
    distances, rows = search.kneighbors(asked)
    progress("nearest electrodes", 3, 3)
    ids = [electrode.battery_id for electrode in labelled.electrodes]
    return {
        crystal.id: [(ids[row], float(distance / scale)) for row, distance in zip(*pair, strict=True)]
        for crystal, pair in zip(crystals, zip(rows, distances, strict=True), strict=True)
    }


def next_version(precomputed: Path) -> str:
    """Return `YYYY.MM.DD-N`, N counting the releases of the day."""
    today = datetime.now(UTC).strftime("%Y.%m.%d")
    names = {path.stem.removeprefix("release-") for path in precomputed.glob("release-*.duckdb")}
    with contextlib.suppress(ReleaseNotFoundError):
        names.add(read_manifest(precomputed).version)
    numbers = [int(name.rpartition("-")[2]) for name in names if name.startswith(f"{today}-")]
    return f"{today}-{max(numbers, default=0) + 1}"


def _quiet(stage: str, done: int, total: int) -> None:
    """No progress is wanted."""


def _capacities(crystals: Sequence[Crystal], working_ion: str) -> tuple[dict[str, Capacity], list[Skipped]]:
    found, without = {}, []
    for crystal in crystals:
        try:
            found[crystal.id] = capacity(crystal, working_ion, charge_number(working_ion))
        except ExplorerError as error:
            without.append(Skipped(id=crystal.id, reason=str(error)))
    return found, without


def _graphs(crystals: Sequence[Crystal], progress: Progress) -> GraphStore:
    """The graphs of all candidates that have one; a candidate without one gets its reason from the prediction."""
    total = len(crystals)
    progress("graphs", 0, total)
    graphs, _ = GraphStore.build(crystals, progress=lambda done: progress("graphs", done, total))
    return graphs


def _predict(
    crystals: Sequence[Crystal], working_ion: str, model: VoltageModel, progress: Progress
) -> list[VoltagePrediction]:
    total = len(crystals)
    progress("predict", 0, total)
    ions = [working_ion] * total
    return model.predict(crystals, ions, progress=lambda done: progress("predict", done, total))


def _write(
    precomputed: Path, inputs: _Inputs, results: _Results, working_ion: str, model: VoltageModel
) -> Release:
    with ReleaseWriter(precomputed, version=next_version(precomputed)) as writer:
        read_by = writer.add_provenance(Provenance(kind="source", data_sha256=inputs.data_sha256))
        counted_by = writer.add_provenance(Provenance(kind="capacity", data_sha256=inputs.data_sha256))
        predicted_by = writer.add_provenance(
            Provenance(
                kind="voltage",
                model_name=model.name,
                model_sha256=model.sha256,
                data_sha256=inputs.data_sha256,
                seed=model.card.get("seed"),
            )
        )
        writer.add_candidates(inputs.candidates, working_ion=working_ion, provenance_id=read_by)
        writer.add_electrodes(inputs.electrodes, provenance_id=read_by)
        writer.add_skipped(inputs.skipped, provenance_id=read_by)
        writer.add_capacities(inputs.capacities, provenance_id=counted_by)
        writer.add_voltage_predictions(results.predictions, provenance_id=predicted_by)
        writer.add_nearest_electrodes(results.nearest, provenance_id=predicted_by)
        return writer.publish(
            model_name=model.name, model_sha256=model.sha256, data_sha256=inputs.data_sha256
        )
