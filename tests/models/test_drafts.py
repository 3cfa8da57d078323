"""What killed processes leave behind goes, and nothing else."""

import os
from pathlib import Path

from models.drafts import LEFT_SECONDS, draft_of, sweep


def test_only_old_drafts_of_the_same_file_are_removed(tmp_path: Path):
    path = tmp_path / "ledger[1].gz"
    names = {
        ".ledger[1].gz.41": False,
        ".ledger[1].gz.42": True,
        ".ledger1.gz.41": True,
        ".ledger[1].gz.old": True,
        "ledger[1].gz.41": True,
        "ledger[1].gz": True,
    }
    for name in names:
        (tmp_path / name).touch()
        age = 0 if name.endswith(".42") else LEFT_SECONDS + 60
        now = (tmp_path / name).stat().st_mtime
        os.utime(tmp_path / name, (now - age, now - age))
    sweep(path)
    assert {name: (tmp_path / name).exists() for name in names} == names


def test_a_draft_is_its_writers_own_and_is_swept_when_it_is_left(tmp_path: Path):
    path = tmp_path / "ledger.gz"
    drafts = {draft_of(path) for _ in range(100)}
    assert len(drafts) == 100  # containers that share a folder have one pid, 1
    for draft in drafts:
        draft.touch()
        os.utime(draft, (0, 0))
    sweep(path)
    assert list(tmp_path.iterdir()) == []
