"""Hops of a file, one JSON line each, and their barriers as rows of a table.

A line holds `id`, `mover` (element), `lattice` (3, 3; angstrom), `species` and `frac` of all atoms but the mover,
`start` and `end` of the mover (fractional, not wrapped: it goes straight from one to the other).
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from core.errors import BarrierError, ExplorerError, SourceError
from core.hops.scan import Hop, scan
from core.hops.spread import barrier_std_ev
from core.potentials import Potential

COLUMNS: Final = ("id", "barrier_ev", "barrier_std_ev", "potential", "converged", "verdict", "error")

VERDICTS: Final = ("hop", "wild", "no site", "cannot be read", "not possible")
"""A barrier; a profile that no ion follows; an end that is no resting place; a bad line; an unknown element."""

_NEEDED: Final = ("id", "mover", "lattice", "species", "frac", "start", "end")


def read_lines(path: Path) -> list[Mapping[str, Any]]:
    """Return the lines of a .jsonl or .jsonl.gz file; one that is no JSON object comes as its number and the reason.

    Raises `SourceError` for a file that cannot be read.
    """
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SourceError(f"Cannot read {path}: {error}.") from error
    return [_line(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _line(number: int, text: str) -> Mapping[str, Any]:
    try:
        line = json.loads(text)
    except json.JSONDecodeError as error:
        return {"id": f"line {number}", "problem": f"Line {number} is no JSON: {error}."}
    if not isinstance(line, dict):
        return {"id": f"line {number}", "problem": f"Line {number} is no JSON object."}
    return {**line, "id": str(line.get("id") or f"line {number}")}


def read_hop(line: Mapping[str, Any]) -> Hop:
    """Return the hop of a line. Raises `BarrierError` that names the field and what is wrong with it."""
    if "problem" in line:
        raise BarrierError(line["problem"], verdict="cannot be read")
    if absent := [name for name in _NEEDED if name not in line]:
        raise BarrierError(f"{line['id']}: no {', '.join(absent)}.", verdict="cannot be read")
    lattice_a, frac = _floats(line, "lattice", (3, 3)), _floats(line, "frac", (len(line["species"]), 3))
    start, end = _floats(line, "start", (3,)), _floats(line, "end", (3,))
    species = [*line["species"], line["mover"]]
    if unknown := sorted({str(it) for it in species} - atomic_numbers.keys()):
        raise BarrierError(f"{line['id']}: {', '.join(unknown)} is no element.", verdict="cannot be read")
    if abs(np.linalg.det(lattice_a)) < 1.0:
        raise BarrierError(f"{line['id']}: the lattice encloses no volume.", verdict="cannot be read")
    atoms = Atoms(species, scaled_positions=np.vstack([frac, start]), cell=lattice_a, pbc=True)
    return Hop(id=line["id"], atoms=atoms, step_a=(end - start) @ lattice_a)


def _floats(line: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> Any:
    try:
        values = np.array(line[name], dtype=np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.shape != shape or not np.isfinite(values).all():
        raise BarrierError(
            f"{line['id']}: {name} must hold {' x '.join(map(str, shape))} finite numbers.",
            verdict="cannot be read",
        )
    return values


def barrier_row(
    line: Mapping[str, Any], potential: Potential, guide: Potential | None = None, *,
    on_step: Callable[[int], None] = lambda n: None,
) -> dict[str, Any]:  # fmt: skip
    """Return the row of one line, whatever becomes of it; `barrier_ev` is the larger of the climbs there and back.

    So the literature counts where ends differ: from the lower end to the top.
    """
    row: dict[str, Any] = dict.fromkeys(COLUMNS) | {"id": line["id"], "potential": potential.name}
    try:
        profile = scan(read_hop(line), potential, guide=guide, on_step=on_step)
    except BarrierError as error:
        return row | {"verdict": error.verdict, "error": str(error)}
    except ExplorerError as error:
        return row | {"verdict": "not possible", "error": str(error)}
    barrier_ev = max(profile.barrier_ev, profile.back_ev)
    return row | {
        "barrier_ev": barrier_ev, "barrier_std_ev": barrier_std_ev(barrier_ev, potential.name),
        "converged": profile.converged, "verdict": "hop",
    }  # fmt: skip


def line_key(line: Mapping[str, Any], potential: Potential, guide: Potential | None = None) -> str:
    """Return what a finished row is known by: the hop and the weights of the potentials."""
    text = json.dumps({name: line.get(name) for name in (*_NEEDED, "problem")}, sort_keys=True)
    used = " ".join(f"{it.name} {it.card.sha256}" for it in (potential, guide) if it is not None)
    return hashlib.sha256(f"{used} {text}".encode()).hexdigest()


def barrier_rows(
    lines: Sequence[Mapping[str, Any]], potential: Potential, kept: Path | None = None,
    guide: Potential | None = None,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Yield the row of each line; `kept` is a file of finished ones, which are not worked out again."""
    done = {} if kept is None else read_kept(kept)
    for line in lines:
        key = line_key(line, potential, guide)
        if (row := done.get(key)) is None:
            row = barrier_row(line, potential, guide)
            if kept is not None:
                with kept.open("a", encoding="utf-8") as stream:
                    stream.write("\n" + json.dumps({"key": key, "row": row}))
        yield row


def read_kept(kept: Path) -> dict[str, dict[str, Any]]:
    """Return what an earlier sitting left; a last line that was cut off is worked out again."""
    found: dict[str, dict[str, Any]] = {}
    if not kept.exists():
        return found
    for text in kept.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(text)
            found[entry["key"]] = entry["row"]
        except (json.JSONDecodeError, KeyError, TypeError):
            continue
    return found
