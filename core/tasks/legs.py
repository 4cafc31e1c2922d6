"""Under which conditions a run was made: what decides its last bits beside what was asked of it.

A run that goes on under other conditions (another processor, torch or number of threads, a potential compiled since) is
as good as one that did not, but no repeat of it to the bit. Each such stretch is a leg, kept in the folder as
`legs.json` and in the result's provenance.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import torch

from core.artifacts import write_json
from core.calculations import Result
from core.codec import from_json, to_json
from core.errors import RecordError, RunFileError
from core.provenance import Leg
from core.tasks.folder import RunFolder

LEGS_FILE: Final = "legs.json"
_CPU_INFO: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, kw_only=True)
class _Legs:
    legs: tuple[Leg, ...]


def conditions_here(device: str) -> dict[str, str]:
    """Return what decides the bits in this process: processor or GPU, threads, and torch."""
    return {
        "processor": _processor(device),
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
    }


def legs_so_far(folder: RunFolder) -> tuple[Leg, ...]:
    """Return the legs of earlier sittings; of those that left no word, one without conditions.

    Raises `RunFileError` for a file that is damaged.
    """
    fields = folder.read(LEGS_FILE)
    if fields is None:
        return (Leg(first_step=0, conditions={}),) if folder.latest() else ()
    try:
        return from_json(_Legs, fields).legs
    except RecordError as error:
        raise RunFileError(folder.path / LEGS_FILE, str(error)) from error


def keep_legs(folder: RunFolder, legs: tuple[Leg, ...]) -> None:
    """Write the legs down; raise `OSError` as the file system does."""
    write_json(folder.path / LEGS_FILE, to_json(_Legs(legs=legs)))


def joined(before: tuple[Leg, ...], now: Leg) -> tuple[Leg, ...]:
    """Return the legs with the one at hand: it goes on the last where that was made under the same conditions.

    So it does where the last began at the same step and was stopped before all of its conditions were known.
    """
    if not before:
        return (now,)
    *earlier, last = before
    if last.conditions == now.conditions:
        return before
    if last.first_step == now.first_step and last.conditions.items() <= now.conditions.items():
        return joined(tuple(earlier), now)
    return (*before, now)


def with_legs(result: Result, legs: tuple[Leg, ...]) -> Result:
    """Return a result with its legs in the provenance, and a note where there are several."""
    notes = result.notes if len(legs) < 2 else (*result.notes, _words(legs))
    return replace(result, notes=notes, provenance=replace(result.provenance, legs=legs))


def _words(legs: tuple[Leg, ...]) -> str:
    told = [
        f"from step {leg.first_step} {', '.join(_changes(before, leg))}" for before, leg in pairwise(legs)
    ]
    return (
        f"Made in {len(legs)} legs under different conditions ({'; '.join(told)}): sound, but no repeat to the bit of "
        "a run that nothing interrupted."
    )


def _changes(before: Leg, after: Leg) -> list[str]:
    names = [name for name in after.conditions if after.conditions[name] != before.conditions.get(name)]
    return [
        f"{name} {after.conditions[name]} after {before.conditions.get(name, 'unknown')}" for name in names
    ]


def _processor(device: str) -> str:
    if device != "cpu":
        return torch.cuda.get_device_name(torch.device(device))
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = sorted({line.partition(":")[2].strip() for line in lines if line.startswith("model name")})
    return f"{', '.join(models) or 'unknown'} ({torch.backends.cpu.get_cpu_capability()})"
