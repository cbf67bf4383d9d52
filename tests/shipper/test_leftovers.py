from __future__ import annotations

from pathlib import Path

from hypothesis import given, strategies as st

from shipper.leftovers import LeftOver, Leftovers, pack, unpack
from shipper.pipeline.entry import Entry, Labels
from shipper.spool.volume import Volume

from .sink import Sink


texts = st.text(st.characters(codec="utf-8"))
pairs = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
entries = st.builds(Entry, st.integers(0, 2**62), st.binary(max_size=20), pairs)


@given(st.lists(st.tuples(pairs, entries), max_size=5))
def test_lines_are_read_as_written(lines: list[LeftOver]) -> None:
    assert list(unpack(pack(lines))) == lines


LABELS: Labels = (("job", "syslog"),)
LINES = [(LABELS, Entry(at, b"line %d" % at)) for at in range(2500)]


async def test_what_is_left_over_is_put_again(tmp_path: Path) -> None:
    volume = Volume(str(tmp_path / "spool"), 1 << 20)
    assert await Leftovers(volume).save_lines(LINES) == len(LINES)
    await volume.close()
    # It stays until all of it is acknowledged.
    for owed in (10, None):
        volume, sink = Volume(str(tmp_path / "spool"), 1 << 20), Sink(holds=True)
        leftovers = Leftovers(volume)
        await leftovers.put_again(sink)
        assert sink.entries == LINES
        sink.acknowledge(owed)
        await leftovers.tick()
        await volume.close()
    assert list((tmp_path / "spool").rglob("*.blocks")) == []


async def test_what_finds_no_room_stays_in_memory(tmp_path: Path) -> None:
    volume = Volume(str(tmp_path / "spool"), 25_000)
    kept = await Leftovers(volume).save_lines(LINES)
    assert 0 < kept < len(LINES)
    await volume.close()


async def test_nothing_left_over(tmp_path: Path) -> None:
    volume, sink = Volume(str(tmp_path / "spool"), 1 << 20), Sink()
    leftovers = Leftovers(volume)
    await leftovers.put_again(sink)
    await leftovers.tick()
    await volume.close()
    assert sink.entries == []
    assert not (tmp_path / "spool").exists()
