"""A finished calculation as the store keeps it, and back."""

from collections.abc import Callable

from core.calculations.base import Calculation
from core.calculations.registry import read_result, read_spec
from core.records import CalculationRecord


def to_record(calculation: Calculation) -> CalculationRecord:
    """Return the record of a finished calculation, with the small files that its kind keeps."""
    spec, result = calculation.spec, calculation.result
    files = {name: calculation.read_file(name) for name in spec.kept_files}
    return CalculationRecord(
        key=spec.key, name=calculation.name, kind=spec.kind, version=spec.version, subject_id=spec.subject.id,
        formula=spec.subject.formula, working_ion=spec.subject.working_ion, verdict=result.verdict,
        created=result.created, spec=spec.to_dict(), result=result.to_dict(), provenance=result.provenance,
        files={name: content for name, content in files.items() if content is not None},
    )  # fmt: skip


def from_record(
    record: CalculationRecord, read_file: Callable[[str], bytes | None] = lambda name: None
) -> Calculation:
    """Return the calculation of a record; `read_file` gets its files from where they lie.

    Raises `CalculationError` for a kind that is not known or of a newer version, `RecordError` for another form.
    """
    return Calculation(
        name=record.name, spec=read_spec(record.spec), result=read_result(record.result), read_file=read_file
    )
