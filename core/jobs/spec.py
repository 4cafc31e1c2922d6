"""What a run is asked to do: everything that decides its result, and from that its name."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from core.dynamics import Protocol
from core.errors import JobError, NoWorkingIonError
from core.ions import charge_number
from core.potentials import potential_card
from core.records import Crystal
from core.settings import resolve_device

REFINABLE: Final = ("nequip-mg",)
"""Potentials that a run may fine-tune for its material before it measures."""

MAX_REFINE_ROUNDS: Final = 3

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]+")
_HASH_DIGITS: Final = 10
_MAX_ID_IN_NAME: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JobSpec:
    """One simulation of one crystal with one seed; `id` is the candidate's. Two equal specs are one run.

    Raises `UnknownIonError`, `NoWorkingIonError`, `PotentialError`, `UnsupportedElementError` or `JobError` for what
    could never run.
    """

    id: str
    crystal: Crystal
    protocol: Protocol
    potential: str
    working_ion: str = "Mg"
    device: str = "auto"
    seed: int = 0
    refine_rounds: int = 0

    def __post_init__(self) -> None:
        charge_number(self.working_ion)
        potential_card(self.potential)
        if not self.crystal.count(self.working_ion):
            raise NoWorkingIonError(self.crystal.formula, self.working_ion)
        if not 0 <= self.seed < 2**31:
            raise JobError(f"seed {self.seed}; a whole number from 0 to {2**31 - 1} is needed.")
        if not 0 <= self.refine_rounds <= MAX_REFINE_ROUNDS:
            raise JobError(
                f"{self.refine_rounds} rounds of refinement; 0 to {MAX_REFINE_ROUNDS} are offered."
            )
        if self.refine_rounds and self.potential not in REFINABLE:
            raise JobError(
                f"{self.potential!r} can't be fine-tuned for a material (asked for {self.refine_rounds} rounds); leave "
                "the refinement out."
            )

    @property
    def material_key(self) -> str:
        """Hash over all but seed and device: runs with one key are seeds of the same measurement."""
        content = {name: value for name, value in self.to_dict().items() if name not in ("seed", "device")}
        content["crystal"] = self._structure
        content["protocol"] = _numbers_alike(_without(content["protocol"], "description"))
        content["potential_sha256"] = potential_card(self.potential).sha256
        return _digest(content)

    @property
    def potential_name(self) -> str:
        """The potential as results name it."""
        return f"{self.potential} refined" if self.refine_rounds else self.potential

    @property
    def refinement_key(self) -> str:
        """Name of the fine-tuning: one for all runs of a material, whatever their seed, temperature or length."""
        sha256 = potential_card(self.potential).sha256
        content = [self._structure, self.working_ion, self.refine_rounds, sha256]
        return f"{_safe(self.id)}-{_digest(content)[:_HASH_DIGITS]}"

    @property
    def job_id(self) -> str:
        """Readable prefix and content hash, the name of the run's folder.

        The hash covers structure, ion, protocol, potential with its weights, seed, refinement and kind of device; the
        same run asked for twice has one name.
        """
        kind = resolve_device(self.device).split(":")[0]
        digest = _digest([self.material_key, self.seed, kind])
        temperature = f"{self.protocol.temperature_k:g}K"
        name = "-".join(
            (_safe(self.id), _safe(self.potential_name), self.protocol.name, temperature, f"s{self.seed}")
        )
        return f"{_NOT_IN_NAMES.sub('_', name)}-{digest[:_HASH_DIGITS]}"

    @property
    def _structure(self) -> dict[str, Any]:
        """The crystal as hashes see it: who made it known decides nothing."""
        return _without(self.crystal.to_dict(), "source", "license")

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as JSON holds it, the protocol with all its numbers."""
        return {
            "id": self.id, "crystal": self.crystal.to_dict() | {"license": self.crystal.license},
            "protocol": self.protocol.to_dict(), "potential": self.potential, "working_ion": self.working_ion,
            "device": self.device, "seed": self.seed, "refine_rounds": self.refine_rounds,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "JobSpec":
        """Read a spec back; raise `KeyError`, `TypeError`, `ValueError` or `ExplorerError` for another form."""
        read = dict(fields)
        return cls(
            crystal=_crystal(read.pop("crystal")), protocol=Protocol.from_dict(read.pop("protocol")), **read
        )


def _crystal(fields: Mapping[str, Any]) -> Crystal:
    return Crystal(
        id=fields["id"], formula=fields["formula"], lattice_a=np.array(fields["lattice"], dtype=float),
        species=tuple(fields["species"]), frac=np.array(fields["frac"], dtype=float).reshape(-1, 3),
        source=fields["source"], license=fields["license"],
    )  # fmt: skip


def _without(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def _numbers_alike(fields: Mapping[str, Any]) -> dict[str, Any]:
    """1200 and 1200.0 are one temperature, and should be one run."""
    return {name: value if isinstance(value, str) else float(value) for name, value in fields.items()}


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _safe(text: str) -> str:
    return _NOT_IN_NAMES.sub("_", text)[:_MAX_ID_IN_NAME].strip("._-") or "crystal"


def adapted(protocol: Protocol, **changes: Any) -> Protocol:
    """Return a protocol with other numbers, None meaning as it is, and a name that no longer claims to be the old one.

    Another temperature is no other protocol. `max_atoms` follows a larger `min_atoms`. Raises `DynamicsError` for
    numbers out of range.
    """
    now = protocol.to_dict()
    wanted = {name: value for name, value in changes.items() if value is not None and value != now.get(name)}
    named = {name: value for name, value in wanted.items() if name != "temperature_k"}
    if "min_atoms" in named and "max_atoms" not in named:
        wanted["max_atoms"] = max(protocol.max_atoms, round(1.25 * named["min_atoms"]))
    if named:
        listed = ", ".join(f"{name} {value}" for name, value in named.items())
        wanted |= {
            "name": f"{protocol.name}-changed",
            "description": f"{protocol.description} Changed: {listed}.",
        }
    return protocol.with_changes(**wanted)
