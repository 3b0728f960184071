#!/usr/bin/env python3
"""The tour of SIP as a reader takes it: what docs/tour.md has him type is typed into one shell, in
an empty folder, and what comes is compared with what the page says.

test_tour.py BUILD           test
test_tour.py BUILD --show    print the page with what came in place of what is expected

A block `sh` is typed.  A block `text` behind it is what that prints, on both of its outputs; where
there is none it prints nothing.  In a `text`, `…` is any part of a line, and a line of it alone any
number of lines.  A block `ladder` is the same, but that its lines may come in another order and
with others in between, as messages do on a slow machine.

Nothing is set up but what the page has its reader do before; where the machine can, the tour gets a
network of its own, so that nobody else sits on its ports.
"""
import difflib
import fcntl
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from peer import SKIPPED, need

BUILD = pathlib.Path(sys.argv[1]).resolve()
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "tour.md"
PATIENCE = 60  # Seconds for one block: long past any machine's bad day.
ANY = "…"
SHOWN = ("text", "ladder")
ALONE = "AHOY_TOUR_IS_ALONE"
BLOCK = re.compile(r"^```(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESSES = [(socket.AF_INET, "127.0.0.2", 5060), (socket.AF_INET, "127.0.0.3", 5060),
             (socket.AF_INET, "127.0.0.4", 5300), (socket.AF_INET6, "::1", 5060)]
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def go_alone():
    """Starts this test anew in a network of its own, where the machine lets us; there, opens the
    loopback."""
    if ALONE in os.environ:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            request = struct.pack("16sH14x", b"lo", 0)
            flags = struct.unpack_from("16sH", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))
        return
    away = [shutil.which("unshare") or "unshare", "--net", "--map-root-user"]
    try:
        can = subprocess.run([*away, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        can = False
    if can:
        os.execve(away[0], [*away, sys.executable, *sys.argv], {**os.environ, ALONE: "1"})


def need_ports():
    """The tour's ports are in its text: where they are taken, or there is no IPv6, it waits."""
    for family, host, port in ADDRESSES:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            try:
                with socket.socket(family, kind) as one:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    one.bind((host, port))
            except OSError as fault:
                print(f"skipped: {host} port {port}: {fault}")
                sys.exit(SKIPPED)


def pattern_of(line):
    if line.strip() == ANY:
        return r"(?:[^\n]*\n)*?"
    if line.lstrip().startswith(ANY):
        line = line.lstrip()  # What is left out has its blanks in front.
    return "[^\n]*?".join(map(re.escape, line.rstrip().split(ANY))) + r"[ \r]*\n"


def fits(kind, expected, came):
    """Whether what came is what the page says."""
    if kind == "text":
        return re.fullmatch("".join(map(pattern_of, expected.splitlines())), came) is not None
    lines = came.splitlines(keepends=True)
    for line in expected.splitlines():
        found = [one for one in lines if re.fullmatch(pattern_of(line), one)]
        if not found:
            return False
        lines.remove(found[0])
    return True


class Shell:
    """A shell in an empty folder, with what goes on in its background."""

    def __init__(self, folder):
        self.folder, self.count = folder, 0
        for name in ("tour", "home"):
            (folder / name).mkdir()
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], cwd=folder / "tour", text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
            env={"PATH": f"{BUILD / 'bin'}:{os.environ['PATH']}", "HOME": str(folder / "home"),
                 "LC_ALL": "C.UTF-8"})

    def type(self, commands):
        """What these print."""
        self.count += 1
        typed, came = (self.folder / f"{self.count}.{end}" for end in ("sh", "out"))
        typed.write_text(commands)
        self.process.stdin.write(f". {typed} >{came} 2>&1 </dev/null; echo\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise AssertionError(f"after {PATIENCE} s this still goes on:\n{commands}\n" +
                                 came.read_text(errors="replace") + self.logs())
        self.process.stdout.readline()
        return came.read_text(errors="replace")

    def logs(self):
        """What those in the background have said."""
        return "".join(f"\n--- {path.name}\n{path.read_text(errors='replace')}"
                       for path in sorted((self.folder / "tour").glob("*.log")))

    def close(self):
        group = self.process.pid
        deadline = time.monotonic() + 10
        try:
            os.killpg(group, signal.SIGTERM)
            while time.monotonic() < deadline:
                self.process.poll()
                os.killpg(group, 0)
                time.sleep(0.05)
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass  # They have all gone.
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def steps():
    """What is typed, and what the page says to that."""
    typed = []
    for kind, text in BLOCK.findall(PAGE.read_text("utf-8")):
        if kind == "sh":
            typed.append([text, "text", ""])
        elif kind in SHOWN:
            assert typed[-1][2] == "", f"shown behind nothing that was typed: {text}"
            typed[-1][1:] = kind, text
    return typed


def show():
    """The page as it would be true here, with nothing left out."""
    with tempfile.TemporaryDirectory(prefix="ahoy-tour-") as folder:
        shell = Shell(pathlib.Path(folder))
        came = ""

        def fill(block):
            nonlocal came
            if block[1] in SHOWN:
                text, came = came, ""
                return f"```{block[1]}\n{text}```"
            rest = f"\n```text\n{came}```\n\n" if came and block[1] == "sh" else ""
            if block[1] == "sh":
                came = shell.type(block[2])
            return rest + block[0]
        try:
            print(BLOCK.sub(fill, PAGE.read_text("utf-8")))
        finally:
            shell.close()


class Tour(unittest.TestCase):
    maxDiff = None

    def test_the_whole_tour(self):
        with tempfile.TemporaryDirectory(prefix="ahoy-tour-") as folder:
            shell = Shell(pathlib.Path(folder))
            self.addCleanup(shell.close)
            for commands, kind, expected in steps():
                came = shell.type(commands)
                if not fits(kind, expected, came):
                    self.fail(f"{commands}\n" + "\n".join(difflib.unified_diff(
                        expected.splitlines(), came.splitlines(), "tour.md", "came", n=99,
                        lineterm="")) + shell.logs())
            self.assertGreater(shell.count, 20)

    def test_what_fits(self):
        page = "a: …, b …\n…\nend\n"
        for came in ("a: 1, b 2\nend\n", "a: , b \n1\n2\nend\n", "a: 1, b 2\nend\nend\n"):
            self.assertTrue(fits("text", page, came), came)
        for came in ("", "a: 1, b 2\n", "a: 1 b 2\nend\n", "a: 1, b 2\nend\nmore\n",
                     "a: 1, b 2\n1\nend", "x a: 1, b 2\nend\n"):
            self.assertFalse(fits("text", page, came), came)
        self.assertTrue(fits("text", "", ""))
        self.assertFalse(fits("text", "", "more\n"))

    def test_what_fits_a_ladder(self):
        page = "… a\n     … a\n… b\n"
        for came in ("1 a\n2 a\n3 b\n", "3 b\n1 a\n2 a\n", "1 a\n2 a\n2.5 a\n3 b\n4 c\n"):
            self.assertTrue(fits("ladder", page, came), came)
        for came in ("", "1 a\n3 b\n", "1 a\n2 a\n3 b c\n"):
            self.assertFalse(fits("ladder", page, came), came)


if __name__ == "__main__":
    need("nsd")
    need("openssl")
    go_alone()
    need_ports()
    if sys.argv[2:] == ["--show"]:
        show()
    else:
        unittest.main(argv=sys.argv[:1], verbosity=2)
