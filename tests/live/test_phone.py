#!/usr/bin/env python3
"""Phones of ours and a server of ours on loopback: every verb, over each way there is."""
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

from ahoy_phone import AhoyPhone, hears, without
from peer import PATIENCE, free_port
from sound import make_tone, measure

BIN = pathlib.Path(sys.argv[1]).resolve() / "bin"
AHOY = BIN / "ahoy"
WAYS = ["sip:127.0.0.1:{}", "sip:127.0.0.1:{};transport=tcp",
        "sip:[::1]:{}", "sip:[::1]:{};transport=tcp"]


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="ahoy-phone-")
        cls.path = pathlib.Path(cls.folder.name)
        cls.port = free_port()
        listens = "".join(f'listen "{way}:{cls.port}"\n' for way in
                          ("udp:127.0.0.1", "tcp:127.0.0.1", "udp:[::1]", "tcp:[::1]"))
        (cls.path / "ahoyd.lua").write_text(
            listens + 'domain "atlanta.example"\nstore "memory:"\nworkers(2)\n')
        cls.server = subprocess.Popen([BIN / "ahoyd", "--config", "ahoyd.lua"], cwd=cls.path,
                                      stderr=subprocess.PIPE, text=True)
        for line in cls.server.stderr:
            if "ready" in line:
                break
        for user in ("alice", "bob"):
            (cls.path / user).write_text(f"secret of {user}\n")
            subprocess.run([BIN / "ahoyctl", "--socket", "ahoyd.sock", "user", "add",
                            f"{user}@atlanta.example"], cwd=cls.path, check=True, text=True,
                           input=f"secret of {user}\n", capture_output=True, timeout=PATIENCE)

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.stderr.close()
        code = cls.server.wait(PATIENCE)
        cls.folder.cleanup()
        assert code == 0, code

    def phone(self, verb, user, way, *more, password=None, program=AHOY):
        return AhoyPhone(self, program, verb, "--user", f"{user}@atlanta.example",
                         "--password-file", password or user, "--server", way.format(self.port),
                         *more)

    def ways(self):
        for way in WAYS:
            with self.subTest(way=way):
                yield way

    def registrations(self):
        done = subprocess.run([BIN / "ahoyctl", "--socket", "ahoyd.sock", "--json",
                               "registrations"], cwd=self.path, check=True, text=True,
                              capture_output=True, timeout=PATIENCE)
        return done.stdout

    def test_register(self):
        for way in self.ways():
            phone = self.phone("register", "alice", way, "--expires", "600")
            self.assertEqual(phone.end(), 0, phone.errors)
            self.assertEqual(phone.news[-1]["expires"], 600)
            self.assertIn("alice@atlanta.example", self.registrations())

    def test_keep(self):
        for way in self.ways():
            phone = self.phone("register", "bob", way, "--keep")
            phone.wait_for("registered")
            self.assertIn("bob@atlanta.example", self.registrations())
            phone.process.send_signal(signal.SIGINT)
            self.assertEqual(phone.end(), 0)
            self.assertEqual(phone.kinds()[-1], "unregistered")
            self.assertNotIn("bob@atlanta.example", self.registrations())

    def test_wrong_password(self):
        for way in self.ways():
            phone = self.phone("register", "alice", way, password="bob")
            self.assertEqual(phone.end(), 7)
            self.assertEqual(phone.kinds(), ["registration-failed"])
            self.assertEqual(phone.news[0]["status"], 401)
            phone = self.phone("call", "alice", way, "bob@atlanta.example", password="bob")
            self.assertEqual(phone.end(), 7)
            self.assertEqual(phone.kinds(), ["calling", "refused"])
            self.assertEqual(phone.news[-1]["status"], 407)

    def test_call(self):
        for way in self.ways():
            bob = self.phone("answer", "bob", way, "--once", "--ring", "0", "--trace", "bob.trace")
            bob.wait_for("registered")
            alice = self.phone("call", "alice", way, "sip:bob@atlanta.example", "--for", "0",
                               "--trace", "alice.trace")
            self.assertEqual(alice.end(), 0, alice.errors)
            self.assertEqual(bob.end(), 0, bob.errors)
            answered = next(news for news in alice.news if news["news"] == "answered")
            self.assertIn(answered["codec"], ("opus/48000/2", "G722/8000", "PCMU/8000"))
            self.assertEqual(answered["direction"], "sendrecv")
            self.assertEqual(alice.news[-1]["by"], "us")
            self.assertEqual(bob.kinds(), ["registered", "incoming", "answered", "heard",
                                           "ended", "unregistered"])
            trace = (self.path / "alice.trace").read_text()
            for word in ("\nINVITE sip:bob@atlanta.example SIP/2.0", "\nACK ", "\nBYE ",
                         "\nm=audio "):
                self.assertIn(word, trace)
            self.assertNotIn("secret", trace)

    def test_sound(self):
        """Each plays what the other hears: a tone, and a file that the other side records; digits
        arrive; and the ports are those that were asked for."""
        make_tone(self.path / "tone.wav", 1000, rate=44100, channels=2)
        for way in self.ways():
            hears(lambda: self.hear(way))

    def hear(self, way):
        bob = self.phone("answer", "bob", way, "--once", "--ring", "0", "--play", "tone.wav",
                         "--record", "bob.wav")
        bob.wait_for("registered")
        alice = self.phone("call", "alice", way, "sip:bob@atlanta.example", "--for", "2s",
                           "--play", "tone:440", "--record", "alice.wav", "--digits", "1#",
                           "--media-ports", "21000-21999", "--trace", "alice.trace")
        self.assertEqual(alice.end(), 0, alice.errors)
        self.assertEqual(bob.end(), 0, bob.errors)
        for phone, hz in ((alice, 1000), (bob, 440)):
            heard = next(news for news in phone.news if news["news"] == "heard")
            self.assertAlmostEqual(heard["heard_hz"], hz, delta=hz / 100)
            self.assertAlmostEqual(heard["heard_dbov"], -10, delta=1)
            self.assertGreater(heard["received"], 50)
            self.assertGreater(heard["mos"], 3.5)
        self.assertEqual(heard["digits"], "1#")
        self.assertIn("rtt_ms", heard)  # Of RTCP on the port of RTP: R5761-5.1.1-5
        offer = (self.path / "alice.trace").read_text()
        self.assertRegex(offer, r"\nm=audio 21\d\d[02468] RTP/AVP ")
        for name, hz in (("alice.wav", 1000), ("bob.wav", 440)):
            self.assertAlmostEqual(measure(self.path / name)[0], hz, delta=hz / 100)

    def test_codecs(self):
        """One side alone need leave codecs out."""
        for names, codec in (("opus", "opus/48000/2"), ("G722,pcma", "G722/8000"),
                             ("pcma", "PCMA/8000")):
            bob = self.phone("answer", "bob", WAYS[0], "--once", "--ring", "0")
            bob.wait_for("registered")
            alice = self.phone("call", "alice", WAYS[0], "bob@atlanta.example", "--for", "1s",
                               "--codec", names)
            self.assertEqual(alice.wait_for("answered")["codec"], codec)
            self.assertEqual(alice.end(), 0, alice.errors)
            self.assertEqual(bob.end(), 0, bob.errors)

    def test_wildcard(self):
        """Who listens everywhere tells others an address where he is, IPv4 and IPv6."""
        for way, listen, own in ((WAYS[0], "0.0.0.0", "127.0.0.1"), (WAYS[3], "[::]:0", "::1")):
            bob = self.phone("answer", "bob", way, "--once", "--ring", "0", "--listen", listen,
                             "--trace", "bob.trace")
            bob.wait_for("registered")
            alice = self.phone("call", "alice", way, "bob@atlanta.example", "--for", "1s",
                               "--play", "tone:440", "--listen", listen, "--trace", "alice.trace")
            self.assertEqual(alice.end(), 0, alice.errors)
            self.assertEqual(bob.end(), 0, bob.errors)
            heard = next(news for news in bob.news if news["news"] == "heard")
            self.assertAlmostEqual(heard["heard_hz"], 440, delta=5)
            for name in ("alice.trace", "bob.trace"):
                said = (self.path / name).read_text()
                self.assertRegex(said, rf"\nc=IN IP[46] {own}\n")
                self.assertNotRegex(said, r"(Via|Contact|o=|c=).*(0\.0\.0\.0|\[::\]|IP6 ::\n)")

    def test_no_sound(self):
        """A file that is none ends no call."""
        way = WAYS[0]
        (self.path / "bad.wav").write_text("no sound")
        bob = self.phone("answer", "bob", way, "--once", "--ring", "0")
        bob.wait_for("registered")
        alice = self.phone("call", "alice", way, "sip:bob@atlanta.example", "--for", "0",
                           "--play", "bad.wav")
        self.assertEqual(alice.end(), 0)
        self.assertIn("bad.wav", alice.errors)
        self.assertNotIn("heard", alice.kinds())
        self.assertEqual(bob.end(), 0)

    def test_no_codec(self):
        """A library that is opened for its codec is linked to no other call; where it is not there,
        that is said, and ends none."""
        needed = subprocess.run(["readelf", "-d", AHOY], check=True, capture_output=True, text=True)
        self.assertNotRegex(needed.stdout, "libspandsp|libsrtp2")
        for codec, said in (("g722", "ahoy: no G.722: libspandsp.so.0: "), ("pcmu", "")):
            bob = self.phone("answer", "bob", WAYS[0], "--once", "--ring", "0")
            bob.wait_for("registered")
            alice = self.phone("call", "alice", WAYS[0], "bob@atlanta.example", "--for", "1s",
                               "--codec", codec,
                               program=without(AHOY, b"libspandsp.so.2", self.path))
            self.assertEqual(alice.end(), 0, alice.errors)
            self.assertEqual(bob.end(), 0)
            self.assertEqual("heard" in alice.kinds(), said == "")
            self.assertEqual(alice.errors[:len(said) or None], said)

    def test_callee_hangs_up(self):
        for way in self.ways():
            bob = self.phone("answer", "bob", way, "--ring", "0")
            bob.wait_for("registered")
            alice = self.phone("call", "alice", way, "bob@atlanta.example")
            alice.wait_for("answered")
            bob.process.send_signal(signal.SIGTERM)
            self.assertEqual(bob.end(), 0)
            self.assertEqual(alice.end(), 0)
            self.assertEqual(alice.news[-1]["by"], "the peer")
            # Both goodbyes are sent at once; either may be answered first.
            self.assertEqual(sorted(bob.kinds()[-2:]), ["ended", "unregistered"])

    def test_busy(self):
        for way in self.ways():
            bob = self.phone("answer", "bob", way, "--once", "--busy")
            bob.wait_for("registered")
            alice = self.phone("call", "alice", way, "bob@atlanta.example")
            self.assertEqual(alice.end(), 3)
            self.assertEqual(alice.news[-1]["status"], 486)
            self.assertEqual(bob.end(), 0)

    def test_cancel(self):
        for way in self.ways():
            bob = self.phone("answer", "bob", way, "--once", "--ring", "3600")
            bob.wait_for("registered")
            alice = self.phone("call", "alice", way, "bob@atlanta.example")
            alice.wait_for("ringing")
            alice.process.send_signal(signal.SIGINT)
            self.assertEqual(alice.end(), 1)
            self.assertEqual(alice.kinds()[-1], "ended")
            self.assertEqual(bob.end(), 0)
            self.assertEqual(next(news for news in bob.news if news["news"] == "ended")["by"],
                             "the peer")

    def test_ring_limit(self):
        bob = self.phone("answer", "bob", WAYS[0], "--once", "--ring", "3600")
        bob.wait_for("registered")
        alice = self.phone("call", "alice", WAYS[0], "bob@atlanta.example", "--ring-limit", "1")
        self.assertEqual(alice.end(), 5)
        self.assertEqual(alice.kinds(), ["calling", "ringing", "ended"])
        self.assertEqual(bob.end(), 0)

    def test_nobody(self):
        for way in self.ways():
            phone = self.phone("call", "alice", way, "nobody@atlanta.example")
            self.assertEqual(phone.end(), {404: 8, 480: 5}[phone.news[-1]["status"]])

    def test_no_server(self):
        for way in ("sip:127.0.0.1:{}", "sip:127.0.0.1:{};transport=tcp"):
            phone = AhoyPhone(self, AHOY, "register", "--user", "alice@atlanta.example",
                              "--password-file", "alice", "--server", way.format(free_port()))
            self.assertEqual(phone.end(), 6)
            self.assertEqual(phone.news[-1]["status"], 503)

    def test_message(self):
        """To one that waits for calls and one that stays registered; and what becomes of one that
        nobody takes."""
        for way in self.ways():
            for verb, more in (("answer", ("--once",)), ("register", ("--keep",))):
                bob = self.phone(verb, "bob", way, *more)
                bob.wait_for("registered")
                alice = self.phone("message", "alice", way, "bob@atlanta.example",
                                   "caf\u00e9\x1b[7m", "--valid", "60", "--trace", "alice.trace")
                self.assertEqual(alice.end(), 0, alice.errors)
                self.assertEqual(alice.news[-1]["delivery"], "delivered")
                heard = bob.wait_for("message")
                self.assertEqual(heard["document"], "caf\u00e9\x1b[7m")
                self.assertEqual(heard["text"], "sip:alice@atlanta.example")
                self.assertEqual(heard["expires"], 60)
                self.assertRegex((self.path / "alice.trace").read_text(),
                                 r"\nDate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT")
                bob.process.send_signal(signal.SIGINT)
                self.assertEqual(bob.end(), 0)
            alice = self.phone("message", "alice", way, "nobody@atlanta.example", "hello")
            self.assertEqual(alice.end(), {404: 8, 480: 5}[alice.news[-1]["status"]])
            self.assertEqual(alice.news[-1]["delivery"], "not delivered")

    def test_message_from_input(self):
        """What is read is shown on a terminal without what would steer it."""
        way = WAYS[0].format(self.port)
        bob = subprocess.Popen([AHOY, "answer", "--user", "bob@atlanta.example",
                                "--password-file", "bob", "--server", way], cwd=self.path,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(bob.stdout.close)
        self.addCleanup(bob.wait)
        self.addCleanup(bob.kill)
        self.assertTrue(bob.stdout.readline().startswith(b"registered"))
        for text, code, said in ((b"one\ntwo \x1b[31m\n", 0, b"delivered: 200 OK"),
                                 (b"", 2, b""), (b"\xff", 2, b""),
                                 (b"x" * 1299, 1, b"not delivered: 513")):
            done = subprocess.run([AHOY, "message", "--user", "alice@atlanta.example",
                                   "--password-file", "alice", "--server", way,
                                   "bob@atlanta.example", "-"], cwd=self.path, input=text,
                                  capture_output=True, timeout=PATIENCE, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(said, done.stdout)
        self.assertEqual([bob.stdout.readline() for _ in range(3)],
                         [b"message from sip:alice@atlanta.example:\n", b"  one\n",
                          b"  two \\x1b[31m\n"])

    def test_options(self):
        for way in self.ways():
            bob = self.phone("answer", "bob", way)
            bob.wait_for("registered")
            alice = self.phone("options", "alice", way, "bob@atlanta.example", "--count", "2",
                               "--every", "0")
            self.assertEqual(alice.end(), 0, alice.errors)
            self.assertEqual(alice.kinds(), ["reply", "reply", "trips"])
            self.assertIn("INVITE", alice.news[0]["allow"])
            self.assertGreater(alice.news[0]["rtt_ms"], 0)
            self.assertEqual(alice.news[-1]["answered"], 2)
            server = self.phone("options", "alice", way, way.format(self.port))
            self.assertEqual(server.end(), 0, server.news)
            bob.process.send_signal(signal.SIGINT)
            self.assertEqual(bob.end(), 0)

    def test_options_of_who_is_busy(self):
        bob = self.phone("answer", "bob", WAYS[0], "--busy")
        bob.wait_for("registered")
        alice = self.phone("options", "alice", WAYS[0], "bob@atlanta.example")
        self.assertEqual(alice.end(), 3)
        self.assertEqual(alice.news[-1]["status"], 486)

    def test_instance(self):
        """A phone that stays has a name, which it keeps from one start to the next and in another
        network, R5626-4.1-1 to -3; two at the same time are two; each flow is kept by the server
        until it ends."""
        config = self.path / "named"
        env = {"PATH": "/usr/bin:/bin", "XDG_CONFIG_HOME": str(config)}

        def start(listen):
            trace = self.path / f"named{len(list(self.path.glob('named*')))}.trace"
            phone = AhoyPhone(self, AHOY, "answer", "--user", "bob@atlanta.example",
                              "--password-file", "bob", "--server",
                              f"sip:127.0.0.1:{self.port};transport=tcp", "--server",
                              f"sip:127.0.0.1:{self.port}", "--listen", listen, "--trace",
                              trace.name, env=env)
            phone.wait_for("registered")
            phone.wait_for("registered")
            sent = "".join(message for message in trace.read_text().split("--- ")
                           if "\nREGISTER " in message)
            contacts = set(re.findall(r'\nContact: .*;reg-id=(\d);\+sip.instance="<(.*)>"', sent))
            self.assertEqual(sorted(number for number, _ in contacts), ["1", "2"])
            [name] = {name for _, name in contacts}
            return phone, name

        def stop(phone):
            phone.process.send_signal(signal.SIGINT)
            self.assertEqual(phone.end(), 0, phone.errors)

        first, name = start("127.0.0.1")
        self.assertRegex(name, r"^urn:uuid:[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$")
        self.assertEqual(self.registrations().count("sip:bob@"), 2)
        second, other = start("127.0.0.1")
        self.assertNotEqual(name, other)
        self.assertEqual(self.registrations().count("sip:bob@"), 4)
        stop(first)
        stop(second)
        moved, again = start("127.0.0.2")
        self.assertEqual(name, again)
        alice = self.phone("message", "alice", WAYS[0], "bob@atlanta.example", "by a flow")
        self.assertEqual(alice.end(), 0, alice.news)
        self.assertEqual(moved.wait_for("message")["document"], "by a flow")
        stop(moved)

    def test_account_file(self):
        """Whose phone it is stands in a file, by name or without; what the command line says goes
        before; faults name their line.  Alice has no phone that is called: what is left of this
        one calls nobody away."""
        config = self.path / "config"
        (config / "ahoy").mkdir(parents=True, exist_ok=True)
        account, secret = config / "ahoy" / "account", config / "ahoy" / "secret"
        secret.write_text("secret of alice\n")
        env = {"PATH": "/usr/bin:/bin", "XDG_CONFIG_HOME": str(config)}

        def run(*arguments, more=()):
            return subprocess.run([AHOY, "register", *arguments], cwd=self.path, text=True,
                                  capture_output=True, timeout=PATIENCE, check=False,
                                  stdin=subprocess.DEVNULL, env={**env, **dict(more)})

        server = f"server sip:127.0.0.1:{self.port}\n"
        whole = (f"# mine\nuser nobody@atlanta.example\n{server}\n"
                 f"[alice]\n user  alice@atlanta.example \n{server}password-file secret\n"
                 "[other]\nfrob\n")
        account.write_text(whole)
        secret.chmod(0o600)
        self.assertEqual(run("--account", "alice").returncode, 0)
        self.assertIn("alice@atlanta.example", self.registrations())
        self.assertEqual(run().returncode, 7)
        self.assertIn("[absent]", run("--account", "absent").stderr)
        self.assertEqual(run("--account", "alice", "--password-file", "bob").returncode, 7)
        self.assertIn("--server", run("--user", "alice@atlanta.example").stderr)
        self.assertIn("--server", run(more={"AHOY_USER": "alice@atlanta.example"}).stderr)
        for text, said in ((whole, f"{account}:10: no option that may stand here: frob"),
                           ("[other]\nuser\n", f"{account}:2: an argument is missing behind user"),
                           ("[other]\ninsecure yes\n", "2: there is no argument to insecure"),
                           ("[other]\n\nlisten here\n", "3: cannot be understood: here"),
                           ("[other]\nkeep\n", "2: no option"), ("x" * 8192, "too large"),
                           ("a\0b", "no text")):
            account.write_text(text)
            done = run("--account", "other")
            self.assertEqual(done.returncode, 2)
            self.assertIn(said, done.stderr)
        account.write_text(whole)
        secret.chmod(0o640)
        self.assertIn("chmod 600", run("--account", "alice").stderr)
        account.chmod(0o664)
        self.assertIn("chmod go-w", run("--account", "alice").stderr)
        account.unlink()
        self.assertEqual(run("--account", "alice").returncode, 2)
        self.assertIn("--user", run().stderr)

    def run_ahoy(self, *arguments, code):
        done = subprocess.run([AHOY, *arguments], cwd=self.path, capture_output=True,
                              text=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
                              env={"PATH": "/usr/bin:/bin"})
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def test_command_line(self):
        """Faults are said; R5626-4.1-4 is one of them: another URN than a UUID."""
        self.assertIn("ahoy call", self.run_ahoy("--help", code=0).stdout)
        self.assertRegex(self.run_ahoy("--version", code=0).stdout, r"^ahoy \d+\.\d+")
        self.assertIn("--ring-limit", self.run_ahoy("call", "--help", code=0).stdout)
        self.assertNotIn("--ring-limit", self.run_ahoy("register", "--help", code=0).stdout)
        server = ["--server", f"sip:127.0.0.1:{self.port}"]
        user = ["--user", "alice@atlanta.example"]
        for arguments, word in (
                ([], "ahoy --help"), (["frob"], "frob"),
                (["call", "--frob"], "--frob"), (["call", "-x"], "-x"),
                (["register", "--ring", "1", *user, *server], "--ring"),
                (["call", *user, *server], "URI"),
                (["message", "a@b", *user, *server], "text"),
                (["options", *user, *server], "URI"),
                (["options", "a@b", *user, *server, "--count", "many"], "--count"),
                (["message", "a@b", "x", *user, *server, "--valid", "0"], "--valid"),
                (["call", "a@b", "c@d", *user, *server], "c@d"),
                (["call", "a@b", *server], "--user"),
                (["call", "tel:+1 2", *user, *server], "tel:+1 2"),
                (["register", *user], "--server"),
                (["register", *user, *server, "--instance", "urn:x:1"], "--instance"),
                (["register", *user, *(5 * server)], "--server"),
                (["register", *user, "--server", "sip:192.0.2.1;transport=ws"], "transport"),
                (["register", *user, *server, "--listen", "here"], "--listen"),
                (["register", *user, *server, "--listen", "[::1]:0"], "IPv6"),
                (["register", *user, *server, "--expires", "soon"], "--expires"),
                (["register", *user, *server, "--expires"], "--expires"),
                (["register", *user, *server, "--play", "silence"], "--play"),
                (["call", "a@b", *user, *server, "--play", "tone:high"], "--play"),
                (["call", "a@b", *user, *server, "--play", "tone:5000"], "--play"),
                (["call", "a@b", *user, *server, "--digits", "12x"], "--digits"),
                (["call", "a@b", *user, *server, "--media-ports", "4001-4002"], "--media-ports"),
                (["call", "a@b", *user, *server, "--codec", "pcmu,speex"], "--codec"),
                (["register", *user, *server, "--password-file", "absent"], "absent")):
            with self.subTest(arguments=arguments):
                self.assertIn(word, self.run_ahoy(*arguments, code=2).stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
