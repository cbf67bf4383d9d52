"""CPU seconds per million lines: ``python -m tests.shipper.docker.bench_frames``."""

from __future__ import annotations

import struct
import sys
import time

from shipper.docker.frames import STDOUT, Demuxer
from shipper.docker.progress import Progress
from shipper.docker.skips import SkipWatch


LINES = 300_000


def main() -> None:
    frames = []
    for number in range(LINES):
        second, nanos = divmod(number * 10_000, 1_000_000_000)
        text = b"2026-11-22T15:09:%02d.%09dZ " % (second, nanos)
        text += b"x" * 90 + b"\n"
        frames.append(struct.pack(">BxxxL", 1, len(text)) + text)
    data = b"".join(frames)
    demuxer = Demuxer()
    begin = time.process_time()
    for at in range(0, len(data), 65536):
        lines = demuxer.feed(data[at : at + 65536])
    fed = time.process_time()
    lines = Demuxer().feed(data)
    looked = accepted = 0.0
    progress = Progress()
    stream = progress.stream(STDOUT)
    watch = SkipWatch(10_000_000, 0, time.monotonic)
    for at in range(0, len(lines), 500):
        read = lines[at : at + 500]
        begun = time.process_time()
        watch.arrived(65536, read)
        watch.next_turn(read, int(at == 0), progress, {STDOUT})
        looked += (between := time.process_time()) - begun
        for _, entry in read:
            checksum, _ = progress.accept(stream, entry)
            progress.depart(stream, entry, checksum or 0, ())
        accepted += time.process_time() - between
    acking = time.process_time()
    stream.cursor.acknowledge([entry for _, entry in lines])
    done = time.process_time()
    scale = 1_000_000 / LINES
    parts = {
        "feed": fed - begin,
        "look for skips": looked,
        "accept": accepted,
        "ack": done - acking,
    }
    for name, seconds in parts.items():
        sys.stdout.write(f"{name} {seconds * scale:.2f} CPU s per million lines\n")


if __name__ == "__main__":
    main()
