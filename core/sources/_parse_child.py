"""The child process that parses untrusted files: `python -m core.sources._parse_child '{"cpu_s": 5, ...}'`.

It reads requests `{"kind", "text"}` and writes answers `{"lattice", "species", "frac"}` or `{"error"}`, one JSON object
a line. To the first file that calls for pymatgen it answers `{"load": true}`: it is to be asked again after a request
of the kind `load`, which has a clock of its own.
What it may use is set by the kernel, so a parser that loops or swells ends without its parent.
"""

import json
import math
import os
import resource
import sys
from importlib import import_module
from typing import Any, Final

from core.errors import ExplorerError
from core.sources.limits import START_S, ParseLimits

_AT_ONCE: Final = ("ase.data", "gemmi", "core.sources.cif")
_LIBRARIES: Final = (*_AT_ONCE, "spglib", "pymatgen.io.cif", "pymatgen.io.vasp.inputs")


def main() -> None:
    """Answer requests until the input ends."""
    limits = ParseLimits(**json.loads(sys.argv[1]))
    _confine(limits)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # a library's chatter is no answer
    for name in _AT_ONCE:
        import_module(name)
    answers.write("{}\n")
    for line in sys.stdin.buffer:
        request = json.loads(line)
        answers.write(json.dumps(_answer(request["kind"], request["text"], limits)) + "\n")


def _confine(limits: ParseLimits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _needs_pymatgen(kind: str, text: str) -> bool:
    from core.sources.cif_tags import strict_blocks

    return kind != "CIF" or strict_blocks(text) is None


def _load_libraries() -> None:
    """Pay for imports outside the clock of a file."""
    for name in _LIBRARIES:
        import_module(name)


def _allow_cpu(seconds: float) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _answer(kind: str, text: str, limits: ParseLimits) -> dict[str, Any]:
    if kind == "load":
        _allow_cpu(START_S)
        _load_libraries()
        return {}
    _allow_cpu(limits.cpu_s)
    try:
        if _LIBRARIES[-1] not in sys.modules and _needs_pymatgen(kind, text):
            return {"load": True}
        return _parse(kind, text, limits.max_sites)
    except ExplorerError as error:
        return {"error": str(error)}
    except MemoryError:
        return {
            "error": f"Reading it takes more than {limits.memory_bytes >> 20} MB of memory; simplify the file."
        }
    except (
        Exception
    ) as error:  # an untrusted file may break a library anywhere; its own words may hold the file's
        return {
            "error": f"The file cannot be read as {kind} ({type(error).__name__}); check that it is complete."
        }


def _parse(kind: str, text: str, max_sites: int) -> dict[str, Any]:
    if kind == "CIF":
        from core.sources.cif import parse_cif

        return parse_cif(text, max_sites)
    if kind == "POSCAR":
        from core.sources.poscar import parse_poscar

        return parse_poscar(text, max_sites)
    from core.sources.plain import crystal_from_dict, loads

    data = loads(text)
    crystal = crystal_from_dict(data, id="structure", source="file", max_sites=max_sites)
    return {
        "lattice": crystal.lattice_a.tolist(),
        "species": crystal.species,
        "frac": crystal.frac.tolist(),
        "formula": crystal.formula,
        "spacegroup": crystal.spacegroup,
        "e_above_hull": crystal.e_above_hull_ev_per_atom,
        "working_ion": crystal.working_ion,
    }


if __name__ == "__main__":
    main()
