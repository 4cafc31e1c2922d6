"""Releases that are swapped under a reader, written by a process that is killed or starved, or damaged in any way.

That rows without provenance, with NaN or out of range are refused is held by `tests/store/test_writer.py`.
"""

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from core.errors import (
    ReleaseDamagedError,
    ReleaseNotFoundError,
    SchemaVersionError,
    StoreError,
    StoreWriteError,
)
from core.provenance import sha256_of_file
from core.settings import ROOT
from core.store import Reader, ReleaseWriter, current_version, open_reader, read_manifest
from core.store.release import verified_path, write_manifest
from tests.store.small_release import make_release


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pristine")
    make_release(folder, "1")
    return folder


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "precomputed"))


def database(folder: Path) -> Path:
    return folder / "release-1.duckdb"


def edit_manifest(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def sign_again(folder: Path) -> None:
    """Make manifest and database agree, so that only what lies behind the checksum is at fault."""
    path = database(folder)
    edit_manifest(folder, sha256=sha256_of_file(path), size_bytes=path.stat().st_size)


def flip_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x01
    path.write_bytes(data)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (lambda f: os.truncate(database(f), 5000), "has 5000 bytes"),
    "empty": (lambda f: database(f).write_bytes(b""), "has 0 bytes"),
    "absent": (lambda f: database(f).unlink(), "is absent"),
    "flipped": (lambda f: flip_byte(database(f)), "SHA-256"),
    "garbage of the same size": (
        lambda f: database(f).write_bytes(b"\x00" * database(f).stat().st_size),
        "SHA-256",
    ),
    "garbage, signed": (
        lambda f: (database(f).write_bytes(b"no database" * 999), sign_again(f)),
        "cannot open",
    ),
    "manifest garbage": (lambda f: (f / "manifest.json").write_bytes(b"\x00\xff\x00"), "cannot be read"),
    "manifest cut": (lambda f: (f / "manifest.json").write_text('{"file": '), "is not JSON"),
    "manifest a list": (lambda f: (f / "manifest.json").write_text("[]"), "not a JSON object"),
    "manifest lacks": (
        lambda f: (f / "manifest.json").write_text('{"schema_version": 2}'),
        "version: Field required",
    ),
    "manifest a folder": (
        lambda f: ((f / "manifest.json").unlink(), (f / "manifest.json").mkdir()),
        "cannot be read",
    ),
    "path in the manifest": (lambda f: edit_manifest(f, file="../../etc/passwd"), "not a release's name"),
    "number for a name": (lambda f: edit_manifest(f, version=3), "version: Input should be a valid string"),
    "no checksum": (lambda f: edit_manifest(f, sha256=""), "64 hex digits"),
    "size as text": (
        lambda f: edit_manifest(f, size_bytes="1"),
        "size_bytes: Input should be a valid integer",
    ),
    "negative size": (lambda f: edit_manifest(f, size_bytes=-1), "whole number"),
    "unknown field": (lambda f: edit_manifest(f, mood="good"), "unknown fields 'mood'"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_release_says_what_and_what_to_do(folder: Path, name: str) -> None:
    damage, words = DAMAGES[name]
    damage(folder)
    with pytest.raises(ReleaseDamagedError, match=words) as caught:
        open_reader(folder)
    assert "git checkout" in str(caught.value)
    assert isinstance(caught.value, StoreError)


@pytest.mark.parametrize("where", ["", "nowhere", "manifest.json/x"])
def test_absent_release(tmp_path: Path, where: str) -> None:
    (tmp_path / "manifest.json").write_text("{}") if "manifest" in where else None
    with pytest.raises(ReleaseNotFoundError, match="No database release"):
        open_reader(tmp_path / where)


@pytest.mark.parametrize("schema", [3, 0, None, "1"])
def test_other_schema_in_the_manifest(folder: Path, schema: object) -> None:
    edit_manifest(folder, schema_version=schema)
    with pytest.raises(SchemaVersionError, match="reads schema 2: update the explorer"):
        open_reader(folder)


def test_older_schema_names_the_command_that_mends_it(folder: Path) -> None:
    edit_manifest(folder, schema_version=1)
    with pytest.raises(SchemaVersionError, match="`python -m core migrate-release`"):
        open_reader(folder)


def test_newer_schema_in_the_database(folder: Path) -> None:
    with duckdb.connect(str(database(folder))) as connection:
        connection.execute("UPDATE release SET schema_version = 3")
    sign_again(folder)
    with pytest.raises(SchemaVersionError, match="database schema 3"):
        open_reader(folder)


@pytest.mark.parametrize(
    ("sql", "words"), [("DROP TABLE release", "no release table"), ("DELETE FROM release", "is empty")]
)
def test_database_without_release_row(folder: Path, sql: str, words: str) -> None:
    with duckdb.connect(str(database(folder))) as connection:
        connection.execute(sql)
    sign_again(folder)
    with pytest.raises(ReleaseDamagedError, match=words):
        open_reader(folder)


def test_damage_after_a_good_open_is_seen_on_the_next(folder: Path) -> None:
    open_reader(folder).close()
    flip_byte(database(folder))
    with pytest.raises(ReleaseDamagedError, match="SHA-256"):
        open_reader(folder)


def test_unreadable_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("core.store.release.sha256_of_file", refuse)
    with pytest.raises(ReleaseDamagedError, match="Permission denied"):
        open_reader(folder)


def test_checksum_costs_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = read_manifest(folder)
    verified_path(folder, manifest)
    monkeypatch.setattr("core.store.release.sha256_of_file", lambda path: pytest.fail("hashed again"))
    assert verified_path(folder, manifest) == database(folder)


def test_readers_live_through_a_swap(folder: Path) -> None:
    """Other processes read while the release is swapped: each sees one whole release."""
    script = """
        import sys
        from pathlib import Path
        from core.store import open_reader
        reader = open_reader(Path(sys.argv[1]))
        print(reader.release.version, flush=True)
        sys.stdin.readline()
        print(len(reader.screen()), open_reader(Path(sys.argv[1])).release.version, flush=True)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(folder)], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline().split() == ["1"]
        make_release(folder, "2")
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline().split() == ["5", "2"]
    assert process.returncode == 0


KILLED_WRITER = """
    import os, signal, sys
    from pathlib import Path
    from core.store import ReleaseWriter
    from core.store import draft as module

    sys.path.insert(0, "tests/store")
    from small_release import fill

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    if sys.argv[2] == "before the manifest":
        module.write_manifest = die
    with ReleaseWriter(Path(sys.argv[1]), version="2") as writer:
        fill(writer)
        if sys.argv[2] == "inside the transaction":
            die()
        writer.publish()
"""


@pytest.mark.parametrize("moment", ["inside the transaction", "before the manifest"])
def test_killed_writer_leaves_the_old_release(folder: Path, moment: str) -> None:
    before = sha256_of_file(database(folder))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED_WRITER), str(folder), moment], cwd=ROOT, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert sha256_of_file(database(folder)) == before
    with open_reader(folder) as reader:
        assert (reader.release.version, len(reader.screen())) == ("1", 5)
    make_release(folder, "3")  # the dead writer's lock is free, and its half-built file goes
    assert current_version(folder) == "3"
    assert not list(folder.glob(".building*"))


STARVED_WRITER = """
    import resource, signal, sys
    from pathlib import Path
    from core.errors import StoreWriteError
    from core.provenance import Provenance
    from core.records import Skipped
    from core.store import ReleaseWriter

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    try:
        with ReleaseWriter(Path(sys.argv[1]), version="2") as writer:
            made_by = writer.add_provenance(Provenance(kind="test"))
            writer.add_skipped((Skipped(id=str(i), reason=str(i)) for i in range(200_000)), provenance_id=made_by)
            writer.publish()
    except StoreWriteError as error:
        print(error)
"""


def test_full_disk_leaves_the_old_release(folder: Path) -> None:
    """A limit on file size stands in for a full disk: the write itself fails."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(STARVED_WRITER), str(folder)], cwd=ROOT, text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    assert "could not be written" in done.stdout
    assert "disk has room" in done.stdout
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "manifest.json", "release-1.duckdb"]
    with open_reader(folder) as reader:
        assert reader.release.version == "1"


def test_full_disk_at_the_swap(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("core.store.draft.write_manifest", full)
    with pytest.raises(StoreWriteError, match="No space left"):
        make_release(folder, "2")
    assert current_version(folder) == "1"


def test_full_disk_at_the_manifest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    manifest = read_manifest(folder)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_manifest(folder, manifest)
    assert read_manifest(folder) == manifest
    assert not list(folder.glob(".manifest*"))


def test_read_only_folder() -> None:
    """/proc refuses files from everyone, root included."""
    proc = Path("/proc")
    if not proc.is_dir():
        pytest.skip("no /proc here")
    with pytest.raises(StoreWriteError, match="could not be written"):
        make_release(proc / "precomputed", "1")
    with pytest.raises(StoreWriteError, match="could not be written"), ReleaseWriter(proc, version="1"):
        pytest.fail("opened for writing")


def test_extending_a_damaged_release_is_refused(folder: Path) -> None:
    flip_byte(database(folder))
    with pytest.raises(ReleaseDamagedError), ReleaseWriter(folder, version="2", extend=True):
        pytest.fail("opened for writing")


def test_reader_on_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "release-x.duckdb"
    path.write_text("hello")
    with pytest.raises(ReleaseDamagedError, match="DuckDB cannot open it"):
        Reader(path, sha256="0" * 64)
