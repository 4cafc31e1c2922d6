"""One release, end to end: sources -> candidates -> graphs -> voltages -> capacities -> nearest electrodes -> store.

Predictions, capacities and neighbours are computed here, from the data and the voltage model. What was computed one
structure at a time (calculations, predictions by other models) is taken over from the release before. A second model,
that costs too much for all, is asked about the candidates that could pass (`predict_again`).
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from sklearn.neighbors import NearestNeighbors

from core.capacity import capacity
from core.cascade import Limits
from core.errors import ExplorerError, ReleaseNotFoundError, SourceError
from core.graphs import GraphStore
from core.ions import charge_number
from core.progress import Progress
from core.provenance import Provenance
from core.records import Capacity, Crystal, Electrode, Skipped, VoltagePrediction
from core.sources.candidates import Candidates, CandidateSource, ReferenceSource, data_sha256
from core.sources.reference import read_electrode_structures, read_electrodes
from core.store import (
    CarriedOver,
    Release,
    ReleaseWriter,
    carry_over,
    current_path,
    is_valid_id,
    list_files,
    open_reader,
    prune,
)
from core.voltage import VoltageModel
from core.voltage.dataset import LabelledData, clean

GRAPHS_FILE: Final = "graphs.npz"
"""The candidates' crystal graphs beside the release, for whoever screens them again with another model."""

N_NEAREST: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """What a build made: the release, why inputs were left out, predictions that failed, old releases deleted.

    `carried`: what came from the release before; None where there was none.
    """

    release: Release
    skipped_reasons: dict[str, int]
    failed_predictions: dict[str, int]
    carried: CarriedOver | None
    removed: list[Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inputs:
    """What was read: candidates by source, those left out, labels; a hash of it all; `capacities` by candidate id."""

    readings: list[Candidates]
    capacities: dict[str, Capacity]
    skipped: list[Skipped]
    electrodes: list[Electrode]
    labelled: LabelledData
    labels_sha256: str
    data_sha256: str

    @property
    def candidates(self) -> list[Crystal]:
        """The crystals of all sources, in their order."""
        return [crystal for reading in self.readings for crystal in reading.crystals]


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
    sources: Sequence[CandidateSource] | None = None,
    working_ion: str = "Mg",
    progress: Progress | None = None,
) -> BuildReport:
    """Build a release from candidate sources (default: the reference data) and make it the current one.

    `data`: folder of the reference data, whose labelled electrodes every release holds. What the release before has
    computed besides is carried over; the release itself is kept in `previous/`.

    Raises `SourceError` for absent or malformed data, `ModelError` or `StoreError` kinds where predicting or writing
    fails, or where the release before cannot be read, so that nothing of it is lost. It is whole and current then.
    """
    progress = progress or _quiet
    _path_before(precomputed)  # one that cannot be read stops the build here, before the work
    inputs = read_inputs(data, sources or [ReferenceSource(folder=data)], working_ion, progress)
    candidates = inputs.candidates
    graphs = _graphs(candidates, progress)
    predictions = _predict(candidates, working_ion, model, progress)
    predicted = [crystal for crystal, row in zip(candidates, predictions, strict=True) if row.error is None]
    nearest = nearest_electrodes(predicted, working_ion, inputs.labelled, model, progress=progress)
    release, carried = _write(
        precomputed, inputs, _Results(predictions=predictions, nearest=nearest), working_ion, model
    )
    graphs.save(precomputed / GRAPHS_FILE)
    list_files(precomputed)
    return BuildReport(
        release=release,
        skipped_reasons=dict(Counter(item.reason for item in inputs.skipped).most_common()),
        failed_predictions=dict(Counter(item.error for item in predictions if item.error).most_common()),
        carried=carried,
        removed=prune(precomputed),
    )


def predict_again(
    precomputed: Path, model: VoltageModel, *, limits: Limits | None = None, progress: Progress | None = None
) -> tuple[Release, int]:
    """Ask an accurate model about the candidates that could pass; make the release with its voltages current.

    Returns that release, and how many were asked about. All else stays as it is: the release's own model speaks where
    this one was not asked or failed. Raises `StoreError` kinds; nothing is changed then.
    """
    limits, progress = limits or Limits(), progress or _quiet
    with open_reader(precomputed) as reader:
        before = reader.release
        rows = reader.voltages_of(before.model_name or "")
        asked = [
            reader.crystal(row.id)
            for row in rows.itertuples()
            if limits.could_pass(row.voltage_v, row.capacity_vol_ah_per_l)
        ]
    predictions = _predict(asked, before.working_ion, model, progress, stage="predict again")
    with ReleaseWriter(precomputed, extend=True) as writer:
        predicted_by = writer.add_provenance(_predicted_by(model, before.data_sha256))
        writer.drop_voltage_predictions(model.name)
        writer.add_voltage_predictions(predictions, model=model.name, provenance_id=predicted_by)
        release = writer.publish(accurate_model_name=model.name, accurate_model_sha256=model.sha256)
    prune(precomputed)
    return release, len(asked)


def read_inputs(
    data: Path, sources: Sequence[CandidateSource], working_ion: str, progress: Progress
) -> _Inputs:
    """Read candidates and labelled electrodes; a candidate without a capacity for the ion is left out, and why."""
    labels_sha256 = data_sha256(data)
    steps = len(sources) + 1
    readings: list[Candidates] = []
    for number, source in enumerate(sources):
        progress("read", number, steps)
        readings.append(source.read())
    progress("read", len(sources), steps)
    electrodes = read_electrodes(data)
    labelled = clean(electrodes, read_electrode_structures(data))
    progress("read", steps, steps)
    kept, left_out = _distinct(sources, readings)
    capacities, without = _capacities([it for reading in kept for it in reading.crystals], working_ion)
    if not capacities:
        raise SourceError(
            f"None of {len(without)} structures from {', '.join(source.name for source in sources)} is a candidate for "
            f"{working_ion}: {without[0].reason if without else 'the source is empty'}"
        )
    return _Inputs(
        readings=[_only(reading, capacities) for reading in kept],
        capacities=capacities,
        skipped=[*left_out, *without],
        electrodes=electrodes,
        labelled=labelled,
        labels_sha256=labels_sha256,
        data_sha256=_sha256_of_all(labels_sha256, sources, readings),
    )


def _distinct(
    sources: Sequence[CandidateSource], readings: Sequence[Candidates]
) -> tuple[list[Candidates], list[Skipped]]:
    """Keep each id once, from the source that is named first; what has no id that the store can hold is left out."""
    owners: dict[str, str] = {}
    kept, left_out = [], []
    for source, reading in zip(sources, readings, strict=True):
        crystals = []
        left_out.extend(reading.skipped)
        for crystal in reading.crystals:
            if not is_valid_id(crystal.id):
                reason = "the id must be 1 to 80 letters, digits and the marks . _ : -"
                left_out.append(Skipped(id=crystal.id, reason=reason))
            elif crystal.id in owners:
                reason = f"the source {owners[crystal.id]} has given this id already"
                left_out.append(Skipped(id=crystal.id, reason=reason))
            else:
                owners[crystal.id] = source.name
                crystals.append(crystal)
        kept.append(replace(reading, crystals=crystals))
    return kept, left_out


def _only(reading: Candidates, capacities: Mapping[str, Capacity]) -> Candidates:
    return replace(reading, crystals=[crystal for crystal in reading.crystals if crystal.id in capacities])


def _sha256_of_all(
    labels_sha256: str, sources: Sequence[CandidateSource], readings: Sequence[Candidates]
) -> str:
    """The reference data's own hash where nothing else was read; else one over all sources."""
    if all(isinstance(source, ReferenceSource) for source in sources):
        return labels_sha256
    parts = [labels_sha256, *(reading.sha256 for reading in readings)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


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


def _quiet(stage: str, done: int, total: int) -> None:
    """No progress is wanted."""


def _capacities(crystals: Sequence[Crystal], working_ion: str) -> tuple[dict[str, Capacity], list[Skipped]]:
    capacities, without = {}, []
    for crystal in crystals:
        try:
            capacities[crystal.id] = capacity(crystal, working_ion, charge_number(working_ion))
        except ExplorerError as error:
            without.append(Skipped(id=crystal.id, reason=str(error)))
    return capacities, without


def _graphs(crystals: Sequence[Crystal], progress: Progress) -> GraphStore:
    """The graphs of all candidates that have one; a candidate without one gets its reason from the prediction."""
    total = len(crystals)
    progress("graphs", 0, total)
    graphs, _ = GraphStore.build(crystals, progress=lambda done: progress("graphs", done, total))
    return graphs


def _predict(
    crystals: Sequence[Crystal], working_ion: str, model: VoltageModel, progress: Progress, *, stage: str = "predict"
) -> list[VoltagePrediction]:  # fmt: skip
    total = len(crystals)
    progress(stage, 0, total)
    ions = [working_ion] * total
    return model.predict(crystals, ions, progress=lambda done: progress(stage, done, total))


def _predicted_by(model: VoltageModel, data_sha256: str | None) -> Provenance:
    return Provenance(
        kind="voltage", model_name=model.name, model_sha256=model.sha256, data_sha256=data_sha256,
        seeds=model.card.seeds,
    )  # fmt: skip


def _path_before(precomputed: Path) -> Path | None:
    """The current release's file, checked; None where there is none."""
    try:
        return current_path(precomputed)
    except ReleaseNotFoundError:
        return None


def _write(
    precomputed: Path, inputs: _Inputs, results: _Results, working_ion: str, model: VoltageModel
) -> tuple[Release, CarriedOver | None]:
    with ReleaseWriter(precomputed) as writer:
        _add_what_was_read(writer, inputs, working_ion)
        _add_what_was_predicted(writer, inputs, results, working_ion, model)
        before = _path_before(precomputed)  # asked again, since it may have changed while the model worked
        carried = None if before is None else carry_over(writer, before, working_ion=working_ion)
        release = writer.publish(
            model_name=model.name, model_sha256=model.sha256, data_sha256=inputs.data_sha256,
            working_ion=working_ion,
        )  # fmt: skip
    return release, carried


def _add_what_was_read(writer: ReleaseWriter, inputs: _Inputs, working_ion: str) -> None:
    read_by = writer.add_provenance(Provenance(kind="source", data_sha256=inputs.labels_sha256))
    for reading in inputs.readings:
        given_by = writer.add_provenance(Provenance(kind="source", data_sha256=reading.sha256))
        writer.add_candidates(reading.crystals, working_ion=working_ion, provenance_id=given_by)
    writer.add_electrodes(inputs.electrodes, provenance_id=read_by)
    all_read = writer.add_provenance(Provenance(kind="source", data_sha256=inputs.data_sha256))
    writer.add_skipped(inputs.skipped, provenance_id=all_read)
    counted_by = writer.add_provenance(Provenance(kind="capacity", data_sha256=inputs.data_sha256))
    writer.add_capacities(inputs.capacities, working_ion=working_ion, provenance_id=counted_by)


def _add_what_was_predicted(
    writer: ReleaseWriter, inputs: _Inputs, results: _Results, working_ion: str, model: VoltageModel
) -> None:
    predicted_by = writer.add_provenance(_predicted_by(model, inputs.data_sha256))
    writer.add_voltage_predictions(results.predictions, model=model.name, provenance_id=predicted_by)
    writer.add_nearest_electrodes(
        results.nearest, working_ion=working_ion, model=model.name, provenance_id=predicted_by
    )
