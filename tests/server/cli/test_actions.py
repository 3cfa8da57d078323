"""`laurel actions`: what goes out comes in again, what is wrong changes nothing."""

import errno
import io
import json
import sys
from pathlib import Path

import pytest

from models.catalogue_file import SAMPLE

TABLE = SAMPLE.with_suffix(".csv")


@pytest.fixture
def sample(run):
    """The sample catalogue, as it was brought."""
    assert run("actions", "import", SAMPLE).code == 0


def test_import_says_what_changed(run, tmp_path: Path):
    first = run("actions", "import", TABLE)
    assert first.lines[-1] == "0 unchanged"
    assert "added sprint" in first.lines
    assert run("actions", "import", SAMPLE).lines == ["10 unchanged"]
    changed = [
        {"actionId": "duel", "title": "Win a duel", "points": 30, "minSeconds": 10, "maxSeconds": 600},
        {"actionId": "hop", "title": "Hop", "points": 1},
    ]
    file = tmp_path / "some.json"
    file.write_text(json.dumps({"actions": changed}))
    assert run("actions", "import", file).lines == ["revised duel (revision 2)", "added hop", "0 unchanged"]
    changed[1]["enabled"] = False
    file.write_text(json.dumps({"actions": changed}))
    assert run("actions", "import", file).lines == ["switched hop off", "1 unchanged"]
    exported = json.loads(run("actions", "export", "-").out)["actions"]
    assert len(exported) == 11


def test_an_import_of_what_is_new_changes_nothing(run, sample, tmp_path: Path):
    file = tmp_path / "some.json"
    changed = {"actionId": "duel", "title": "Win a duel", "points": 31, "minSeconds": 10, "maxSeconds": 600}
    added = {"actionId": "leap", "title": "Leap", "points": 1}
    file.write_text(json.dumps({"actions": [changed, added]}))
    before = json.loads(run("actions", "export", "-").out)["actions"]
    assert run("actions", "import", "--only-new", file).lines == ["added leap", "1 unchanged"]
    after = json.loads(run("actions", "export", "-").out)["actions"]
    assert [action for action in after if action["actionId"] != "leap"] == before
    assert run("actions", "import", "--only-new", file).lines == ["2 unchanged"]


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_export_is_what_import_takes(run, sample, tmp_path: Path, suffix: str):
    file = tmp_path / f"actions.{suffix}"
    assert run("actions", "export", file).code == 0
    assert run("actions", "import", file).lines[-1].endswith(" unchanged")
    assert len(run("actions", "import", file).lines) == 1


def test_standard_input_and_output_are_json(run, sample, monkeypatch: pytest.MonkeyPatch):
    text = run("actions", "export", "-").out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + text.encode())))
    assert len(run("actions", "import", "-").lines) == 1


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "actionId,title,points\nhop2,Hop,1\nskip,Skip,many\n", ["line 3", "points"]),
        ("a.csv", "actionId,title,colour\nhop2,Hop,red\n", ["line 2", "colour"]),
        ("a.csv", "actionId,title,points\nhop2,Hop,1\nhop2,Hop,2\n", ["'hop2': stands twice"]),
        ("a.json", '{"actions": [{"actionId": "hop2", "title": "Hop", "points": "1"}]}', ["$.actions[0].points"]),
        ("a.json", '{"actions": [{"actionId": "hop2", "title": "Hop", "points": -1}]}', ["'hop2': points must lie"]),
        ("a.json", '{"actions": [', ["truncated"]),
        ("a.json", b"\xff", ["not UTF-8 at byte 0"]),
        ("a.csv", None, ["cannot read"]),
    ],
)
def test_wrong_file_changes_nothing(run, sample, tmp_path: Path, name: str, text: str | bytes | None, words: list[str]):
    before = run("actions", "export", "-").out
    file = tmp_path / name
    if text is not None:
        file.write_bytes(text.encode() if isinstance(text, str) else text)
    complaint = run("actions", "import", file).complaint
    assert str(file) in complaint
    assert all(word in complaint for word in words)
    assert run("actions", "export", "-").out == before


def test_an_export_that_has_no_room_leaves_what_was_there(run, sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "actions.json"
    file.write_text("what was there")

    def full(path: Path, text: str, **_: object) -> None:
        with path.open("w") as begun:
            begun.write(text[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert "No space left" in run("actions", "export", file).complaint
    assert [path.name for path in tmp_path.iterdir()] == ["actions.json"]
    assert file.read_text() == "what was there"


def test_unwritable_file_is_one_line(run, sample, tmp_path: Path):
    assert "cannot write" in run("actions", "export", tmp_path / "no" / "a.json").complaint


@pytest.mark.parametrize("arguments", [["import", "a.txt"], ["export"], ["delete", "a.json"]])
def test_wrong_usage_is_2(run, arguments: list[str]):
    assert run("actions", *arguments).code == 2
