"""Materials Project through its own client: insertion electrodes, and magnesium compounds near the hull.

Needs a personal key (https://next-gen.materialsproject.org/api) in the environment variable MP_API_KEY. Data are
CC BY 4.0; those that Materials Project took over from GNoME are CC BY-NC 4.0 and say so.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from core.errors import ExplorerError, SourceError
from core.ions import WORKING_IONS
from core.records import Crystal, Electrode, Skipped
from core.sources.limits import MAX_SITES_PER_LINE
from core.sources.plain import crystal_from_dict
from core.sources.reference import CC_BY, CC_BY_NC

SOURCE: Final = "MP"
MAX_E_ABOVE_HULL_EV_PER_ATOM: Final = 0.15
ELECTRODE_FIELDS: Final = (
    "material_ids", "working_ion", "average_voltage", "formula_charge", "formula_discharge", "id_charge",
    "id_discharge", "framework_formula", "capacity_grav", "capacity_vol", "last_updated",
)  # fmt: skip
SUMMARY_FIELDS: Final = (
    "material_id", "formula_pretty", "structure", "symmetry", "energy_above_hull", "builder_meta",
)  # fmt: skip
UNCHECKED: Final = "not checkable"
"""`voltage_check` of an electrode whose end energies were not compared."""


def fetch_insertion_electrodes(
    working_ions: Sequence[str] = WORKING_IONS, *, api_key: str | None = None, endpoint: str | None = None
) -> tuple[list[Electrode], list[Skipped]]:
    """Return the insertion electrodes of the given ions, and those left out with reasons; voltages in V.

    Raises `SourceError` without a key, with a wrong one, or without a network.
    """
    with _client(api_key, endpoint) as client:
        documents = client.materials.insertion_electrodes.search(
            working_ion=list(working_ions), all_fields=False, fields=list(ELECTRODE_FIELDS)
        )
    items = [electrode_of(document) for document in documents]
    electrodes = [item for item in items if isinstance(item, Electrode)]
    return electrodes, [item for item in items if isinstance(item, Skipped)]


def fetch_candidates(
    element: str = "Mg",
    *,
    max_e_above_hull_ev_per_atom: float = MAX_E_ABOVE_HULL_EV_PER_ATOM,
    api_key: str | None = None,
    endpoint: str | None = None,
) -> tuple[list[Crystal], list[Skipped]]:
    """Return the compounds of an element within a distance of the hull (eV/atom), and those left out with reasons."""
    query = {
        "elements": [element],
        "energy_above_hull": (0.0, max_e_above_hull_ev_per_atom),
        "deprecated": False,
    }
    return _summaries(query, api_key, endpoint)


def fetch_structures(
    ids: Sequence[str], *, api_key: str | None = None, endpoint: str | None = None
) -> tuple[list[Crystal], list[Skipped]]:
    """Return the structures of Materials Project ids, such as the ends of electrodes, and those left out."""
    return _summaries({"material_ids": list(ids)}, api_key, endpoint)


def electrode_of(document: dict[str, Any]) -> Electrode | Skipped:
    """Return the electrode of an `InsertionElectrodeDoc` as JSON, or why it cannot be used."""
    from emmet.core.electrode import InsertionElectrodeDoc

    try:
        checked = InsertionElectrodeDoc.model_validate(document)
        return Electrode(
            battery_id=_battery_id(document),
            working_ion=str(checked.working_ion),
            average_voltage_v=float(checked.average_voltage),
            formula_discharge=checked.formula_discharge,
            formula_charge=checked.formula_charge,
            id_discharge=document["id_discharge"],
            id_charge=document["id_charge"],
            host_formula=checked.framework_formula,
            voltage_check=UNCHECKED,
            capacity_grav_mah_per_g=checked.capacity_grav,
            capacity_vol_ah_per_l=checked.capacity_vol,
        )
    except (ValueError, TypeError, KeyError, ExplorerError) as error:
        return Skipped(id=_id_of(document.get("id_discharge")), reason=_first_line(error))


def crystal_of(document: dict[str, Any]) -> Crystal | Skipped:
    """Return the crystal of a `SummaryDoc` as JSON, with its space group, hull energy and licence, or why not."""
    id = _id_of(document.get("material_id"))
    try:
        meta = document.get("builder_meta") or {}
        about = {
            "formula": document.get("formula_pretty"),
            "spacegroup": (document.get("symmetry") or {}).get("symbol"),
            "e_above_hull": document.get("energy_above_hull"),
            "license": CC_BY_NC if meta.get("license") == "BY-NC" else CC_BY,
        }
        structure = _as_dict(document["structure"])
        return crystal_from_dict(structure | about, id=id, source=SOURCE, max_sites=MAX_SITES_PER_LINE)
    except (KeyError, TypeError, AttributeError, ExplorerError) as error:
        return Skipped(id=id, reason=f"no usable structure: {_first_line(error)}")


def _summaries(
    query: dict[str, Any], api_key: str | None, endpoint: str | None
) -> tuple[list[Crystal], list[Skipped]]:
    with _client(api_key, endpoint) as client:
        documents = client.materials.summary.search(**query, all_fields=False, fields=list(SUMMARY_FIELDS))
    items = [crystal_of(document) for document in documents]
    crystals = [item for item in items if isinstance(item, Crystal)]
    return crystals, [item for item in items if isinstance(item, Skipped)]


@contextmanager
def _client(api_key: str | None, endpoint: str | None) -> Iterator[Any]:
    """Materials Project's client, its failures told as `SourceError` with what to do."""
    key = api_key or os.environ.get("MP_API_KEY", "")
    if not key:
        raise SourceError(
            "No key for Materials Project: get one at https://next-gen.materialsproject.org/api and set MP_API_KEY."
        )
    from mp_api.client import MPRester
    from mp_api.client.core.exceptions import MPRestError
    from requests.exceptions import RequestException

    try:
        with MPRester(key, endpoint=endpoint, use_document_model=False, mute_progress_bars=True) as client:
            yield client
    except RequestException as error:
        raise SourceError(
            f"Materials Project cannot be reached ({type(error).__name__}); check the network and proxy, or build "
            "from local data (`--data FOLDER`)."
        ) from None
    except (MPRestError, ValueError, KeyError) as error:
        raise SourceError(_refusal(str(error))) from None


def _refusal(message: str) -> str:
    if any(mark in message for mark in ("401", "403", "API key", "api_key", "Unauthorized")):
        return (
            "Materials Project refused the key in MP_API_KEY; copy it again from "
            "https://next-gen.materialsproject.org/api (32 characters)."
        )
    return f"Materials Project did not answer the query: {_first_line(message)}"


def _battery_id(document: dict[str, Any]) -> str:
    """The lowest Materials Project id of the host's structures and the ion, as the API's own `battery_id` is made."""
    ids = [id for id in document["material_ids"] if not id.startswith("mvc")]
    return f"{min(ids, key=lambda id: (len(id), id))}_{document['working_ion']}"


def _as_dict(structure: Any) -> dict[str, Any]:
    fields: dict[str, Any] = structure if isinstance(structure, dict) else structure.as_dict()
    return fields


def _id_of(value: Any) -> str:
    return str(value or "unknown")[:80]


def _first_line(error: object) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
