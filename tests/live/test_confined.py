#!/usr/bin/env python3
"""What the process may do: the filter of system calls on all its threads, and another user's rights
where it was started as root.

test_confined.py BUILD
"""
import os
import pathlib
import pwd
import re
import socket
import subprocess
import sys
import tempfile
import unittest

from peer import PATIENCE, Ahoyd, free_port, is_sanitized, until
from phone import Phone

BUILD = sys.argv[1]
ROOT = os.geteuid() == 0
USER = "nobody"
BIND = 1 << 10  # CAP_NET_BIND_SERVICE
CONFIG = """\
listen "udp:127.0.0.1:{port}"
listen "tcp:127.0.0.1:{port}"
domain("atlanta.example", {{ auth = "none" }})
store "sqlite:ahoy.db"
trace "trace.jsonl"
"""


def low_port():
    """A port below 1024 that is free for UDP and TCP; root's to ask."""
    for port in range(1023, 600, -1):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise SystemExit("no port is free")


class Confined(unittest.TestCase):
    def serve(self, config):
        # A folder of the user's, as /var/lib has them for servers.
        server = Ahoyd(BUILD, config, owner=USER if ROOT else None)
        self.addCleanup(server.__exit__)
        return server

    def of_threads(self, server, name):
        """What the kernel says of each thread."""
        found = set()
        for status in pathlib.Path(f"/proc/{server.process.pid}/task").glob("*/status"):
            found.add(re.search(rf"^{name}:\s*(.*)$", status.read_text(), re.MULTILINE)[1])
        return found

    def register(self, port, transport="udp"):
        phone = Phone("alice", port, transport)
        phone.send("REGISTER", "sip:atlanta.example", {"id": f"{transport}-{port}", "to": "alice"})
        phone.read(200)
        phone.close()


class Filter(Confined):
    def setUp(self):
        if is_sanitized(BUILD):
            self.skipTest("sanitizers make calls of their own")

    def test_all_threads_are_filtered(self):
        port = free_port()
        server = self.serve(CONFIG.format(port=port) + "workers(2)\n")
        self.register(port)
        self.assertEqual(self.of_threads(server, "Seccomp"), {"2"})
        self.assertEqual(self.of_threads(server, "NoNewPrivs"), {"1"})
        server.stop()

    def test_it_can_be_switched_off(self):
        port = free_port()
        server = self.serve(CONFIG.format(port=port) + "process { filter = false }\n")
        self.register(port)
        before = self.of_threads(server, "Seccomp")
        self.assertEqual(len(before), 1)
        own = re.search(r"^Seccomp:\s*(.*)$", pathlib.Path("/proc/self/status").read_text(),
                        re.MULTILINE)[1]
        self.assertEqual(before, {own})


class Faults(unittest.TestCase):
    def told(self, word, *options):
        with tempfile.TemporaryDirectory(prefix="ahoy-confined-") as folder:
            path = pathlib.Path(folder) / "ahoyd.lua"
            path.write_text(CONFIG.format(port=free_port()) + word + "\n")
            program = pathlib.Path(BUILD).resolve() / "bin" / "ahoyd"
            ended = subprocess.run([program, *options, path], capture_output=True, text=True,
                                   timeout=PATIENCE, check=False)
            self.assertEqual((ended.returncode, ended.stdout), (2, ""))
            self.assertEqual(os.listdir(folder), ["ahoyd.lua"])
            lines = ended.stderr.splitlines()
            self.assertEqual(len(lines), 1, lines)
            return lines[0]

    def refused(self, word):
        told = self.told(word, "--config")
        self.assertEqual(self.told(word, "--check").split(": ", 1)[1], told.split(": ", 1)[1])
        return told

    def test_an_unknown_user(self):
        self.assertRegex(self.refused('process { user = "nosuchuser" }'),
                         r'/ahoyd.lua:6: process: user = "nosuchuser" is no user')

    def test_root(self):
        self.assertRegex(self.refused('process { user = "root" }'), "/ahoyd.lua:6: .* is root")

    def test_others_than_root_cannot(self):
        if ROOT:
            self.skipTest("this is root")
        other = "daemon" if os.geteuid() == pwd.getpwnam(USER).pw_uid else USER
        self.assertRegex(self.told(f'process {{ user = "{other}" }}', "--config"), "only root can")


@unittest.skipUnless(ROOT, "only root can become another")
class User(Confined):
    def test_it_becomes_the_user(self):
        port = free_port()
        server = self.serve(CONFIG.format(port=port) + f'process {{ user = "{USER}" }}\n')
        self.register(port)
        entry = pwd.getpwnam(USER)
        for name, number in ("Uid", entry.pw_uid), ("Gid", entry.pw_gid):
            self.assertEqual(self.of_threads(server, name), {"\t".join([str(number)] * 4)})
        groups = os.getgrouplist(USER, entry.pw_gid)
        self.assertEqual([sorted(map(int, text.split()))
                          for text in self.of_threads(server, "Groups")], [sorted(groups)])
        for name in "CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb":
            self.assertEqual(self.of_threads(server, name), {"0" * 16}, name)
        for name in "ahoy.db", "trace.jsonl", "ahoyd.sock":
            status = os.stat(server.path / name)
            self.assertEqual((status.st_uid, status.st_mode & 0o777), (entry.pw_uid, 0o600), name)
        self.assertNotIn("this is root", server.log())
        server.stop()

    def test_low_ports_are_left_to_it(self):
        port = low_port()
        server = self.serve(CONFIG.format(port=port) + f'process {{ user = "{USER}" }}\n')
        for transport in "udp", "tcp":
            self.register(port, transport)
        for name in "CapPrm", "CapEff":
            self.assertEqual(self.of_threads(server, name), {f"{BIND:016x}"})
        # A reload can open another one.
        other = low_port()
        config = server.path / "ahoyd.lua"
        config.write_text(config.read_text() + f'listen "udp:127.0.0.1:{other}"\n')
        reloaded = server.ctl("reload")
        self.assertEqual((reloaded.returncode, reloaded.stderr), (0, ""))
        self.register(other)
        server.stop()

    def test_what_is_not_left_to_it_refuses_a_reload(self):
        port, low = free_port(), low_port()
        server = self.serve(CONFIG.format(port=port) + f'process {{ user = "{USER}" }}\n')
        config = server.path / "ahoyd.lua"
        config.write_text(config.read_text() + f'listen "udp:127.0.0.1:{low}"\n')
        reloaded = server.ctl("reload")
        self.assertNotEqual(reloaded.returncode, 0)
        self.assertIn("CAP_NET_BIND_SERVICE", reloaded.stderr)
        self.register(port)

    def test_root_is_warned(self):
        server = self.serve(CONFIG.format(port=free_port()))
        until(lambda: "warning: this is root" in server.log(), "the warning")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
