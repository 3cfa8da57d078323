"""Names in Redis: one hash tag a place, the epoch in every name but the pointer's."""

from actors.keys import keys_of, lock_of, new_epoch, pointer_of


def tag_of(key: str) -> str:
    return key[key.index("{") + 1 : key.index("}")]


def test_all_keys_of_a_place_lie_in_one_slot():
    place = ("global/1", "2026-W44")
    keys = keys_of(place, "e1")
    names = [*keys.all(), pointer_of(place), lock_of(place)]
    assert {tag_of(name) for name in names} == {"global/1:2026-W44"}
    assert keys.pointer == pointer_of(place)
    assert keys.reading() == keys.all()[:4]
    assert len(set(names)) == 6


def test_another_epoch_board_or_period_shares_nothing_but_the_pointer():
    keys = set(keys_of(("global/1", "all"), "e1").all())
    assert keys & set(keys_of(("global/1", "all"), "e2").all()) == {pointer_of(("global/1", "all"))}
    assert not keys & set(keys_of(("global/2", "all"), "e1").all())
    assert not keys & set(keys_of(("global/1", "2026"), "e1").all())


def test_epochs_never_come_again_and_have_no_colon():
    epochs = {new_epoch(1_790_000_000_000) for _ in range(1_000)}
    assert len(epochs) == 1_000
    assert all(epoch.isalnum() for epoch in epochs)
