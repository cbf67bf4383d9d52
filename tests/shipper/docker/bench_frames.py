"""CPU seconds per million lines: ``python -m tests.shipper.docker.bench_frames``."""

from __future__ import annotations

import struct
import sys
import time

from shipper.docker.frames import STDOUT, Demuxer
from shipper.docker.progress import Progress
from shipper.docker.skips import SkipWatch


LINES = 300_000
READ = 200


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
    for at in range(0, len(data), 32768):
        lines = demuxer.feed(data[at : at + 32768])
    fed = time.process_time()
    lines = Demuxer().feed(data)
    looked = accepted = singly = 0.0
    progress, slow = Progress(), Progress()
    watch = SkipWatch(10_000_000, 0, time.monotonic)
    for at in range(0, len(lines), READ):
        read = lines[at : at + READ]
        begun = time.process_time()
        watch.arrived(65536, read)
        watch.next_turn(read, int(at == 0), progress, {STDOUT})
        looked += (between := time.process_time()) - begun
        run = progress.accept_all(STDOUT, [entry for _, entry in read])
        assert run is not None
        progress.depart(run, ())
        accepted += (then := time.process_time()) - between
        for _, entry in read:
            slow.accept(slow.stream(STDOUT), entry)
        singly += time.process_time() - then
    acking = time.process_time()
    progress.stream(STDOUT).cursor.acknowledge([entry for _, entry in lines])
    done = time.process_time()
    scale = 1_000_000 / LINES
    parts = {
        "feed": fed - begin,
        "look for skips": looked,
        "accept": accepted,
        "accept singly": singly,
        "ack": done - acking,
    }
    for name, seconds in parts.items():
        sys.stdout.write(f"{name} {seconds * scale:.2f} CPU s per million lines\n")


if __name__ == "__main__":
    main()
