#!/usr/bin/env python3
"""Attacks that need a real kernel: connections that crawl, vanish or flood, and the control socket.
The others are unit tests; docs/attacks.md names the test of each.

test_attacks.py BUILD
"""
import json
import os
import select
import socket
import stat
import struct
import sys
import time
import unittest

from peer import PATIENCE, Ahoyd, free_port, is_sanitized, status_of

BUILD = sys.argv[1]


def request(method, number, port, uri="sip:bob@atlanta.example", more=""):
    return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:{port};branch=z9hG4bKat{number}"
            f"\r\nFrom: <sip:mallory@evil.example>;tag=m{number}\r\nTo: <{uri}>\r\n"
            f"Call-ID: attack-{number}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n{more}"
            f"Contact: <sip:mallory@127.0.0.1:{port}>\r\nContent-Length: 0\r\n\r\n").encode()


class Attacks(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.server = Ahoyd(BUILD, f"""listen "udp:127.0.0.1:{self.port}"
listen "tcp:127.0.0.1:{self.port}"
domain("atlanta.example")
store "memory:"
workers(1)
""")
        self.addCleanup(self.server.__exit__)

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port))
        self.addCleanup(connection.close)
        return connection

    def is_serving(self):
        """Whether a request from somebody else is still served: sent again while it is not
        answered, as any client does over UDP (17.1.2.2), since a datagram into a full socket is
        lost; and made anew where a flood is just behind the server, which says 503 (21.5.4)."""
        deadline = time.monotonic() + PATIENCE
        status = None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            while status in (None, 503) and time.monotonic() < deadline:
                if status == 503:
                    time.sleep(0.5)
                status = self.ask(udp)
        return status == 200

    def ask(self, udp):
        """The status that an OPTIONS is answered by, None where it is not."""
        message = request("OPTIONS", time.monotonic_ns(), udp.getsockname()[1],
                          "sip:atlanta.example").replace(b"2.0/TCP", b"2.0/UDP")
        for _ in range(PATIENCE):
            udp.sendto(message, ("127.0.0.1", self.port))
            if select.select([udp], [], [], 0.5)[0]:
                return status_of(udp.recv(65536))
        return None

    def ends(self, connection, seconds):
        """How long it took the server to close the connection; None where it did not."""
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            if select.select([connection], [], [], 0.2)[0]:
                try:
                    if not connection.recv(65536):
                        return time.monotonic() - begin
                except ConnectionError:
                    return time.monotonic() - begin
        return None

    @unittest.skipIf(is_sanitized(BUILD), "a sanitizer takes memory of its own")
    def test_row_2_content_length_takes_no_memory(self):
        before = 0
        for number in range(40):
            if number == 20:  # What any message takes is taken: the first page of a worker's notes.
                before = self.server.rss_kb()
            connection = self.connect()
            connection.sendall(request("OPTIONS", number, 1).replace(
                b"Content-Length: 0", b"Content-Length: 2147483648"))
            self.assertEqual(status_of(connection.recv(65536)), 413)
            self.assertIsNotNone(self.ends(connection, 10))
        self.assertLess(self.server.rss_kb() - before, 64 + 256)
        self.assertTrue(self.is_serving())

    def test_row_44_peers_that_vanish(self):
        for number in range(200):
            connection = socket.create_connection(("127.0.0.1", self.port))
            connection.sendall(request("INVITE", number, 1) * (1 + number % 3))
            # A reset instead of an orderly end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        self.assertTrue(self.is_serving())
        self.assertTrue(self.server.alive())

    def test_row_45_a_byte_a_second(self):
        connection = self.connect()
        message = request("OPTIONS", 1, 1)
        begin = time.monotonic()
        closed = None
        for byte in message:
            try:
                connection.sendall(bytes([byte]))
            except ConnectionError:
                closed = time.monotonic() - begin
                break
            if self.ends(connection, 1) is not None:
                closed = time.monotonic() - begin
                break
            if time.monotonic() - begin > 40:
                break
        self.assertIsNotNone(closed, "a crawling connection was not closed")
        self.assertGreater(closed, 5)

    def test_row_45_connections_an_address(self):
        held = [self.connect() for _ in range(32)]
        time.sleep(0.3)
        self.assertIsNotNone(self.ends(self.connect(), 5), "the 33rd connection was kept")
        self.assertIsNone(self.ends(held[0], 0.5))
        self.assertTrue(self.is_serving())

    @unittest.skipIf(is_sanitized(BUILD), "a sanitizer takes memory of its own")
    def test_row_55_a_flood_takes_bounded_memory(self):
        def flood(udp):
            port = udp.getsockname()[1]
            for number in range(30000):
                udp.sendto(request("REGISTER", number, port, "sip:atlanta.example"),
                           ("127.0.0.1", self.port))
            self.assertTrue(self.is_serving())
            return self.server.rss_kb()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            first = flood(udp)
            self.assertLess(first, 40 * 1024)
            self.assertLess(flood(udp) - first, 2 * 1024)  # More of it takes no more.

    def test_row_58_the_control_socket(self):
        path = self.server.path / "ahoyd.sock"
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        for garbage in [b"\0" * 70000, b"{" * 65535 + b"\n", b"[1,2]\n", b'{"verb":7}\n', b"\n",
                        b'{"verb":"user-add","user":"a@b","realm":""}\n', b"\xff\xfe\n"]:
            with socket.socket(socket.AF_UNIX) as control:
                control.settimeout(10)
                control.connect(str(path))
                try:
                    control.sendall(garbage)
                    answer = control.makefile().readline()
                except ConnectionError:
                    answer = '{"ok":false}'
                self.assertFalse(json.loads(answer or '{"ok":false}')["ok"])
        self.assertEqual(self.server.ctl("user", "list").returncode, 0)
        if os.geteuid() == 0:
            pid = os.fork()
            if pid == 0:
                os.setuid(65534)
                with socket.socket(socket.AF_UNIX) as control:
                    os._exit(0 if control.connect_ex(str(path)) != 0 else 1)
            self.assertEqual(os.waitpid(pid, 0)[1], 0, "another user could connect")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
