"""Search, and everything about one candidate."""

from dataclasses import asdict
from typing import Annotated, Any, Final, Literal

import pandas as pd
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from core.quantities import is_missing
from core.service.calculations import export_documents_of
from core.service.candidates import candidate, records
from core.service.final_list import final_list, final_rows, side_car
from core.service.landmarks import measured_cathodes
from core.service.release import Filters, Reader, current_reader, facets
from core.service.screen import (
    ASKED,
    PARTS,
    TOXIC,
    VERDICTS,
    WANTED,
    Definition,
    Thresholds,
    Weights,
    affordable,
    assessed_row,
    frame_csv,
    judgement,
    of_novelty,
    one_per_formula,
    screen,
    with_reasons,
)

router = APIRouter()

MAX_ROWS: Final = 1_000
Format = Literal["json", "csv"]


@router.get("/release", tags=["release"])
def release() -> dict[str, Any]:
    """Return which release answers: version, hashes, models, and what it holds to filter by."""
    store = current_reader()
    return {"release": asdict(store.release), "facets": asdict(facets(store))}


class Limits(BaseModel):
    """What verdict and probabilities are by; nothing given is the first view of the Screen page."""

    model_config = ConfigDict(extra="forbid")

    min_voltage_v: float = Field(ASKED.voltage_v, description="average voltage against Mg, above this")
    min_capacity_ah_per_l: float = Field(
        ASKED.capacity_vol_ah_per_l,
        description="above this: what the redox metals pay for, or by `definition`",
    )
    max_barrier_ev: float | None = Field(None, description="migration barrier below this, where known")
    min_sigma_ms_per_cm: float | None = Field(None, description="conductivity at 1200 K surely above this")
    max_voltage_v: float | None = Field(
        None, description="average voltage below this: an electrolyte's window"
    )
    definition: Definition = Field(
        "cathode", description="`paper`: capacity of all ions, whatever the verdict"
    )

    def thresholds(self) -> Thresholds:
        """Return the limits."""
        return Thresholds(
            voltage_v=self.min_voltage_v, capacity_vol_ah_per_l=self.min_capacity_ah_per_l,
            barrier_ev=self.max_barrier_ev, sigma_ms_per_cm=self.min_sigma_ms_per_cm, definition=self.definition,
            voltage_max_v=self.max_voltage_v,
        )  # fmt: skip


class Asked(Limits):
    """What is asked of the candidates; nothing given is the first view of the Screen page."""

    verdict: list[str] = Field([], description=f"of {', '.join(VERDICTS)}; none given: {', '.join(WANTED)}")
    element: list[str] = Field([], description="all of these must be there")
    without: list[str] = Field([], description="none of these may be there")
    redox_metal: list[str] = Field([], description="one of these at least")
    source: list[str] = []
    novelty: list[Literal["labelled", "known", "new"]] = Field(
        [], description="labelled: a calculated voltage is public; known: in Materials Project; new: by GNoME"
    )
    max_hull_ev_per_atom: float | None = None
    known_hull_only: bool = False
    in_domain_only: bool = False
    with_anion_only: bool = False
    non_toxic_only: bool = False
    max_price_usd_per_kg: float | None = None
    weights: str = Field(
        "", max_length=200, description=f"of the score, as `barrier=2,price=0`; its parts: {', '.join(PARTS)}"
    )
    one_per_formula: bool = Field(False, description="the best of each formula, with `n_polymorphs`")
    text: str = Field("", max_length=80, description="part of id or formula, or a formula in any writing")
    failing_too: bool = Field(False, description="all that the filters let through, whether they pass or not")
    format: Format = "json"
    limit: int = Field(100, ge=1, le=MAX_ROWS)
    offset: int = Field(0, ge=0)

    def filters(self) -> Filters:
        """Return what the store filters by."""
        return Filters(
            required_elements=tuple(self.element),
            forbidden_elements=tuple(sorted({*self.without, *(TOXIC if self.non_toxic_only else ())})),
            redox_metals=tuple(self.redox_metal),
            sources=tuple(self.source) or None,
            max_e_above_hull_ev_per_atom=self.max_hull_ev_per_atom,
            keep_unknown_hull=not self.known_hull_only,
            in_domain_only=self.in_domain_only,
            with_anion_only=self.with_anion_only,
            text=self.text,
        )


@router.get("/candidates", tags=["candidates"], response_model=None)
def search(asked: Annotated[Asked, Query()]) -> dict[str, Any] | Response:
    """Return the candidates that pass, best first, with verdict, reasons and probabilities; as JSON or CSV."""
    store, thresholds = current_reader(), asked.thresholds()
    frame = store.screen(asked.filters())
    if asked.novelty:
        frame = of_novelty(frame, asked.novelty)
    if asked.max_price_usd_per_kg is not None:
        frame = affordable(frame, asked.max_price_usd_per_kg)
    wanted = tuple(it for it in VERDICTS if it in asked.verdict) or WANTED
    weights = Weights.parse(asked.weights)
    found = screen(frame, thresholds, verdicts=wanted, weights=weights, with_failing=asked.failing_too)
    listed = one_per_formula(found.listed) if asked.one_per_formula else found.listed
    rows = with_reasons(listed.iloc[asked.offset : asked.offset + asked.limit], thresholds)
    if asked.format == "csv":
        return _csv(rows, "candidates.csv")
    return {
        "thresholds": thresholds.as_dict(),
        "verdicts": wanted if asked.definition == "cathode" else None,
        "weights": weights.as_dict(),
        "funnel": asdict(found.funnel),
        "n_found": len(listed),
        "n_hull_unknown": int(listed["e_above_hull_ev_per_atom"].isna().sum()),
        "offset": asked.offset,
        "rows": records(rows),
        "release": _release(store),
    }


@router.get("/final", tags=["candidates"], response_model=None)
def final(format: Format = "json") -> dict[str, Any] | Response:
    """Return the final list: what passes voltage and capacity, first those whose ions get through (`is_final`)."""
    store = current_reader()
    found = final_list(store.screen())
    rows = final_rows(found)
    return (
        _csv(rows, "final.csv")
        if format == "csv"
        else side_car(found, store.release) | {"rows": records(rows)}
    )


@router.get("/measured-cathodes", tags=["candidates"])
def measured() -> list[dict[str, Any]]:
    """Return measured magnesium cathodes with the DOI of each, and what is predicted for those of the release."""
    return records(measured_cathodes(current_reader()))


@router.get("/candidates/{id}", tags=["candidates"])
def one(id: str, limits: Annotated[Limits, Query()]) -> dict[str, Any]:
    """Return a candidate: figures, structure, verdict with every criterion, nearest electrodes, conductivities.

    Verdict and probabilities are by the same limits as in a search.
    """
    store, thresholds = current_reader(), limits.thresholds()
    found = candidate(store, id)
    judged = judgement(found.row, thresholds)
    figures = assessed_row(found.row, thresholds)
    return {
        **found.as_dict(),
        "thresholds": thresholds.as_dict(),
        "figures": {name: None if is_missing(value) else value for name, value in figures.items()},
        "verdict": judged.verdict,
        "criteria": [asdict(it) for it in judged.criteria],
        "calculations": [it.name for it in store.calculations(subject_id=id)],
    }


@router.get("/candidates/{id}/calculations", tags=["candidates"])
def calculations(id: str) -> list[dict[str, Any]]:
    """Return every calculation of the release about a candidate, whole: what was asked and what came out."""
    store = current_reader()
    store.candidate(id)
    return export_documents_of(store, id)


@router.get("/candidates/{id}/structure.cif", tags=["candidates"], response_class=Response)
def cif(id: str) -> Response:
    """Return a candidate's structure as CIF, headed by its source and licence."""
    store = current_reader()
    store.candidate(id)
    return Response(store.crystal(id).to_cif(), media_type="chemical/x-cif")


def _csv(rows: pd.DataFrame, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(frame_csv(rows), media_type="text/csv", headers=headers)


def _release(store: Reader) -> dict[str, str]:
    return {"version": store.release.version, "sha256": store.release.sha256}
