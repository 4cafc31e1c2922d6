"""The one writer of releases: typed records in, rows of a release in the making out."""

from collections.abc import Iterable, Mapping

from core.errors import InvalidRowError, RecordError
from core.provenance import Provenance
from core.records import (
    CalculationRecord,
    Capacity,
    Conductivity,
    Crystal,
    Electrode,
    Skipped,
    VoltagePrediction,
)
from core.store import rows
from core.store.draft import Draft
from core.store.release import DEFAULT_WORKING_ION


class ReleaseWriter(Draft):
    """Builds one release in `folder`; use it as a context manager and end with `publish`.

    `extend` starts from the current release's rows instead of an empty database. Leaving the block without `publish`
    leaves the folder as it was. Raises `StoreWriteError` where the folder cannot be written or another writer is at
    work, and `InvalidRowError` for rows that the schema refuses.
    """

    def add_provenance(self, provenance: Provenance) -> str:
        """Add a provenance, once however often it is given, and return the id that rows point to."""
        known = self._db.execute("SELECT 1 FROM provenance WHERE id = ?", [provenance.id]).fetchall()
        if not known:
            self._insert("provenance", [rows.provenance_row(provenance)])
        return provenance.id

    def add_candidates(self, crystals: Iterable[Crystal], *, working_ion: str, provenance_id: str) -> int:
        """Add crystals to screen for a working ion; return how many.

        A structure that is stored already, such as that of a candidate for another ion, stays; one that differs from
        what is stored under its id is refused.
        """
        crystals = list(crystals)
        self.add_structures(crystals, origin="source", provenance_id=provenance_id)
        return self._insert(
            "candidates", (rows.candidate_row(it, working_ion) for it in crystals), provenance_id
        )

    def add_structures(
        self,
        crystals: Iterable[Crystal],
        *,
        origin: str,
        provenance_id: str,
        parent_id: str | Mapping[str, str] | None = None,
    ) -> int:
        """Add structures that need not be candidates; return how many were not stored yet.

        `origin` says in a word how they came about: source, relaxed, substituted, generated, literature, uploaded.
        `parent_id` names what they were made from, which an earlier call has added: one for all, or one by each id. As
        with candidates, a structure that is stored already stays, and a different one under its id is refused.
        """
        stored = {id for (id,) in self._db.execute("SELECT id FROM structures").fetchall()}
        new = []
        for crystal in crystals:
            if crystal.id in stored:
                self._check_is_stored(crystal)
            else:
                new.append(crystal)
        parents = (
            parent_id if isinstance(parent_id, Mapping) else dict.fromkeys((it.id for it in new), parent_id)
        )
        made = (rows.structure_row(it, origin, parents.get(it.id)) for it in new)
        return self._insert("structures", made, provenance_id)

    def add_voltage_predictions(
        self, predictions: Iterable[VoltagePrediction], *, provenance_id: str, model: str | None = None
    ) -> int:
        """Add predicted voltages, failed ones with their error; return how many.

        `model` names who predicts; where it is not given, the provenance does.
        """
        model = model or self._model_of(provenance_id)
        return self._insert(
            "voltage_predictions", (rows.prediction_row(it, model) for it in predictions), provenance_id
        )

    def drop_voltage_predictions(self, model: str) -> None:
        """Leave out what a model predicted in the release that this one extends, for it to predict anew."""
        self._db.execute("DELETE FROM voltage_predictions WHERE model = ?", [model])

    def add_capacities(
        self,
        capacities: Mapping[str, Capacity],
        *,
        provenance_id: str,
        working_ion: str = DEFAULT_WORKING_ION,
    ) -> int:
        """Add capacities by candidate id, for the charge of one ion; return how many."""
        return self._insert("capacities", rows.capacity_rows(capacities, working_ion), provenance_id)

    def add_calculations(self, records: Iterable[CalculationRecord]) -> int:
        """Add finished calculations with their files and provenance; return how many.

        The structures that they are about must be stored (`add_structures`). Raises `InvalidRowError` for a key or name
        that is there already, and for a result that the columns of its kind cannot hold.
        """
        records = list(records)
        makers = [self.add_provenance(record.provenance) for record in records]
        return self._add_calculations(zip(records, makers, strict=True))

    def add_conductivities(self, conductivities: Iterable[Conductivity], *, provenance_id: str) -> int:
        """Add conductivities of which the runs are not known as calculations; return how many."""
        provenance = self._provenance(provenance_id)
        records = (
            rows.conductivity_record(
                it, formula=self._formula_of(it.id), provenance=provenance, runs=[it.run_id]
            )
            for it in conductivities
        )
        return self._add_calculations((record, provenance_id) for record in records)

    def _add_calculations(self, records: Iterable[tuple[CalculationRecord, str]]) -> int:
        made: list[rows.Row] = []
        files: list[rows.Row] = []
        try:
            for record, provenance_id in records:
                made.append(rows.calculation_row(record) | {"provenance_id": provenance_id})
                files.extend(rows.file_rows(record))
        except RecordError as error:
            raise InvalidRowError(
                f"A calculation was refused, and nothing of this release is kept: {error}"
            ) from None
        self._insert("calculations", made)
        self._insert("calculation_files", files)
        return len(made)

    def add_electrodes(self, electrodes: Iterable[Electrode], *, provenance_id: str) -> int:
        """Add labelled electrodes; return how many."""
        return self._insert("electrodes", electrodes, provenance_id)

    def add_nearest_electrodes(
        self,
        nearest: Mapping[str, Iterable[tuple[str, float]]],
        *,
        provenance_id: str,
        working_ion: str = DEFAULT_WORKING_ION,
        model: str | None = None,
    ) -> int:
        """Add the labelled electrodes nearest to each candidate as (battery id, distance), nearest first.

        `model` names whose learned vectors the distances are of; where it is not given, the provenance does.
        """
        model = model or self._model_of(provenance_id)
        return self._insert(
            "nearest_electrodes", rows.nearest_rows(nearest, working_ion, model), provenance_id
        )

    def add_skipped(self, skipped: Iterable[Skipped], *, provenance_id: str) -> int:
        """Add the inputs that were left out, with their reasons; return how many."""
        return self._insert("skipped", skipped, provenance_id)

    def _check_is_stored(self, crystal: Crystal) -> None:
        row = self._row("SELECT * FROM structures WHERE id = ?", [crystal.id])
        if row is None or not rows.crystal_of(row).same_structure(crystal):
            raise InvalidRowError(
                f"{crystal.id} is stored with another structure, and nothing of this release is kept: give the new "
                "structure an id of its own."
            )

    def _provenance(self, provenance_id: str) -> Provenance:
        row = self._row("SELECT * FROM provenance WHERE id = ?", [provenance_id])
        if row is None:
            raise InvalidRowError(f"No provenance {provenance_id!r}: add it first, with `add_provenance`.")
        return rows.provenance_of(row)

    def _model_of(self, provenance_id: str) -> str:
        name = self._provenance(provenance_id).model_name
        if name is None:
            raise InvalidRowError(
                f"Provenance {provenance_id} names no model: say whose predictions these are, with `model=`."
            )
        return name

    def _formula_of(self, structure_id: str) -> str:
        row = self._row("SELECT formula FROM structures WHERE id = ?", [structure_id])
        if row is None:
            raise InvalidRowError(f"No structure {structure_id!r}: add it first, with `add_structures`.")
        return str(row["formula"])
