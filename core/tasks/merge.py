"""Finished runs into the next database release, which pages search and rebuilds carry on."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from core.calculations import Calculation, Spec, all_kinds, from_record, to_record
from core.errors import ExplorerError, JobError, UnknownCandidateError
from core.records import CalculationRecord, Skipped
from core.settings import Settings
from core.store import Reader, Release, ReleaseWriter, open_reader, prune
from core.tasks.folder import RunFolder
from core.tasks.seal import is_sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeReport:
    """What a merge added, and what it left out and why; `release` is None where nothing was new.

    `held`: those of `skipped` that the release holds already. `unsealed`: names of those added that are older than
    checksums, so that only their worker knew whether they still are as it left them.
    """

    release: Release | None
    added: list[CalculationRecord]
    skipped: list[Skipped]
    held: list[Skipped]
    unsealed: list[str] = field(default_factory=list)


def merge(runs: Sequence[Path], precomputed: Path | None = None) -> MergeReport:
    """Publish a release that holds these finished runs too, and what follows from them: seeds pooled with those it has.

    What the release holds already or has no structure for (an upload), a run without result, one that is damaged or not
    as its worker left it: all are left out with the reason. Raises `StoreError` kinds where no release can be read or
    written; the release before is whole then.
    """
    folder = precomputed or Settings.from_environment().precomputed
    skipped: list[Skipped] = []
    held: list[Skipped] = []
    finished = list(_finished(runs, skipped))
    with open_reader(folder) as reader:
        names = {record.name for record in reader.calculations()}
        fresh = list(_fresh(finished, reader, names, skipped, held))
        records = [to_record(it) for it in (*fresh, *_derived(fresh, reader, names, skipped))]
    release = _publish(folder, records) if records else None
    unsealed = [it.name for it in fresh if it.folder is not None and not is_sealed(it.folder)]
    return MergeReport(
        release=release, added=records, skipped=[*skipped, *held], held=held, unsealed=unsealed
    )


def held_already(id: str, name: str) -> Skipped:
    """Return why a run is left out that the release holds."""
    return Skipped(id=id, reason=f"The release holds {name} already.")


def released(reader: Reader, subject_id: str | None = None, kind: str | None = None) -> list[Calculation]:
    """Return the calculations that a release holds; one of a kind that is not known here is passed over."""
    calculations = []
    for record in reader.calculations(kind=kind, subject_id=subject_id):
        try:
            calculations.append(from_record(record, _file_reader(reader, record.name)))
        except ExplorerError:
            continue
    return calculations


def released_answer(spec: Spec) -> Calculation | None:
    """Return what the release holds of a calculation, None where that is nothing, or no release can be read."""
    with suppress(ExplorerError), open_reader() as reader:
        record = reader.calculation(spec.key)
        return from_record(record, _file_reader(reader, record.name))
    return None


def _finished(runs: Sequence[Path], skipped: list[Skipped]) -> Iterator[Calculation]:
    """Yield the runs that can be read and are as they were left."""
    for path in runs:
        try:
            yield RunFolder(path=path).calculation()
        except JobError as error:
            skipped.append(Skipped(id=path.name, reason=str(error)))


def _fresh(
    finished: Sequence[Calculation],
    reader: Reader,
    names: set[str],
    skipped: list[Skipped],
    held: list[Skipped],
) -> Iterator[Calculation]:
    """Yield what is new to the release and about a structure of its own."""
    for calculation in finished:
        subject = calculation.spec.subject
        crystal = getattr(calculation.spec, "crystal", None)
        try:
            known = reader.crystal(subject.id)
        except UnknownCandidateError as error:
            skipped.append(Skipped(id=subject.id, reason=str(error)))
            continue
        if crystal is not None and not known.same_structure(crystal):
            reason = "The release's candidate of this name has another structure."
            skipped.append(Skipped(id=subject.id, reason=reason))
        elif calculation.name in names:
            held.append(held_already(subject.id, calculation.name))
        else:
            yield calculation


def _derived(
    fresh: Sequence[Calculation], reader: Reader, names: set[str], skipped: list[Skipped]
) -> Iterator[Calculation]:
    """Yield what follows from the new calculations together with those that the release has of the same crystals."""
    if not fresh:
        return
    subjects = {it.spec.subject.id for it in fresh}
    held = [it for id in subjects for it in released(reader, id)]
    new_names = {it.name for it in fresh}
    for kind in all_kinds().values():
        derived, left_out = kind.derived([*fresh, *held])
        if left_out:  # what could not be made of the release's own runs alone is no news
            skipped += (Counter(left_out) - Counter(kind.derived(held)[1])).elements()
        for calculation in derived:
            if calculation.name not in names and new_names & set(calculation.spec.made_of()):
                yield calculation


def _file_reader(reader: Reader, name: str) -> Callable[[str], bytes | None]:
    return lambda file: reader.calculation_file(name, file)


def _publish(folder: Path, records: Sequence[CalculationRecord]) -> Release:
    with ReleaseWriter(folder, extend=True) as writer:
        writer.add_calculations(records)
        release = writer.publish()
    prune(folder)
    return release
