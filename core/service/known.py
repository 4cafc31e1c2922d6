"""Whether the release already holds a crystal: then its prediction is there, without any work."""

from dataclasses import fields, replace
from typing import Final

from core.quantities import is_missing
from core.records import Crystal
from core.service.predict import PredictedStructure
from core.service.predicted_row import PredictedRow, facts_of, judged_facts
from core.store import Filters, Reader
from core.voltage.as_given import objections

_VOLUME_SHARE: Final = 0.005
_LENGTH_SHARE: Final = 0.005
_SITE_SHARE: Final = 0.01
"""Of (V/N)^(1/3): some 0.02 angstrom, the rounding of files, not a change of the structure."""

_ANGLE_DEG: Final = 0.5


def known_id(reader: Reader, crystal: Crystal, working_ion: str) -> str | None:
    """Return the candidate of the release that is the same crystal, written in whatever cell, or None.

    The same composition, volume within 0.5 %, and sites within some 0.02 angstrom (pymatgen's `StructureMatcher`,
    without scaling).
    """
    if working_ion != reader.release.working_ion:
        return None
    from core.sources.validate import reduced_formula

    formula = reduced_formula(crystal.species)
    rows = reader.screen(Filters(text=formula), columns=("id", "formula", "n_sites", "volume_a3"))
    rows = rows[rows["formula"] == formula]
    off = (rows["volume_a3"] / rows["n_sites"] / (crystal.volume_a3 / crystal.n_sites) - 1.0).abs()
    near = rows["id"][off <= _VOLUME_SHARE]
    return next((id for id in near if _is_same(crystal, reader.crystal(id))), None)


def _is_same(one: Crystal, other: Crystal) -> bool:
    from pymatgen.analysis.structure_matcher import StructureMatcher

    matcher = StructureMatcher(ltol=_LENGTH_SHARE, stol=_SITE_SHARE, angle_tol=_ANGLE_DEG, scale=False)
    return bool(matcher.fit(one.to_pymatgen(), other.to_pymatgen()))


def predict_known(name: str, crystal: Crystal, working_ion: str, reader: Reader) -> PredictedStructure | None:
    """Return the release's prediction of a crystal, with the release's crystal; None where it does not hold it."""
    id = known_id(reader, crystal, crystal.working_ion or working_ion)
    if id is None:
        return None
    return PredictedStructure(name=name, crystal=reader.crystal(id), row=known_row(reader, id))


def known_row(reader: Reader, id: str) -> PredictedRow:
    """Return the release's prediction of a candidate as a row, judged by all that the release knows of it.

    What speaks against the crystal as given is looked at anew, since a release may be older than these limits. Raises
    `UnknownCandidateError`.
    """
    found, crystal = reader.candidate(id), reader.crystal(id)
    told = {name: None if is_missing(found.get(name)) else found.get(name) for name in _FIELDS}
    reasons = "; ".join(objections(crystal, None))
    row = PredictedRow(
        **told | {"model": found.get("voltage_model"), "error": found.get("voltage_error"), "release_id": id}
    )
    if reasons and row.error is None:
        row = replace(row, in_domain=False, domain_reason=reasons)
    told_now = {"in_domain": row.in_domain, "domain_reason": row.domain_reason}
    return judged_facts([row], [facts_of(row, crystal) | found | told_now])[0]


_FIELDS: Final = {it.name for it in fields(PredictedRow)} - {"model", "error", "release_id"}
