"""What live tests share: a server of their own on loopback, and a small SIP client."""
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PATIENCE = 60  # Seconds for what must happen: long past any machine's bad day.
SKIPPED = 77


def need(program):
    """The path of a program, or the end of this test where the machine lacks it."""
    path = shutil.which(program)
    if path is None:
        print(f"skipped: {program} is not installed")
        sys.exit(SKIPPED)
    return path


def free_port(family=socket.AF_INET):
    """A port that is free for UDP and TCP alike, just now; none that the system gives to others
    who ask for any."""
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    for _ in range(100):
        port = random.randrange(20000, 32000)
        with socket.socket(family, socket.SOCK_STREAM) as tcp, \
                socket.socket(family, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind((host, port))
                udp.bind((host, port))
                return port
            except OSError:
                continue
    raise SystemExit("no port is free")


def until(question, what, patience=PATIENCE):
    """Waits until |question| is true, and returns how long that took."""
    begin = time.monotonic()
    while not question():
        if time.monotonic() > begin + patience:
            raise AssertionError(f"in vain: {what}")
        time.sleep(0.01)
    return time.monotonic() - begin


class Ahoyd:
    """A server in a folder of its own; use it in a with statement.  |before|: the command that
    starts it, where that is another; |fds|: descriptors that it is handed; |owner|: the user that
    has the folder, where that is another."""

    def __init__(self, build, config, before=(), fds=(), owner=None):
        self.before, self.fds = before, fds
        self.bin = pathlib.Path(build).resolve() / "bin"
        self.folder = tempfile.TemporaryDirectory(prefix="ahoy-live-")
        self.path = pathlib.Path(self.folder.name)
        (self.path / "ahoyd.lua").write_text(config)
        if owner is not None:
            shutil.chown(self.path, owner)
        self.process = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            self.folder.cleanup()

    def start(self):
        with open(self.path / "log", "a") as log:
            size = log.tell()
            self.process = subprocess.Popen([*self.before, self.bin / "ahoyd", "--config",
                                             "ahoyd.lua"], cwd=self.path,
                                            stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, pass_fds=self.fds)
        deadline = time.monotonic() + PATIENCE
        while "notice: ready" not in self.log()[size:]:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("ahoyd did not start:\n" + self.log())
            time.sleep(0.005)

    def log(self):
        return (self.path / "log").read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends the server as an operator does; anything but exit code 0 is a failure, and so is a
        system call that its filter should have let through."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        if code not in (0, -signal.SIGKILL):
            raise SystemExit(f"ahoyd ended with {code}:\n" + self.log())
        if "the filter refused" in self.log():
            raise SystemExit("ahoyd's filter is too tight:\n" + self.log())

    def alive(self):
        return self.process.poll() is None

    def is_stopped(self):
        """Whether all of its threads have stopped, after a SIGSTOP."""
        stats = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/stat")
        return all(re.search(r"\) T ", stat.read_text()) for stat in stats)

    def rss_kb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def trim(self):
        """Memory that lies idle has gone back when it returns."""
        answer = self.ctl("trim")
        if answer.returncode != 0:
            raise SystemExit(f"ahoyctl trim: {answer.stderr}")

    def ctl(self, *arguments, **settings):
        return subprocess.run([self.bin / "ahoyctl", "--socket", "ahoyd.sock", *arguments],
                              cwd=self.path, capture_output=True, text=True, timeout=PATIENCE,
                              check=False, **settings)


def is_sanitized(build):
    """Whether the programs were built with a sanitizer."""
    program = (pathlib.Path(build) / "bin" / "ahoyd").read_bytes()
    return b"__tsan_init" in program or b"__asan_init" in program


def status_of(message):
    """The status code of a response; 0 for anything else."""
    found = re.match(rb"SIP/2\.0 (\d{3}) ", message)
    return int(found.group(1)) if found else 0


def header(message, name):
    """The value of the first row of that name; empty where there is none."""
    found = re.search(rb"\r\n" + name.encode() + rb":[ \t]*([^\r]*)", message, re.IGNORECASE)
    return found.group(1).decode() if found else ""
