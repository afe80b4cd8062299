"""A disk whose every write and flush is recorded, and the disks that a power cut could have left.

Between a file system and its disk image stands QEMU's storage daemon, which writes a log as the kernel's dm-log-writes does
(Documentation/admin-guide/device-mapper/log-writes.rst). What was written before a flush that had ended is on the disk after a
power cut. Of what was written later, a drive with a cache keeps all, nothing, or any part.
"""

import os
import signal
import struct
from pathlib import Path

from machine import tool, wait_for

HEADER = struct.Struct("<QQQQ")
SECTOR = 512
FLUSH, DISCARD = 1, 4
# A drive writes so much at once or not at all.
ATOM = 4096
KEPT = ("all", "nothing", "a part")


class RecordedDisk:
    """A disk image as a block device; what is written to it is recorded."""

    def __init__(self, image, log):
        self.log, self.end = log, SECTOR
        self.mountpoint, self.pid_file = Path(f"{image}.export"), Path(f"{image}.pid")
        for path, size in ((log, 16 << 30), (self.mountpoint, 0)):
            with open(path, "wb") as file:
                file.truncate(size)
        tool(
            "qemu-storage-daemon", "--daemonize", "--pidfile", self.pid_file,
            "--blockdev", f"driver=file,node-name=image,filename={image}",
            "--blockdev", f"driver=file,node-name=log,filename={log}",
            "--blockdev", f"driver=blklogwrites,node-name=recorded,file=image,log=log,log-sector-size={SECTOR}",
            "--export", f"type=fuse,id=export,node-name=recorded,mountpoint={self.mountpoint},writable=on",
        )
        self.device = tool("losetup", "--find", "--show", self.mountpoint).strip()

    def position(self):
        """The end of what was recorded until now."""
        self.end = positions(self.log, self.end)[-1]
        return self.end

    def close(self):
        tool("losetup", "--detach", self.device)
        daemon = int(self.pid_file.read_text())
        os.kill(daemon, signal.SIGTERM)
        wait_for(30, lambda: not Path(f"/proc/{daemon}").exists())
        self.mountpoint.unlink()


def entries(log, position):
    """The entries of a log from this position on, each with the position of its end."""
    while True:
        log.seek(position)
        header = HEADER.unpack(log.read(HEADER.size))
        _, sectors, flags, _ = header
        if not sectors and not flags:
            return
        data = position + SECTOR
        position = data + (0 if flags & DISCARD else sectors * SECTOR)
        yield (header, data), position


class Replay:
    """Goes through a log, and makes the disk that a power cut at a position leaves."""

    def __init__(self, original, log, image):
        self.log, self.image = open(log, "rb"), image
        tool("cp", "--sparse=always", original, image)
        self.disk = open(image, "r+b")
        self.position, self.pending = SECTOR, []

    def advance(self, position):
        """Replays what was recorded up to this position: what was flushed is on the disk, what was not is pending."""
        for ((sector, sectors, flags, _), data), end in entries(self.log, self.position):
            if end > position:
                return
            self.position = end
            if flags & FLUSH:
                write(self.disk, self.pending)
                self.pending = []
            if sectors:
                self.log.seek(data)
                text = bytes(sectors * SECTOR) if flags & DISCARD else self.log.read(sectors * SECTOR)
                self.pending.append((sector * SECTOR, text))

    def cut(self, kept, chance):
        """The disk after a power cut here, of which the drive's cache kept all, nothing or a part."""
        cut = Path(f"{self.image}.cut")
        self.disk.flush()
        tool("cp", "--sparse=always", self.image, cut)
        with open(cut, "r+b") as disk:
            if kept == "all":
                write(disk, self.pending)
            elif kept == "a part":
                atoms = [(at + i, text[i:i + ATOM]) for at, text in self.pending for i in range(0, len(text), ATOM)]
                write(disk, [atom for atom in atoms if chance.random() < 0.5])
        return cut

    def close(self):
        self.log.close()
        self.disk.close()
        self.image.unlink()


def write(disk, writes):
    for at, text in writes:
        disk.seek(at)
        disk.write(text)
    disk.flush()


def positions(log, begin, end=None, flags=None):
    """The positions up to the end, `begin` among them, at which an entry ends; with `flags`, one that has these."""
    with open(log, "rb") as file:
        found = [at for ((_, _, has, _), _), at in entries(file, begin) if (end is None or at <= end) and (flags is None or has & flags)]
    return [begin, *found]
