"""Results of runs into the next database release, on which the Screen page filters."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import TransportError, UnknownCandidateError
from core.jobs.pooled import FinishedRun, finished_runs, group_seeds, pool, provenance_of
from core.records import Conductivity, Crystal, Skipped
from core.settings import Settings
from core.store import Reader, Release, ReleaseWriter, open_reader, prune


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeReport:
    """What a merge added, and what it left out and why; `release` is None where nothing was new."""

    release: Release | None
    added: list[Conductivity]
    skipped: list[Skipped]


def merge(runs: Sequence[Path], precomputed: Path | None = None) -> MergeReport:
    """Pool the seeds of these finished runs and publish a release that holds their conductivities too.

    What the release holds already, or has no candidate for (an uploaded structure), is left out with its reason.
    Raises `JobError` for a run without result, and `StoreError` kinds where no release can be read or written; the
    release before is whole then.
    """
    folder = precomputed or Settings.from_environment().precomputed
    skipped: list[Skipped] = []
    pooled: list[tuple[list[FinishedRun], Conductivity]] = []
    with open_reader(folder) as reader:
        before = reader.release
        for group in group_seeds(finished_runs(runs)):
            found = _pooled(group, reader)
            if isinstance(found, Conductivity):
                pooled.append((group, found))
            else:
                skipped.append(found)
    release = _publish(folder, before, pooled) if pooled else None
    return MergeReport(release=release, added=[record for _, record in pooled], skipped=skipped)


def _pooled(group: list[FinishedRun], reader: Reader) -> Conductivity | Skipped:
    id = group[0].spec.id
    try:
        if not _is_same(reader.crystal(id), group[0].spec.crystal):
            return Skipped(id=id, reason="The release's candidate of this name has another structure.")
        record = pool(group)
    except (UnknownCandidateError, TransportError) as error:
        return Skipped(id=id, reason=str(error))
    if record.run_id in set(reader.conductivities(id)["run_id"]):
        return Skipped(id=id, reason="The release holds this result already.")
    return record


def _is_same(one: Crystal, other: Crystal) -> bool:
    return (
        one.species == other.species
        and np.allclose(one.lattice_a, other.lattice_a, atol=1e-4)
        and np.allclose(one.frac, other.frac, atol=1e-4)
    )


def _publish(
    folder: Path, before: Release, pooled: Sequence[tuple[list[FinishedRun], Conductivity]]
) -> Release:
    with ReleaseWriter(folder, extend=True) as writer:
        for group, record in pooled:
            made_by = writer.add_provenance(provenance_of(group))
            writer.add_conductivities([record], provenance_id=made_by)
        release = writer.publish(
            model_name=before.model_name, model_sha256=before.model_sha256, data_sha256=before.data_sha256
        )
    prune(folder)
    return release
