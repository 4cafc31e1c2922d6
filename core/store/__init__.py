"""The store: releases of precomputed results, each one DuckDB file, written once and then only read.

    precomputed/manifest.json               names the current release; lists every shipped file with size and SHA-256
    precomputed/release-<version>.duckdb    tables of schema.sql; of views.sql `screening`, one row a candidate
    precomputed/previous/                   superseded releases; git ignores them

Reading (pages, commands):

    reader = open_reader()                  # or open_reader(folder); raises StoreError kinds, safe to show
    reader.release                          # Release: version, working ion, default model, hashes, counts of rows
    reader.screen(Filters(required_elements=("Mn",), in_domain_only=True))   # DataFrame, a few ms for 3,000 rows
    reader.candidate(id)                    # dict of one row of `screening`; UnknownCandidateError
    reader.crystal(id)                      # core.records.Crystal, of a candidate or of any other stored structure
    reader.structures(parent_id=id)         # DataFrame: what was made from a structure, such as a relaxed one
    reader.predictions(id)                  # DataFrame: voltages for all working ions, by all models
    reader.nearest_electrodes(id)           # DataFrame: rank, distance, battery_id, working_ion, average_voltage_v, ...
    reader.calculations(kind, subject_id)   # list of core.records.CalculationRecord, without files
    reader.calculation(name)                # one, with its files; UnknownCalculationError
    reader.calculation_file(name, "path.npz")                  # bytes, or None
    reader.conductivities(id)               # DataFrame: the calculations of that kind, their results as columns
    reader.electrodes(working_ion), reader.provenance(provenance_id)
    reader.sources(), reader.elements(), reader.redox_metals(), reader.skipped(), reader.skipped_reasons()
    reader.voltage_histogram(bin_width_v=0.25)

Every call runs on its own cursor, so one reader serves all threads. A reader keeps the release that it opened;
`current_version(folder)` is cheap and tells whether a newer one is out.

Writing (`python -m core build`):

    with ReleaseWriter(folder) as writer:                       # extend=True starts from the current release's rows
        made_by = writer.add_provenance(Provenance(kind="source"))
        writer.add_candidates(crystals, working_ion="Mg", provenance_id=made_by)
        writer.add_structures(relaxed, origin="relaxed", parent_id=id, provenance_id=...)     # no candidates
        writer.add_voltage_predictions(predictions, model="frozen-host", provenance_id=...)
        writer.add_capacities({id: capacity}, working_ion="Mg", provenance_id=...)
        writer.add_electrodes(electrodes, provenance_id=...)
        writer.add_nearest_electrodes({id: [(battery_id, distance), ...]}, model=..., provenance_id=...)
        writer.add_calculations(records)                        # each brings its provenance and its files
        writer.add_skipped(skipped, provenance_id=...)
        carry_over(writer, path_of_the_release_before, working_ion="Mg")
        release = writer.publish(model_name=..., model_sha256=..., data_sha256=..., working_ion="Mg")
    prune(folder, keep=2)                                       # put superseded releases away, delete the oldest

`list_files(folder)` and `differences(folder)` write and check the list of files in the manifest (`python -m core
verify`); `core.store.migrate` brings a release of an older schema up to date (`python -m core migrate-release`), and
`core.store.restore` goes back to one of `previous/` (`python -m core restore-release`).
"""

from core.store.artefacts import Differences, differences, list_files
from core.store.carry import CarriedOver, carry_over
from core.store.filters import Filters
from core.store.reader import SCREEN_COLUMNS, Reader, is_valid_id, open_reader
from core.store.release import (
    SCHEMA_VERSION,
    Manifest,
    Release,
    current_path,
    current_version,
    next_version,
    prune,
    read_manifest,
)
from core.store.writer import ReleaseWriter

__all__ = [
    "SCHEMA_VERSION",
    "SCREEN_COLUMNS",
    "CarriedOver",
    "Differences",
    "Filters",
    "Manifest",
    "Reader",
    "Release",
    "ReleaseWriter",
    "carry_over",
    "current_path",
    "current_version",
    "differences",
    "is_valid_id",
    "list_files",
    "next_version",
    "open_reader",
    "prune",
    "read_manifest",
]
