"""A shortlist as a file: what is written is read back, and what is none is refused with the reason."""

import json

import pytest

from core.errors import RecordError
from core.service.shortlist_file import MAX_BYTES, read_shortlist, shortlist_json


def test_what_is_written_is_read_back_in_its_order() -> None:
    notes = {"mp-2": "ask Ada about the salt, \u201cdry\u201d", "mp-9": "not on the list"}
    text = shortlist_json(["mp-2", "gnome-1"], notes, {"mp-2": "MgO"}, "1")
    assert list(read_shortlist(text.encode()).items()) == [("mp-2", notes["mp-2"]), ("gnome-1", "")]
    assert json.loads(text)["shortlist"][0]["formula"] == "MgO"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfe", "is not JSON"),
        (b"[1, 2", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is no shortlist of format 1"),
        (b'{"format": 2, "shortlist": []}', "is no shortlist of format 1"),
        (b'{"format": 1, "shortlist": {}}', "is no shortlist"),
        (b'{"format": 1, "shortlist": [{"id": "mp-1"}, {"id": "../x y"}]}', "entry 2 .* no id"),
        (b'{"format": 1, "shortlist": [3]}', "entry 1 .* no id"),
        (b'{"format": 1, "shortlist": [{"id": "mp-1", "note": 3}]}', "note of mp-1 is no text"),
        (b" " * (MAX_BYTES + 1), "200,001 bytes"),
    ],
)
def test_what_is_no_shortlist_is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        read_shortlist(data)
