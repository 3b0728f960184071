#!/usr/bin/env python3
"""Sound with a phone that others made: baresip and ahoy call each other, through ahoyd and without
it; each plays a tone, and the recordings of both are measured.

test_baresip.py BUILD
"""
import json
import pathlib
import re
import socket
import subprocess
import sys
import time
import unittest

from peer import PATIENCE, Ahoyd, free_port, need
from sound import LEVEL_DBOV, make_tone, measure

BUILD = sys.argv[1]
AHOY = pathlib.Path(BUILD).resolve() / "bin" / "ahoy"
BARESIP = need("baresip")
MODULES = {"account": "module_tmp", "menu": "module_app", "ctrl_tcp": "module_app"}
ALICE_HZ, BOB_HZ = 440, 660  # Alice's phone is baresip, Bob's is ahoy.
SECONDS = 3                  # Of sound: that half a second and another one are there.


class Baresip:
    """One baresip, driven by commands over TCP: JSON, as netstrings.  |server|: its port, or None
    for calls that need none."""

    def __init__(self, path, server, codec, mux):
        self.path = path
        (path / "heard").mkdir(parents=True)
        make_tone(path / "tone.wav", ALICE_HZ)
        self.port, control = free_port(), free_port()
        modules = ["aufile", "aubridge", "sndfile", "g711", "g722", *MODULES]
        (path / "config").write_text("\n".join([
            f"sip_listen 127.0.0.1:{self.port}", "net_interface 127.0.0.1",
            f"audio_source aufile,{path}/tone.wav", "audio_player aubridge,nowhere",
            "audio_alert aubridge,nowhere", "audio_path /nonexistent", f"snd_path {path}/heard",
            "ausrc_srate 8000", "auplay_srate 8000", "ausrc_channels 1", "auplay_channels 1",
            f"rtcp_mux {mux}", f"ctrl_tcp_listen 127.0.0.1:{control}",
            "module_path " + str(next(pathlib.Path("/usr").glob("lib*/**/baresip/modules"))),
            *(f"{MODULES.get(name, 'module')} {name}.so" for name in modules)]) + "\n")
        way = f'regint=600;outbound="sip:127.0.0.1:{server}"' if server else "regint=0"
        (path / "accounts").write_text(f"<sip:alice@atlanta.example>;auth_pass=none;{way};"
                                       f"answermode=auto;audio_codecs={codec}\n")
        (path / "contacts").write_text("")
        with open(path / "log", "wb") as log:
            self.process = subprocess.Popen([BARESIP, "-f", path, "-4", "-s"], stdout=log,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.control = self.connect(control)
        if server:
            self.wait_for("200 OK")

    def connect(self, port):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port))
            except ConnectionRefusedError:
                assert time.monotonic() < deadline and self.process.poll() is None, self.log()
                time.sleep(0.05)

    def log(self):
        return (self.path / "log").read_text(errors="replace")

    def wait_for(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.log()):
            assert time.monotonic() < deadline and self.process.poll() is None, self.log()
            time.sleep(0.05)

    def command(self, name, parameters=""):
        text = json.dumps({"command": name, "params": parameters, "token": name})
        self.control.sendall(f"{len(text)}:{text},".encode())

    def recording(self):
        """What it has heard; it is whole once baresip has ended."""
        self.close()
        return next((self.path / "heard").glob("*-dec.wav"))

    def close(self):
        self.control.close()
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:  # How it ends is not what is looked at here.
            self.process.kill()
            self.process.wait()


class Sound(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.server = Ahoyd(BUILD, f"""listen "udp:127.0.0.1:{self.port}"
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
""")
        self.addCleanup(self.server.__exit__)
        self.path = self.server.path
        (self.path / "password").write_text("none\n")

    def baresip(self, codec, mux, direct=False):
        baresip = Baresip(self.path / "alice", None if direct else self.port, codec, mux)
        self.addCleanup(baresip.close)
        return baresip

    def ahoy(self, verb, *more):
        phone = subprocess.Popen(
            [AHOY, verb, "--user", "bob@atlanta.example", "--password-file", "password", "--server",
             f"sip:127.0.0.1:{self.port}", "--play", f"tone:{BOB_HZ}", "--record", "bob.wav",
             "--json", *more], cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            text=True)
        self.addCleanup(phone.wait)
        self.addCleanup(phone.kill)
        self.addCleanup(phone.stdout.close)
        return phone

    def wait_for(self, phone, kind):
        for line in phone.stdout:
            news = json.loads(line)
            if news["news"] == kind:
                return news
        raise AssertionError(f"no {kind}")

    def expect(self, hz, dbov, wanted_hz):
        self.assertAlmostEqual(hz, wanted_hz, delta=wanted_hz / 100)
        self.assertAlmostEqual(dbov, LEVEL_DBOV, delta=1)

    def expect_sound(self, baresip, heard, codec):
        self.assertEqual(heard["codec"].lower().split("/")[0], codec.split("/")[0])
        self.assertLess(heard["loss"], 0.05)
        self.expect(heard["heard_hz"], heard["heard_dbov"], ALICE_HZ)
        self.expect(*measure(self.path / "bob.wav"), ALICE_HZ)
        self.expect(*measure(baresip.recording()), BOB_HZ)

    def answered(self, codec, mux, direct):
        """baresip calls `ahoy answer`."""
        own = free_port()
        bob = self.ahoy("answer", "--once", "--ring", "0", "--listen", f"127.0.0.1:{own}")
        self.wait_for(bob, "registered")
        baresip = self.baresip(codec, mux, direct)
        baresip.command("dial", f"sip:bob@127.0.0.1:{own}" if direct
                        else "sip:bob@atlanta.example")
        self.wait_for(bob, "answered")
        time.sleep(SECONDS)
        baresip.command("hangup")
        self.expect_sound(baresip, self.wait_for(bob, "heard"), codec)

    def test_pcmu(self):
        self.answered("pcmu", "no", direct=False)

    def test_pcma(self):
        self.answered("pcma", "yes", direct=False)

    def test_g722(self):
        self.answered("g722/16000", "no", direct=False)

    def test_direct(self):
        self.answered("pcma", "no", direct=True)

    def test_call(self):
        """ahoy calls baresip, and dials."""
        baresip = self.baresip("pcmu", "yes")
        bob = self.ahoy("call", "sip:alice@atlanta.example", "--for", f"{SECONDS}s", "--digits",
                        "15#")
        heard = self.wait_for(bob, "heard")
        self.expect(heard["heard_hz"], heard["heard_dbov"], ALICE_HZ)
        digits = re.findall(r"received event: '(.)' \(end=1\)", baresip.log())
        self.assertEqual("".join(digits), "15#", baresip.log())

    def test_message(self):
        """A text to baresip (RFC 3428); its menu knows no way to send one."""
        baresip = self.baresip("pcmu", "no")
        done = subprocess.run(
            [AHOY, "message", "--user", "bob@atlanta.example", "--password-file", "password",
             "--server", f"sip:127.0.0.1:{self.port}", "alice@atlanta.example", "three four"],
            cwd=self.path, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "delivered: 200 OK\n"), done.stderr)
        baresip.wait_for(r"three four[^\n]*\n.*message\.wav")  # What it would play for a new text.

    def test_options(self):
        """Each asks what the other can do (RFC 3261 11)."""
        baresip = self.baresip("pcmu", "no")
        bob = self.ahoy("answer")
        self.wait_for(bob, "registered")
        baresip.command("options", "sip:bob@atlanta.example")
        baresip.wait_for("OPTIONS of sip:bob@atlanta.example")
        done = subprocess.run(
            [AHOY, "options", "--user", "bob@atlanta.example", "--password-file", "password",
             "--server", f"sip:127.0.0.1:{self.port}", "alice@atlanta.example", "--json"],
            cwd=self.path, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("INVITE", json.loads(done.stdout)["allow"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
