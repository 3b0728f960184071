#!/usr/bin/env python3
"""Microphones and loudspeakers: the phone has PortAudio, and that has ALSA, whose devices are pipes
here, filled and emptied by clocks of the test's own.

test_devices.py BUILD
"""
import array
import json
import math
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
import unittest
import wave

from ahoy_phone import AhoyPhone
from peer import PATIENCE, Ahoyd, free_port, until
from sound import LEVEL_DBOV, measure

AHOY = pathlib.Path(sys.argv[1]).resolve() / "bin" / "ahoy"
RATE = 44100  # What PortAudio takes where a device can have any.
TICK = 0.01
PERIOD = 220  # Samples that PortAudio reads at once: ALSA makes up what a shorter read leaves open.

# PortAudio 19.6 fails where each device can be opened: one cannot.  The system's are silent.
ALSA = """pcm.nowhere {{ type null }}
pcm.broken {{ type hw card 31 }}
pcm.loudspeaker {{ type file slave.pcm nowhere file "{0}/out" format raw }}
pcm.microphone {{ type file slave.pcm nowhere file "/dev/null" infile "{0}/in" format raw }}
"""


def has_devices():
    done = subprocess.run([AHOY, "devices"], capture_output=True, text=True, check=False)
    return "without PortAudio" not in done.stderr


class Clock:
    """A device's: does |tick| with the samples that are due, |drift| too many of them."""

    def __init__(self, path, tick, drift=0.0):
        os.mkfifo(path)
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.tick, self.rate = tick, RATE * (1 + drift)
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        begin, done = time.monotonic(), 0
        while not self.is_over.wait(TICK):
            due = int((time.monotonic() - begin) * self.rate)
            self.tick(self.fd, done, due)
            done = due

    def stop(self):
        if not self.is_over.is_set():
            self.is_over.set()
            self.thread.join()

    def close(self):
        self.stop()
        os.close(self.fd)


class Loudspeaker(Clock):
    """Keeps what is played, of two channels."""

    def __init__(self, path, drift=0.0):
        self.heard = bytearray()
        super().__init__(path, self.take, drift)

    def take(self, fd, done, due):
        try:
            self.heard += os.read(fd, (due - done) * 4)
        except BlockingIOError:
            pass

    def is_loud(self):
        heard = bytes(self.heard)
        return max(array.array("h", heard[:len(heard) // 2 * 2]), default=0) > 9000

    def write(self, path):
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(self.heard[:len(self.heard) // 4 * 4])


class Microphone(Clock):
    """Hears a tone, whenever somebody listens."""

    def __init__(self, path, hz, drift=0.0):
        self.step = 2 * math.pi * hz / RATE
        super().__init__(path, self.give, drift)

    def give(self, fd, done, due):
        peak = 32768 * math.sqrt(2) * 10 ** (LEVEL_DBOV / 20)
        for begin in range(done // PERIOD * PERIOD, due // PERIOD * PERIOD, PERIOD):
            samples = array.array("h", (round(peak * math.sin(i * self.step))
                                        for i in range(begin, begin + PERIOD)))
            try:
                os.write(fd, samples.tobytes())
            except BlockingIOError:
                pass


class Devices(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.server = Ahoyd(sys.argv[1], f"""listen "udp:127.0.0.1:{self.port}"
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
""")
        self.addCleanup(self.server.__exit__)
        self.path = self.server.path
        (self.path / "none").write_text("none\n")
        (self.path / "asound.conf").write_text(ALSA.format(self.path))
        self.env = {**os.environ, "ALSA_CONFIG_PATH": str(self.path / "asound.conf")}
        self.clocks = []

    def start(self, hz=1000, drift=0.0):
        speaker = Loudspeaker(self.path / "out", drift)
        microphone = Microphone(self.path / "in", hz, -drift)
        for clock in (speaker, microphone):
            clock.thread.start()
            self.addCleanup(clock.close)
        return speaker, microphone

    def ahoy(self, verb, user, *more, env=None):
        return AhoyPhone(self, AHOY, verb, "--user", f"{user}@atlanta.example", "--password-file",
                         "none", "--server", f"sip:127.0.0.1:{self.port}", *more, env=env)

    def call(self, alice, *more):
        """Bob, who plays 440 Hz, is called with the options |alice|; both ends, and what Alice has
        said of her own."""
        bob = self.ahoy("answer", "bob", "--once", "--ring", "0", "--play", "tone:440", *more)
        bob.wait_for("registered")
        alice = self.ahoy("call", "alice", "sip:bob@atlanta.example", *alice, env=self.env)
        by_bob, by_alice = bob.wait_for("heard"), alice.wait_for("heard")
        self.assertEqual(alice.end(), 0, alice.errors)
        self.assertEqual(bob.end(), 0)
        return by_bob, by_alice, alice.errors

    def test_list(self):
        self.start()
        done = subprocess.run([AHOY, "devices", "--json"], env=self.env, capture_output=True,
                              text=True, check=True, timeout=PATIENCE)
        devices = {row["device"]: row for row in map(json.loads, done.stdout.splitlines())}
        self.assertEqual(set(devices), {"nowhere", "loudspeaker", "microphone"})
        self.assertEqual(devices["microphone"]["rate_hz"], RATE)
        self.assertTrue(devices["nowhere"]["is_microphone"])
        self.assertEqual(done.stderr, "")
        done = subprocess.run([AHOY, "devices"], env=self.env, capture_output=True, text=True,
                              check=True, timeout=PATIENCE)
        self.assertIn("loudspeaker (ALSA): ", done.stdout)
        self.assertEqual(done.stderr, "")

    def test_both_ways(self):
        """What the microphone hears is heard by the other phone, and what that plays by the
        loudspeaker; narrow and wide, and by clocks that are off."""
        for codec, drift in (("pcma", 0.0), ("g722", 0.001)):
            with self.subTest(codec=codec):
                speaker, microphone = self.start(1000, drift)
                by_bob, by_alice, err = self.call(
                    ["--microphone", "microphone", "--speaker", "LOUDsp", "--for", "4"],
                    "--codec", codec)
                self.assertAlmostEqual(by_bob["heard_hz"], 1000, delta=5)
                self.assertAlmostEqual(by_bob["heard_dbov"], LEVEL_DBOV, delta=1)
                self.assertAlmostEqual(by_alice["heard_hz"], 440, delta=5)
                speaker.stop()
                microphone.stop()
                speaker.write(self.path / "heard.wav")
                hz, level = measure(self.path / "heard.wav")
                self.assertAlmostEqual(hz, 440, delta=5)
                self.assertAlmostEqual(level, LEVEL_DBOV, delta=1)
                self.assertEqual(err, "")
            (self.path / "in").unlink()
            (self.path / "out").unlink()

    def test_account(self):
        """The devices of an account; to play something is to say that, and not what is heard."""
        self.start(1000)
        folder = self.path / "config" / "ahoy"
        folder.mkdir(parents=True)
        (folder / "account").write_text(
            "user alice@atlanta.example\nmicrophone microphone\nspeaker loudspeaker\n")
        (folder / "account").chmod(0o600)
        self.env["XDG_CONFIG_HOME"] = str(self.path / "config")
        for more, hz in (([], 1000), (["--play", "tone:700"], 700)):
            bob = self.ahoy("answer", "bob", "--once", "--ring", "0")
            bob.wait_for("registered")
            done = subprocess.run(
                [AHOY, "call", "bob@atlanta.example", "--password-file", "none", "--server",
                 f"sip:127.0.0.1:{self.port}", "--for", "3", *more], cwd=self.path, env=self.env,
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                timeout=PATIENCE)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertAlmostEqual(bob.wait_for("heard")["heard_hz"], hz, delta=5)

    def test_gone(self):
        """Devices that fall silent are told of, and the call goes on and ends as it would."""
        speaker, microphone = self.start()
        bob = self.ahoy("answer", "bob", "--once", "--ring", "0", "--play", "tone:440")
        bob.wait_for("registered")
        alice = self.ahoy("call", "alice", "sip:bob@atlanta.example", "--microphone", "microphone",
                          "--speaker", "loudspeaker", env=self.env)
        alice.wait_for("answered")
        deadline = time.monotonic() + PATIENCE
        while len(speaker.heard) < RATE * 4 and time.monotonic() < deadline:
            time.sleep(TICK)
        speaker.stop()
        microphone.stop()
        lines = {alice.process.stderr.readline(), alice.process.stderr.readline()}
        self.assertEqual(lines, {f"ahoy: the {name} has gone; the call goes on in silence\n"
                                 for name in ("microphone", "loudspeaker")})
        alice.process.send_signal(signal.SIGINT)
        self.assertEqual(alice.wait_for("heard")["lost"], 0)
        self.assertEqual(alice.end(), 0)
        self.assertAlmostEqual(bob.wait_for("heard")["heard_hz"], 1000, delta=5)

    def test_terminal(self):
        """Who sits at a terminal and names nothing talks by the system's devices; the mute key
        mutes the microphone; and no library's word is on the screen."""
        (self.path / "asound.conf").write_text(
            ALSA.format(self.path).replace("pcm.nowhere", "pcm.nothing").replace(
                "slave.pcm nowhere", "slave.pcm nothing") + f"""pcm.!default {{ type file
    slave.pcm nothing file "{self.path}/out" infile "{self.path}/in" format raw }}
""")
        speaker, _ = self.start()
        bob = self.ahoy("answer", "bob", "--once", "--ring", "0", "--play", "tone:440")
        bob.wait_for("registered")
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.path)
            os.execve(AHOY, [AHOY, "call", "--user", "alice@atlanta.example", "--password-file",
                             "none", "--server", f"sip:127.0.0.1:{self.port}",
                             "bob@atlanta.example"], {**self.env, "TERM": "xterm"})
        self.addCleanup(os.close, terminal)
        shown = b""

        def sees(pattern):
            nonlocal shown
            try:
                if select.select([terminal], [], [], 0)[0]:
                    shown = (shown + os.read(terminal, 65536))[-65536:]
            except OSError:
                pass  # It has ended, and what it said was read.
            return re.search(pattern, shown[shown.rfind(b"\033[H"):])

        until(lambda: sees(rb"we say +\S*\[#{15,}-+\] +\S*-1\d dBov"), "the microphone's level")
        until(lambda: sees(rb"we say") and speaker.is_loud(), "the loudspeaker is heard")
        long = len(speaker.heard) + RATE * 4 * 2  # Two seconds by the device's clock.
        until(lambda: sees(rb"we say") and len(speaker.heard) > long, "both talk for a while")
        os.write(terminal, b"m")
        until(lambda: sees(rb"we say +.*muted"), "it is muted")
        os.write(terminal, b"e")
        until(lambda: sees(rb"ended by us"), "the end")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        self.assertNotRegex(shown, rb"ALSA|[Jj]ack|Expression")
        self.assertAlmostEqual(bob.wait_for("heard")["heard_hz"], 1000, delta=5)

    def test_none(self):
        """A name that none has is a fault of whoever gives it, found before anybody is called."""
        self.start()
        for option in ("--device", "--microphone", "--speaker"):
            alice = self.ahoy("call", "alice", "sip:bob@atlanta.example", option, "trumpet",
                              env=self.env)
            self.assertEqual((alice.end(), alice.news), (2, []))
            self.assertIn(" is named trumpet (ahoy devices lists what there is)\n", alice.errors)


if __name__ == "__main__":
    if not has_devices():
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
