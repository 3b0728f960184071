#!/usr/bin/env python3
"""What a Homer server is sent: read by a few lines of Python, and by sngrep, which knows HEP.

test_hep.py BUILD
"""
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

from peer import PATIENCE, Ahoyd, free_port, need, until
from phone import Phone

BUILD = pathlib.Path(sys.argv[1]).resolve()
SNGREP = need("sngrep")


def config(port, homer):
    return f"""
listen "udp:127.0.0.1:{port}"
listen "tcp:127.0.0.1:{port}"
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
workers(2)
hep("udp:127.0.0.1:{homer}", {{ id = 7 }})
"""


def read_chunks(data):
    """{type: value} of a datagram (HEP3, 3)."""
    assert data[:4] == b"HEP3" and struct.unpack(">H", data[4:6])[0] == len(data)
    chunks, at = {}, 6
    while at < len(data):
        vendor, kind, size = struct.unpack(">HHH", data[at:at + 6])
        assert vendor == 0 and kind not in chunks and 6 <= size <= len(data) - at
        chunks[kind] = data[at + 6:at + size]
        at += size
    return chunks


class Sngrep:
    """It takes HEP and writes what was in it, as packets of their true ends, into a capture."""

    def __init__(self):
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="ahoy-hep-")
        self.path = pathlib.Path(self.folder.name, "capture")
        self.process = subprocess.Popen(
            [SNGREP, "-F", "-N", "-q", "-L", f"udp:127.0.0.1:{self.port}", "-O", self.path],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.listens, "sngrep listens")

    def listens(self):
        return f"0100007F:{self.port:04X} " in pathlib.Path("/proc/net/udp").read_text()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def packets(self):
        """[(source, port, payload)] of those that it has written."""
        data, packets, at = self.path.read_bytes() if self.path.exists() else b"", [], 24
        while at + 16 <= len(data):
            size, = struct.unpack("<I", data[at + 8:at + 12])
            packet = data[at + 16:at + 16 + size]
            at += 16 + size
            if len(packet) < size:
                break
            packet = packet[packet.index(b"\x45"):]  # Behind the frame.
            port, = struct.unpack(">H", packet[20:22])
            packets.append((socket.inet_ntoa(packet[12:16]), port, packet[28:]))
        return packets


class Hep(unittest.TestCase):
    def setUp(self):
        self.homer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.homer.close)
        self.homer.bind(("127.0.0.1", 0))
        self.homer.settimeout(PATIENCE)
        self.datagrams = []
        self.port = free_port()
        self.server = Ahoyd(BUILD, config(self.port, self.homer.getsockname()[1]))
        self.addCleanup(self.server.__exit__)

    def test_messages_are_copied_without_secrets(self):
        sent = []
        for transport, protocol in (("udp", 17), ("tcp", 6)):
            alice = Phone("alice", self.port, transport)
            self.addCleanup(alice.close)
            alice.send("MESSAGE", "sip:nobody:secret@atlanta.example",
                       {"id": f"call-{transport}", "to": "nobody"},
                       ['Proxy-Authorization: Digest username="alice", response="0a1b"'])
            alice.read(404)
            came, went = self.read(), self.read()
            self.assertEqual((came[1], came[2], came[11], came[12]),
                             (b"\x02", bytes([protocol]), b"\x01", struct.pack(">I", 7)))
            self.assertEqual((came[3], came[4]), (socket.inet_aton("127.0.0.1"),) * 2)
            phone_port = struct.pack(">H", alice.connection.getsockname()[1])
            self.assertEqual((came[7], came[8]), (phone_port, struct.pack(">H", self.port)))
            self.assertEqual((went[7], went[8]), (came[8], came[7]))
            self.assertLessEqual(struct.unpack(">I", came[9]), struct.unpack(">I", went[9]))
            self.assertEqual(came[17], f"call-{transport}".encode())
            self.assertTrue(came[15].startswith(
                b"MESSAGE sip:nobody:***@atlanta.example SIP/2.0\r\n"))
            self.assertIn(b'response="***"', came[15])
            self.assertTrue(went[15].startswith(b"SIP/2.0 404 "))
            sent += [("127.0.0.1", alice.connection.getsockname()[1], came[15]),
                     ("127.0.0.1", self.port, went[15])]
        until(lambda: "\nahoyd_hep_sent_total 4\n" in self.server.ctl("metrics").stdout, "a count")
        with Sngrep() as sngrep:
            for datagram in self.datagrams:
                self.homer.sendto(datagram, ("127.0.0.1", sngrep.port))
            until(lambda: sngrep.packets() == sent, "sngrep has them all")

    def read(self):
        self.datagrams.append(self.homer.recv(65536))
        return read_chunks(self.datagrams[-1])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
