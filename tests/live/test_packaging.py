#!/usr/bin/env python3
"""What packaging/ says of the server holds: its configuration starts, its unit is tight, and lets
through whatever the server asks of the kernel.

test_packaging.py BUILD
"""
import pathlib
import re
import subprocess
import sys
import unittest

from peer import Ahoyd, free_port, is_sanitized, need
from phone import Phone

BUILD = pathlib.Path(sys.argv[1]).resolve()
PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging"
UNIT = PACKAGING / "ahoyd.service"
ANALYZE = need("systemd-analyze")
STRACE = need("strace")
OF_ROOT = {"fchown"}  # SQLite hands its files to the owner of the store, where it may.
EXPOSURE = 15  # In tenths: what `systemd-analyze security` may find at most.

CONFIG = """\
listen "udp:127.0.0.1:{port}"
listen "tcp:127.0.0.1:{port}"
listen "udp:[::1]:{port}"
listen "tcp:[::1]:{port}"
domain("atlanta.example", {{ auth = "none" }})
route {{ domain = "elsewhere.invalid", to = "elsewhere", from = "anyone" }}
trunk("elsewhere", {{ "sip:elsewhere.invalid" }})
store "sqlite:ahoy.db"
"""


def settings(name):
    """The values of a setting of the unit, in their order."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def calls_of(group):
    """The system calls of a group like @file-system."""
    listed = subprocess.run([ANALYZE, "syscall-filter", group], capture_output=True, text=True,
                            check=True).stdout
    names = [line.strip() for line in listed.splitlines()[1:] if line.startswith(" ")]
    calls = set()
    for name in names:
        if name.startswith("@"):
            calls |= calls_of(name)
        elif not name.startswith("#"):
            calls.add(name)
    return calls


def calls_let_through():
    """As systemd.exec(5) has it: lines add to the list, those with ~ take from it."""
    calls = calls_of("@default")
    for line in settings("SystemCallFilter"):
        named = set()
        for word in line.lstrip("~").split():
            named |= calls_of(word) if word.startswith("@") else {word}
        calls = calls - named if line.startswith("~") else calls | named
    return calls


class Packaging(unittest.TestCase):
    def test_the_configuration_is_sound(self):
        checked = subprocess.run([BUILD / "bin" / "ahoyd", "--check", PACKAGING / "ahoyd.lua"],
                                 capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    def test_the_sockets_are_those_of_the_configuration(self):
        unit = (PACKAGING / "ahoyd.socket").read_text()
        names = {"Datagram": "udp", "Stream": "tcp"}
        passed = {f"{names[kind]}:{address}"
                  for kind, address in re.findall(r"^Listen(\w+)=(.+)$", unit, re.MULTILINE)}
        config = (PACKAGING / "ahoyd.lua").read_text()
        listens = re.findall(r'^listen "(.*)"$', config, re.MULTILINE)
        self.assertEqual(passed, set(listens))

    def test_the_unit_is_tight(self):
        shown = subprocess.run([ANALYZE, "security", "--offline=true", "--no-pager",
                                f"--threshold={EXPOSURE}", UNIT], capture_output=True, text=True,
                               timeout=20, check=False)
        self.assertEqual(shown.returncode, 0, shown.stdout[-200:] + shown.stderr)

    def test_the_unit_lets_the_server_work(self):
        if is_sanitized(BUILD):
            self.skipTest("sanitizers make calls of their own")
        port = free_port()
        traced = [STRACE, "-D", "-f", "-qq", "-o", "calls"]
        with Ahoyd(BUILD, CONFIG.format(port=port), before=traced) as ahoyd:
            for family, transport in [(4, "tcp"), (6, "udp")]:
                phone = Phone("alice", port, transport, family)
                phone.send("REGISTER", "sip:atlanta.example",
                           {"id": f"packaging-{family}", "to": "alice"})
                self.assertIsNotNone(phone.read(200))
                phone.send("INVITE", "sip:bob@elsewhere.invalid",
                           {"id": f"elsewhere-{family}", "to": "bob"})
                phone.read(100)
                phone.close()
            self.assertEqual(ahoyd.ctl("counters").returncode, 0)
            ahoyd.stop()
            trace = (ahoyd.path / "calls").read_text()
        calls = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)", trace, re.MULTILINE))
        self.assertTrue({"recvmmsg", "accept4", "fdatasync", "epoll_wait"} <= calls, calls)
        self.assertEqual(calls - calls_let_through() - OF_ROOT, set())
        families = set(re.findall(r"socket\((AF_\w+)", trace))
        self.assertEqual(families, set(settings("RestrictAddressFamilies")[0].split()))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
