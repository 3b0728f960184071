#!/usr/bin/env python3
"""The library as somebody who installs it finds it: the examples, built by pkg-config and by CMake
from an installed tree, register, answer and call through a server.

test_examples.py BUILD
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from peer import PATIENCE, Ahoyd, free_port, need

BUILD = sys.argv[1]
SOURCES = pathlib.Path(__file__).resolve().parents[2] / "examples"
STRICT = ["-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
SIMULATED = """\
     0  alice  INVITE sip:bob@192.0.2.2 SIP/2.0
    20  bob    SIP/2.0 100 Trying
    30  bob    SIP/2.0 180 Ringing
  2020  bob    SIP/2.0 200 OK
  2040  alice  ACK sip:bob@192.0.2.2:5060 SIP/2.0
  5040  alice  BYE sip:bob@192.0.2.2:5060 SIP/2.0
  5060  bob    SIP/2.0 200 OK
"""


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=4 * PATIENCE, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}")
    return done.stdout


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="ahoy-examples-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.prefix = pathlib.Path(cls.folder.name) / "usr"
        for part in "libahoy-dev", "libahoy0", "libahoy-media0":
            run("cmake", "--install", BUILD, "--component", part, "--prefix", cls.prefix)
        cls.lib = next(cls.prefix.glob("lib*/**/libahoy.a")).parent
        cls.bin = pathlib.Path(cls.folder.name) / "build"
        run("cmake", "-S", SOURCES, "-B", cls.bin, f"-DCMAKE_PREFIX_PATH={cls.prefix}")
        run("cmake", "--build", cls.bin)

    def start(self, name, *words, password="secret"):
        with tempfile.TemporaryFile() as typed:
            typed.write(f"{password}\n".encode())
            typed.seek(0)
            process = subprocess.Popen([self.bin / name, *words], stdin=typed, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def serve(self):
        port = free_port()
        server = Ahoyd(BUILD, f"""listen "udp:127.0.0.1:{port}"
domain "atlanta.example"
store "memory:"
control "unix:ahoyd.sock"
""")
        self.addCleanup(server.__exit__)
        for user in "alice", "bob":
            added = server.ctl("user", "add", f"{user}@atlanta.example", input="secret\n")
            self.assertEqual(added.returncode, 0, added.stderr)
        return f"127.0.0.1:{port}"

    def test_pkg_config(self):
        flags = run(need("pkg-config"), "--cflags", "--libs", "ahoy", "ahoy-media",
                    env={"PKG_CONFIG_PATH": str(self.lib / "pkgconfig")})
        self.assertIn(str(self.prefix), flags)
        source = self.bin / "program.c"
        source.write_text('#include <ahoy/ahoy.h>\n#include <libahoy/media/media.h>\n'
                          'int main(void) { return ahoy_driver_now() == 0; }\n')
        run("cc", *STRICT, source, "-o", self.bin / "program", *flags.split())
        run(self.bin / "program", env={"LD_LIBRARY_PATH": str(self.lib)})

    def is_shared(self):
        """Builds with a sanitizer have archives alone."""
        return (self.lib / "libahoy.so").exists()

    def exported(self, name):
        table = run("nm", "-D", "--defined-only", self.lib / name)
        return {row.split()[2].split("@")[0] for row in table.splitlines()} - {"AHOY_0"}

    def needed(self, file):
        return re.findall(r"\((?:NEEDED|SONAME)\).*\[(.*)\]", run("readelf", "-d", file))

    def test_the_face_of_the_shared_library(self):
        if not self.is_shared():
            self.skipTest("there is none")
        self.assertIn("libahoy.so.0", self.needed(self.lib / "libahoy.so"))
        names = self.exported("libahoy.so")
        self.assertLessEqual({"ahoy_message_parse", "ahoy_ua_new", "ahoy_driver_open",
                              "ahoy_pump_wait", "ahoy_cause_rows"}, names)
        # What a header declares that <ahoy/ahoy.h> does not lead to is nobody's.
        self.assertEqual([name for name in names if not name.startswith("ahoy_")], [])
        self.assertEqual(names & {"ahoy_utf8_wide", "ahoy_socket_listen", "ahoy_scan_control",
                                  "ahoy_streams_serve", "ahoy_door_open"}, set())
        media = self.exported("libahoy_media.so")
        self.assertIn("ahoy_media_new", media)
        self.assertEqual([name for name in media & names], [])

    def test_all_that_the_face_declares_can_be_linked(self):
        if not self.is_shared():
            self.skipTest("there is none")
        shown = run("cc", "-E", "-P", f"-I{self.prefix}/include", "-include", "ahoy/ahoy.h", "-xc",
                    "/dev/null")
        shown = re.sub(r"\{[^{}]*\}", "", shown)  # Bodies of functions that are inline.
        declared = set(re.findall(r"\b(ahoy_\w+)\([^;]*\);", shown))
        archived = run("nm", "--defined-only", self.lib / "libahoy.a", self.lib / "libahoy_io.a")
        defined = set(re.findall(r" [TDRB] (ahoy_\w+)$", archived, re.MULTILINE))
        self.assertGreater(len(declared & defined), 300)
        self.assertEqual((declared & defined) - self.exported("libahoy.so"), set())

    def test_the_examples_link_what_is_shared(self):
        if not self.is_shared():
            self.skipTest("there is none")
        needed = self.needed(self.bin / "call")
        self.assertIn("libahoy.so.0", needed)
        self.assertEqual([name for name in needed if re.match("lib(ssl|unbound|wslay)", name)], [])

    def test_the_archives(self):
        static = self.bin.parent / "static"
        run("cmake", "-S", SOURCES, "-B", static, f"-DCMAKE_PREFIX_PATH={self.prefix}",
            "-DAHOY=ahoy::static")
        run("cmake", "--build", static)
        self.assertNotIn("libahoy.so.0", self.needed(static / "call"))
        self.assertEqual(run(static / "simulated_call"), SIMULATED)

    def test_examples_are_strict(self):
        for source in sorted(SOURCES.glob("*.c")):
            run("cc", *STRICT, f"-I{self.prefix}/include", "-fsyntax-only", source)

    def test_simulated_call(self):
        self.assertEqual(run(self.bin / "simulated_call"), SIMULATED)

    def test_register(self):
        server = self.serve()
        registered = self.start("register", "alice", "atlanta.example", server)
        self.assertRegex(registered.stdout.read(), r"^registered for \d+ seconds\n$")
        self.assertEqual(registered.wait(PATIENCE), 0)
        refused = self.start("register", "alice", "atlanta.example", server, password="wrong")
        self.assertRegex(refused.stdout.read(), r"^not registered: 40[13] ")
        self.assertEqual(refused.wait(PATIENCE), 1)

    def call(self, server, by):
        answer = self.start("answer", "bob", "atlanta.example", server)
        self.assertEqual(answer.stdout.readline(), "waiting for a call\n")
        call = self.start("call", "alice", "atlanta.example", by, "sip:bob@atlanta.example")
        said = call.stdout.read()
        self.assertRegex(said, r"answered by .*bob@")
        self.assertRegex(said, r"\nended: ")
        self.assertEqual(call.wait(PATIENCE), 0)
        heard = answer.stdout.read()
        self.assertRegex(heard, r"alice@atlanta\.example.* calls\nended: ")
        self.assertEqual(answer.wait(PATIENCE), 0)

    def test_call(self):
        server = self.serve()
        self.call(server, server)

    def test_call_through_the_proxy(self):
        server, proxy = self.serve(), f"127.0.0.1:{free_port()}"
        self.start("proxy", proxy, server)
        self.call(server, proxy)

    def test_usage(self):
        for name in "register", "call", "answer", "proxy":
            process = self.start(name)
            self.assertTrue(re.match(f"usage: {name} ", process.stdout.read()))
            self.assertEqual(process.wait(PATIENCE), 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
