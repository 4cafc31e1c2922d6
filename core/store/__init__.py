"""The store: releases of precomputed results, each one DuckDB file, written once and then only read.

    precomputed/manifest.json               names the current release, its size and SHA-256
    precomputed/release-<version>.duckdb    tables of schema.sql; of views.sql `screening`, one row a candidate

Reading (pages, commands):

    reader = open_reader()                  # or open_reader(folder); raises StoreError kinds, safe to show
    reader.release                          # Release: version, created, hashes, counts of rows
    reader.screen(Filters(required_elements=("Mn",), in_domain_only=True))   # DataFrame, a few ms for 3,000 rows
    reader.candidate(id)                    # dict of one row of `screening`; UnknownCandidateError
    reader.crystal(id)                      # core.records.Crystal
    reader.nearest_electrodes(id)           # DataFrame: rank, distance, battery_id, working_ion, average_voltage_v, ...
    reader.conductivities(id), reader.electrodes(working_ion), reader.provenance(provenance_id)
    reader.sources(), reader.elements(), reader.redox_metals(), reader.skipped(), reader.skipped_reasons()
    reader.voltage_histogram(bin_width_v=0.25)

Every call runs on its own cursor, so one reader serves all threads. A reader keeps the release that it opened;
`current_version(folder)` is cheap and tells whether a newer one is out.

Writing (`python -m core build`):

    with ReleaseWriter(folder) as writer:                       # extend=True starts from the current release's rows
        made_by = writer.add_provenance(Provenance(kind="source"))
        writer.add_candidates(crystals, working_ion="Mg", provenance_id=made_by)
        writer.add_voltage_predictions(predictions, provenance_id=...)
        writer.add_capacities({id: capacity}, provenance_id=...)
        writer.add_electrodes(electrodes, provenance_id=...)
        writer.add_nearest_electrodes({id: [(battery_id, distance), ...]}, provenance_id=...)
        writer.add_conductivities(conductivities, provenance_id=...)
        writer.add_skipped(skipped, provenance_id=...)
        release = writer.publish(model_name=..., model_sha256=..., data_sha256=...)
    prune(folder)                                               # delete releases that are no longer current
"""

from core.store.filters import Filters
from core.store.reader import SCREEN_COLUMNS, Reader, is_valid_id, open_reader
from core.store.release import (
    SCHEMA_VERSION,
    Manifest,
    Release,
    current_version,
    next_version,
    prune,
    read_manifest,
)
from core.store.writer import ReleaseWriter

__all__ = [
    "SCHEMA_VERSION",
    "SCREEN_COLUMNS",
    "Filters",
    "Manifest",
    "Reader",
    "Release",
    "ReleaseWriter",
    "current_version",
    "is_valid_id",
    "next_version",
    "open_reader",
    "prune",
    "read_manifest",
]
