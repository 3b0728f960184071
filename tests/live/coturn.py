"""A server of TURN that others made: coturn, by UDP alone.

It sends to nobody in homes, as is good practice: it would also end a relay by which something was
sent to a network that it has no route to."""
import pathlib
import re
import subprocess
import tempfile
import time

from peer import PATIENCE, need

USER, PASSWORD, REALM = "alice-by-relay", "opensesame", "relay.example"


class Coturn:
    """Runs in a folder of its own; |more|: further options."""

    def __init__(self, address, port, *more):
        self.folder = tempfile.TemporaryDirectory(prefix="ahoy-coturn-")
        self.path = pathlib.Path(self.folder.name)
        (self.path / "empty.conf").write_text("")
        self.log = open(self.path / "log", "w+")
        self.process = subprocess.Popen(
            [need("turnserver"), "-c", self.path / "empty.conf", "--listening-ip", address,
             "--relay-ip", address, "--listening-port", str(port), "--lt-cred-mech", "--user",
             f"{USER}:{PASSWORD}", "--realm", REALM, "--userdb", self.path / "users", "--pidfile",
             self.path / "pid", "--no-tcp", "--no-tls", "--no-dtls", "--no-cli",
             "--no-stun-backward-compatibility", "--no-rfc5780", "--denied-peer-ip",
             "10.0.0.0-10.255.255.255", "--log-file", "stdout", "--simple-log", "--verbose",
             *more],
            cwd=self.path, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self.wait_for("UDP listener opened on")
        except AssertionError:
            self.close()
            raise

    def said(self):
        return (self.path / "log").read_text(errors="replace")

    def given_back(self):
        """How many relays."""
        return len(re.findall("refreshed, .*lifetime=0", self.said()))

    def wait_for(self, words, patience=PATIENCE):
        end = time.monotonic() + patience
        while words not in self.said():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"coturn never said {words!r}: {self.said()[-2000:]}")
            time.sleep(0.05)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()
