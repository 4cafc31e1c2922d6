"""The laws of the house, read off the source: which way imports run, and what core never does."""

import ast
import os
import statistics
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import SLOW_FILES

ROOT = Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "core").rglob("*.py"))
APP = sorted(path for path in (ROOT / "app").rglob("*.py") if "node_modules" not in path.parts)

# Along the line: a stage may import the stages to its left, and the foundations.
FOUNDATIONS = {"errors", "ions", "units", "settings", "provenance", "records", "artifacts", "codec"}
FOUNDATIONS |= {"quantity", "quantities", "glossary", "csv_text", "progress"}
LINE = {
    "sources": set(),
    "graphs": set(),
    "voltage": {"graphs", "sources", "potentials", "relaxation", "oxidation"},
    "oxidation": set(),
    "capacity": {"oxidation"},
    "landmarks": set(),
    "supply": set(),
    "thresholds": set(),
    "verdict": {"oxidation", "supply", "thresholds"},
    "probability": {"thresholds", "verdict"},
    "ranking": {"thresholds", "verdict", "probability", "supply"},
    "screening": {"thresholds", "verdict", "probability", "ranking"},
    "mobility": {"thresholds", "verdict", "screening"},
    "cascade": {"voltage", "capacity", "thresholds"},
    "drawing": set(),
    "diffraction": set(),
    "store": {"oxidation"},
    "potentials": set(),
    "relaxation": {"potentials"},
    "stability": {"sources", "potentials", "relaxation", "thresholds"},
    "ordering": {"potentials", "relaxation"},
    "hops": {"oxidation", "potentials"},
    "dynamics": {"potentials"},
    "transport": {"dynamics"},
    "dft": set(),
    "calculations": {
        "oxidation", "potentials", "relaxation", "stability", "ordering", "hops", "dft", "dynamics", "transport",
    },
    "dispatch": set(),
    "tasks": {
        "dispatch", "calculations", "potentials", "dft", "dynamics", "supply", "thresholds", "screening", "store",
    },
    "build": {"sources", "graphs", "voltage", "cascade", "capacity", "store"},
    "service": {
        "sources", "voltage", "cascade", "capacity", "supply", "thresholds", "verdict", "probability", "ranking",
        "screening", "mobility", "store", "potentials", "relaxation", "stability", "ordering", "hops", "dynamics",
        "transport", "calculations", "tasks", "dft", "diffraction",
        "landmarks",
    },
    "cli": {
        "sources", "graphs", "voltage", "cascade", "capacity", "thresholds", "screening", "store", "build",
        "potentials", "stability",
        "dynamics", "transport", "calculations", "tasks", "service", "dft",
    },
    "api": {"service"},
    "__main__": {"cli"},
}  # fmt: skip

UNPICKLERS = {
    "load_from_checkpoint", "ModelFromCheckpoint", "ModelFromPackage", "PackageImporter", "load_state_dict_from_url",
    "read_pickle",
}  # fmt: skip
"""Calls of others' code that unpickle what they read, without saying so."""


# What the faces may know of `core`: what the service layer decides, and what travels through it.
FACE_IMPORTS = {
    "service", "api", "drawing", "quantities", "glossary", "records", "errors", "settings", "units", "ions",
    "provenance",
}  # fmt: skip
# Commands that show what pages show too; the others make data, models and releases.
SERVICE_COMMANDS = [ROOT / "core" / "cli" / name for name in ("predict.py", "export.py")]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def stage_of(path: Path) -> str:
    part = path.relative_to(ROOT / "core").parts[0]
    return part.removesuffix(".py")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_core_never_imports_the_app(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(parse(path))}
    assert not roots & {"app", "streamlit", "plotly"}


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_imports_run_one_way(path: Path) -> None:
    stage = stage_of(path)
    if stage in FOUNDATIONS or stage == "__init__":
        allowed = FOUNDATIONS
    else:
        assert stage in LINE, (
            f"core.{stage} has no place in the line: give it one in LINE and in ARCHITECTURE.md"
        )
        allowed = FOUNDATIONS | LINE[stage] | {stage}
    used = {name.split(".")[1] for name in imported(parse(path)) if name.startswith("core.")}
    used -= {"__version__"}
    assert used <= allowed, f"core.{stage} reaches against the line: {sorted(used - allowed)}"


def core_parts(path: Path) -> set[str]:
    """The parts of `core` that a module imports, also inside its functions."""
    return {name.split(".")[1] for name in imported(parse(path)) if name.startswith("core.")} - {
        "__version__"
    }


@pytest.mark.parametrize("path", APP, ids=relative)
def test_pages_stand_on_the_service_layer(path: Path) -> None:
    assert core_parts(path) <= FACE_IMPORTS, "what a page needs of core belongs into core.service"


@pytest.mark.parametrize("path", SERVICE_COMMANDS, ids=relative)
def test_commands_that_show_stand_on_the_service_layer(path: Path) -> None:
    assert core_parts(path) <= FOUNDATIONS | {"service", "cli"}


def test_no_face_calls_another_and_the_service_calls_none() -> None:
    for path in [*APP, *CORE]:
        faces = {name for name in imported(parse(path)) if name.startswith(("core.cli", "app"))}
        own = "app" if path in APP else "core.cli" if stage_of(path) in {"cli", "__main__"} else "no face"
        assert all(name.startswith(own) for name in faces), f"{relative(path)} calls {sorted(faces)}"


def reached_from(stage: str) -> set[str]:
    """Modules of `core` that a stage imports, also inside its functions, and what those import."""
    modules = {
        relative(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in CORE
    }
    seen: set[str] = set()
    left = {name for name in modules if name == f"core.{stage}" or name.startswith(f"core.{stage}.")}
    while left:
        name = left.pop()
        seen.add(name)
        left |= {it for it in imported(parse(modules[name])) if it in modules} - seen
    return seen


@pytest.mark.parametrize("stage", ["voltage", "graphs", "build"])
def test_no_voltage_model_reads_formation_energies(stage: str) -> None:
    """A voltage is a difference of them: neither the stage of stability nor its files are within reach."""
    reached = reached_from(stage)
    assert f"core.{stage}" in reached
    assert not {name for name in reached if name.startswith("core.stability")}


def test_no_voltage_model_names_a_file_of_formation_energies() -> None:
    marks = ("precomputed/hull", "mp_formation_energies", "formation_energy_per_atom", "hull_folder")
    for path in (it for it in CORE if stage_of(it) not in {"stability", "calculations", "cli"}):
        texts = [node.value for node in ast.walk(parse(path)) if isinstance(node, ast.Constant)]
        found = [mark for mark in marks for text in texts if isinstance(text, str) and mark in text]
        assert not found, f"{relative(path)} names {found}"


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_core_has_no_assert_and_prints_only_in_the_cli(path: Path) -> None:
    for node in ast.walk(parse(path)):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}: raise an error of core.errors instead"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            assert stage_of(path) == "cli", f"line {node.lineno}: only the command line prints"


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_core_never_unpickles(path: Path) -> None:
    tree = parse(path)
    assert not {name.split(".")[0] for name in imported(tree)} & {"pickle", "cPickle", "dill", "cloudpickle"}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        keywords = {key.arg: ast.unparse(key.value) for key in node.keywords}
        called = ast.unparse(node.func).split(".")[-1]
        assert called not in UNPICKLERS, f"line {node.lineno}: {called} unpickles"
        assert keywords.get("allow_pickle", "False") == "False", f"line {node.lineno}: allow_pickle=False"
        assert ast.unparse(node.func) != "CHGNet.load", (
            f"line {node.lineno}: chgnet.load_network does not unpickle"
        )
        if ast.unparse(node.func) in {"torch.load", "load"}:
            assert keywords.get("weights_only") == "True", f"line {node.lineno}: weights_only=True"


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "torch.load(path)",
        "load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "NequIPLightningModule.load_from_checkpoint(path)",
        "ModelFromCheckpoint(path)",
        "pd.read_pickle(path)",
        "CHGNet.load()",
    ],
)
def test_the_law_against_unpickling_sees_helpers_too(line: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(AssertionError):
        test_core_never_unpickles(path)


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_no_global_random_state(path: Path) -> None:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in {"np.random.seed", "random.seed", "numpy.random.seed"}


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_records_are_frozen_and_keyword_only(path: Path) -> None:
    for node in ast.walk(parse(path)):
        if not isinstance(node, ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Name) and decorator.id == "dataclass":
                pytest.fail(f"{node.name}: dataclass(frozen=True, kw_only=True) is the house form")
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "dataclass":
                keywords = {key.arg: ast.unparse(key.value) for key in decorator.keywords}
                assert keywords.get("frozen") == "True" and keywords.get("kw_only") == "True", node.name


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_public_functions_are_typed_and_documented(path: Path) -> None:
    tree = parse(path)
    assert ast.get_docstring(tree) or path.name == "__init__.py", "a module says what it is for"
    for function in functions(tree):
        if function.name.startswith("_"):
            continue
        assert function.returns is not None, f"{function.name} states what it returns"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has a docstring"


@pytest.mark.parametrize("path", APP, ids=relative)
def test_pages_hold_no_sql_and_no_numerics(path: Path) -> None:
    tree = parse(path)
    roots = {name.split(".")[0] for name in imported(tree)}
    assert not roots & {"duckdb", "torch", "torch_geometric", "pymatgen", "ase", "sklearn", "scipy"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.strip().upper().split()
            assert not (words[:1] == ["SELECT"] and "FROM" in words), (
                f"line {node.lineno}: the store asks, a page shows"
            )


def test_every_import_is_a_pinned_requirement() -> None:
    pinned = {
        line.split("==")[0].strip().lower().replace("_", "-")
        for name in ("requirements.txt", "requirements-dft.txt")
        for line in (ROOT / name).read_text().splitlines()
        if "==" in line
    } | {"pydantic-core"}  # comes with pydantic, whose pin decides its version
    providers = packages_distributions()
    unpinned = {}
    # Baselines are cross-validated in an environment of their own, pinned in requirements-bench.txt.
    baselines = ROOT / "core" / "voltage" / "kinds" / "tabular"
    for path in (it for it in CORE + APP if it.parent != baselines):
        for name in {name.split(".")[0] for name in imported(parse(path))}:
            if name in sys.stdlib_module_names or name in {"core", "app"}:
                continue
            packages = {found.lower().replace("_", "-") for found in providers.get(name, [name])}
            if not packages & pinned:
                unpinned[name] = relative(path)
    assert unpinned == {}


def test_files_and_functions_stay_readable() -> None:
    """House numbers serve reading: the medians hold, and nothing grows far beyond the limits."""
    lengths, spans = {}, {}
    for path in CORE + APP:
        text = path.read_text(encoding="utf-8")
        lengths[relative(path)] = text.count("\n")
        for function in functions(ast.parse(text)):
            span = (function.end_lineno or function.lineno) - function.lineno + 1
            spans[f"{relative(path)}:{function.name}"] = span
    assert statistics.median(lengths.values()) < 150
    assert statistics.median(spans.values()) < 15
    assert {name: count for name, count in lengths.items() if count > 400} == {}
    assert {name: count for name, count in spans.items() if count > 60} == {}


def test_files_listed_as_slow_are_there() -> None:
    assert not [name for name in sorted(SLOW_FILES) if not (ROOT / name).is_file()]


def test_the_repository_names_no_machine_of_its_makers() -> None:
    """Nothing outside the repository but the reference data is named."""
    left_out = {".git", ".venv", "node_modules", "static", "runs", "checkpoints", "build", "__pycache__"}
    left_out |= {".venv-audit", ".venv-bench", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
    suffixes = {".py", ".md", ".toml", ".sh", ".sql", ".js", ".txt", ".json", ".yml", ""}
    marks = ["/" + "work/", "/" + "root/", "shared/" + "prototypes"]
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in left_out]
        for path in (Path(folder, name) for name in names if name not in left_out):
            if path.suffix in suffixes and path.stat().st_size < 1_000_000:
                text = path.read_text(encoding="utf-8", errors="ignore")
                assert not [mark for mark in marks if mark in text], relative(path)
