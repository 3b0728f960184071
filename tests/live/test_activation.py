#!/usr/bin/env python3
"""Sockets that systemd has opened: a parent does here what it does (sd_listen_fds(3)).

test_activation.py BUILD
"""
import os
import pathlib
import re
import socket
import sys
import unittest

from peer import PATIENCE, Ahoyd, free_port, status_of
from phone import Phone

BUILD = sys.argv[1]
# Descriptors from 3 on, and the process that they are for: which is known only in it.
PARENT = """\
import os, sys
fds, pid, command = sys.argv[1].split(","), sys.argv[2], sys.argv[3:]
kept = [os.dup(int(fd)) for fd in fds]
high = [os.dup2(fd, 100 + at) for at, fd in enumerate(kept)]
for at, fd in enumerate(high):
    os.dup2(fd, 3 + at)
os.closerange(3 + len(high), 256)
os.environ.update(LISTEN_FDS=str(len(high)), LISTEN_PID=pid or str(os.getpid()))
os.execv(command[0], command)
"""
CONFIG = """\
listen "udp:127.0.0.1:{port}"
listen "tcp:127.0.0.1:{port}"
domain("atlanta.example", {{ auth = "none", insecure = true }})
store "memory:"
workers({workers})
"""
OPTIONS = ("OPTIONS sip:atlanta.example SIP/2.0\r\n"
           "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1\r\n"
           "From: <sip:a@atlanta.example>;tag=1\r\nTo: <sip:atlanta.example>\r\n"
           "Call-ID: early\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
           "Content-Length: 0\r\n\r\n")


def opened(kind, port, family=socket.AF_INET, shared=False, host=None, dual=False):
    made = socket.socket(family, kind)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual)
    if shared:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((host or ("127.0.0.1" if family == socket.AF_INET else "::1"), port))
    if kind == socket.SOCK_STREAM:
        made.listen()
    return made


def inode(fd):
    return os.fstat(fd).st_ino


class Activation(unittest.TestCase):
    def setUp(self):
        self.port = free_port()

    def open(self, kind, port=None, **options):
        made = opened(kind, port or self.port, **options)
        self.addCleanup(made.close)
        return made

    def serve(self, sockets, workers=2, pid="", more=""):
        fds = [each.fileno() for each in sockets]
        before = [sys.executable, "-c", PARENT, ",".join(map(str, fds)), pid]
        server = Ahoyd(BUILD, CONFIG.format(port=self.port, workers=workers) + more,
                       before=before, fds=fds)
        self.addCleanup(server.__exit__)
        return server

    def assert_bound(self, server, those, others=0):
        """Its sockets of our port that are bound but not connected are |those|, and so many more.
        Only root sees the descriptors of a process that leaves no core."""
        if os.geteuid() != 0:
            return
        own = set()
        for fd in pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir():
            try:
                own |= set(re.findall(r"^socket:\[(\d+)\]$", os.readlink(fd)))
            except FileNotFoundError:
                continue
        found = set()
        for table in "udp", "tcp", "udp6", "tcp6":
            for row in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = row.split()
                if fields[1].endswith(f":{self.port:04X}") and fields[2].endswith(":0000"):
                    found.add(fields[9])
        found = {int(each) for each in own & found}
        self.assertLessEqual({inode(each.fileno()) for each in those}, found)
        self.assertEqual(len(found), len(those) + others)

    def serve_phones(self, rounds=8):
        """Enough Call-IDs that every worker has some."""
        for number in range(rounds):
            for transport in "udp", "tcp":
                phone = Phone(f"alice{number}", self.port, transport)
                phone.send("REGISTER", "sip:atlanta.example",
                           {"id": f"{transport}-{number}-{self.port}", "to": f"alice{number}"})
                phone.read(200)
                phone.close()

    def test_one_socket_serves_all_workers(self):
        # Neither shares its port, so that nobody else can listen there.
        udp, tcp = self.open(socket.SOCK_DGRAM), self.open(socket.SOCK_STREAM)
        server = self.serve([udp, tcp], workers=3)
        self.assert_bound(server, [udp, tcp])
        self.serve_phones()
        self.assertNotIn("was passed", server.log())
        server.stop()

    def test_what_came_before_the_start_is_answered(self):
        udp = self.open(socket.SOCK_DGRAM)
        tcp = self.open(socket.SOCK_STREAM)
        early = self.open(socket.SOCK_DGRAM, port=free_port())
        early.settimeout(PATIENCE)
        early.sendto(OPTIONS.format(port=early.getsockname()[1]).encode(),
                     ("127.0.0.1", self.port))
        waiting = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.addCleanup(waiting.close)
        waiting.sendall(OPTIONS.format(port=1).replace("UDP", "TCP").encode())
        self.serve([udp, tcp])
        self.assertEqual(status_of(early.recv(65536)), 200)
        self.assertEqual(status_of(waiting.recv(65536)), 200)

    def test_several_sockets_are_for_one_worker_each(self):
        passed = [self.open(socket.SOCK_DGRAM, shared=True) for _ in range(2)]
        server = self.serve(passed, workers=2)
        self.assert_bound(server, passed, others=2)  # TCP is opened as ever, by each worker.
        self.serve_phones()

    def test_more_sockets_than_workers_are_refused(self):
        passed = [self.open(socket.SOCK_DGRAM, shared=True) for _ in range(3)]
        with self.assertRaisesRegex(SystemExit, rf"error: udp:127.0.0.1:{self.port} is passed more "
                                                "often than there are workers, which are 2"):
            self.serve(passed, workers=2)

    def test_what_nobody_wants_is_told(self):
        other = free_port()
        passed = [self.open(socket.SOCK_DGRAM), self.open(socket.SOCK_STREAM, port=other),
                  self.open(socket.SOCK_DGRAM, port=other, family=socket.AF_INET6, host="::",
                            dual=True)]
        unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(unix.close)
        server = self.serve(passed + [unix])
        told = [line.split("warning: ")[1] for line in server.log().splitlines()
                if "was passed" in line]
        self.assertEqual(len(told), 3, told)
        self.assertRegex(told[0], rf"^tcp:127\.0\.0\.1:{other} was passed, but no listen names it")
        self.assertRegex(told[1], rf"^udp:\[::\]:{other} was passed for IPv4 and IPv6 together")
        self.assertRegex(told[2], "^descriptor 6 was passed, but is no UDP socket")
        self.serve_phones(2)

    def test_a_socket_for_both_families_is_none(self):
        # Before the fault that comes of it: the address is in use.
        passed = self.open(socket.SOCK_DGRAM, family=socket.AF_INET6, host="::", dual=True,
                           port=(other := free_port()))
        with self.assertRaisesRegex(SystemExit, rf"(?s)udp:\[::\]:{other} was passed for IPv4 and "
                                                r"IPv6 together.*BindIPv6Only.*cannot listen"):
            self.serve([passed], more=f'listen("udp:[::]:{other}", {{ advertise = "a.example" }})')

    def test_an_ipv6_address_of_its_own_needs_no_option(self):
        passed = self.open(socket.SOCK_DGRAM, family=socket.AF_INET6, dual=True)
        server = self.serve([passed], more=f'listen "udp:[::1]:{self.port}"\n')
        self.assertNotIn("was passed", server.log())
        phone = Phone("alice", self.port, "udp", 6)
        phone.register()
        phone.close()

    def test_a_reload_keeps_them(self):
        udp, tcp = self.open(socket.SOCK_DGRAM), self.open(socket.SOCK_STREAM)
        server = self.serve([udp, tcp])
        config, other = server.path / "ahoyd.lua", free_port()
        whole = config.read_text()
        without = whole.replace(f'listen "tcp:127.0.0.1:{self.port}"\n',
                                f'listen "tcp:127.0.0.1:{other}"\n')
        for text in without, whole, whole + 'domain "biloxi.example"\n':
            config.write_text(text)
            reloaded = server.ctl("reload")
            self.assertEqual((reloaded.returncode, reloaded.stderr), (0, ""))
        # The one that had left is there again: nobody else could have opened its address.
        self.assert_bound(server, [udp, tcp])
        self.assertIn(f"tcp:127.0.0.1:{self.port} was passed, but no listen", server.log())
        self.serve_phones()
        server.stop()

    def test_those_of_another_process_are_not_taken(self):
        udp = self.open(socket.SOCK_DGRAM, port=free_port())
        server = self.serve([udp], pid="1")
        self.assertNotIn("was passed", server.log())
        self.assert_bound(server, [], others=4)
        self.serve_phones(1)

    def test_numbers_that_are_none(self):
        with self.assertRaisesRegex(SystemExit, "error: LISTEN_PID and LISTEN_FDS must be numbers"):
            self.serve([self.open(socket.SOCK_DGRAM)], pid="me")

    def test_the_server_may_start_again(self):
        udp, tcp = self.open(socket.SOCK_DGRAM), self.open(socket.SOCK_STREAM)
        server = self.serve([udp, tcp])
        server.stop()
        phone = Phone("alice", self.port, "udp")  # It finds nobody, but is not refused.
        phone.send("REGISTER", "sip:atlanta.example", {"id": f"late-{self.port}", "to": "alice"})
        server.start()
        phone.read(200)
        phone.close()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
