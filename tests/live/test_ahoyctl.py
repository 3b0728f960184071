#!/usr/bin/env python3
"""ahoyctl on a running server, and on the store of one that is down.

test_ahoyctl.py BUILD
"""
import contextlib
import hashlib
import json
import pathlib
import socket
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from peer import Ahoyd, free_port, status_of

BUILD = pathlib.Path(sys.argv[1]).resolve()


class Ctl(unittest.TestCase):
    def run_ctl(self, folder, *arguments, text=""):
        return subprocess.run([BUILD / "bin" / "ahoyctl", *arguments], cwd=folder, input=text,
                              capture_output=True, text=True, timeout=20, check=False)

    def users(self, folder, *where):
        answer = self.run_ctl(folder, *where, "--json", "user", "list")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        return sorted(f"{user['user']}@{user['realm']}" for user in json.loads(answer.stdout))

    def go_through(self, folder, *where):
        """The same on a server and on a store alone."""
        self.assertEqual(self.users(folder, *where), [])
        added = self.run_ctl(folder, *where, "user", "add", "alice@Atlanta.Example",
                             text="alice-secret\n")
        self.assertEqual(added.returncode, 0, added.stderr)
        imported = self.run_ctl(folder, *where, "user", "import",
                                text="# ours\nbob@atlanta.example b c\nnobody x\ncarol@a.example\n")
        self.assertEqual(imported.returncode, 1)
        self.assertIn("line 3", imported.stderr)
        self.assertIn("line 4", imported.stderr)
        self.assertEqual(self.users(folder, *where),
                         ["alice@atlanta.example", "bob@atlanta.example"])
        for wrong in ["alice", "@b.example", "a@"]:
            self.assertEqual(self.run_ctl(folder, *where, "user", "add", wrong, text="x\n")
                             .returncode, 2)
        empty = self.run_ctl(folder, *where, "user", "add", "dave@a.example", text="\n")
        self.assertEqual(empty.returncode, 1)
        self.assertIn("no password", empty.stderr)
        self.go_through_aliases(folder, *where)
        for code in [0, 1]:
            gone = self.run_ctl(folder, *where, "user", "remove", "bob@atlanta.example")
            self.assertEqual(gone.returncode, code)
        self.assertIn("no such user", gone.stderr)
        self.assertEqual(self.users(folder, *where), ["alice@atlanta.example"])
        self.go_through_tables(folder, *where)

    def go_through_tables(self, folder, *where):
        """CSV as spreadsheets and other servers write it."""
        def take(text, *options):
            return self.run_ctl(folder, *where, *options, "user", "import", "-", text=text)
        ha1 = "a" * 32
        table = ("User,realm,password,md5\r\n"
                 'erin,Atlanta.Example,"a ""b"", c",\r\n'
                 "\r\n"
                 "frank@b.example,,secret,\n"
                 f"grace,b.example,,{ha1}\n"
                 "no one,b.example,x,\n"                # 6
                 "heidi,b.example,,\n"                  # 7
                 f"ivan,b.example,x,{ha1}\n"            # 8
                 "judy,b.example,,ABC\n"                # 9
                 "kim,b.example,x\n"                    # 10
                 'lea,b.example,"x,\n'                  # 11
                 'mia,b.example,"x"y,\n'                # 12
                 f"{'n' * 5000},b.example,x,\n"         # 13
                 f"{'o' * 256},b.example,x,\n"          # 14
                 "peggy,b.example,last,")
        faulty = list(range(6, 15))
        added = ["erin@atlanta.example", "frank@b.example", "grace@b.example"]
        before = self.users(folder, *where)
        dry = take(table, "--dry-run")
        self.assertEqual((dry.returncode, dry.stdout), (1, "4 users sound, 9 lines faulty\n"))
        self.assertEqual(self.users(folder, *where), before)
        strict = take(table, "--strict")
        self.assertEqual((strict.returncode, strict.stdout),
                         (1, "3 users imported, 1 lines faulty, the rest left\n"))
        self.assertEqual(self.users(folder, *where), sorted(before + added))
        every = take(table)
        self.assertEqual((every.returncode, every.stdout),
                         (1, "4 users imported, 9 lines faulty\n"))
        self.assertEqual([int(line.split(":")[1].split()[1]) for line in every.stderr.splitlines()],
                         faulty)
        self.assertEqual(self.users(folder, *where), sorted(before + added + ["peggy@b.example"]))
        for header in ("name,password", "realm,password", "user,user", "", 'user,"password'):
            self.assertEqual(take(f"{header}\nx@b.example,y\n").returncode, 1, header)
        many = "user,password\n" + "".join(f"u{i}@many.example,p{i}\n" for i in range(1001))
        self.assertEqual(take(many).stdout, "1001 users imported, 0 lines faulty\n")
        self.assertEqual(take(many).returncode, 0)
        absent = self.run_ctl(folder, *where, "user", "import", "absent.csv")
        self.assertEqual(absent.returncode, 1)
        self.assertIn("absent.csv: No such file", absent.stderr)

    def aliases(self, folder, *where):
        answer = self.run_ctl(folder, *where, "--json", "user", "alias", "list")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        return sorted((row["alias"], row["realm"], row["user"])
                      for row in json.loads(answer.stdout))

    def go_through_aliases(self, folder, *where):
        alias = [*where, "user", "alias"]
        self.assertEqual(self.aliases(folder, *where), [])
        for wrong in [["add", "1@a.example"], ["add", "1", "bob@atlanta.example"], ["remove"],
                      ["add", "1@b.example", "bob@atlanta.example"], ["list", "x"], []]:
            self.assertEqual(self.run_ctl(folder, *alias, *wrong).returncode, 2)
        added = self.run_ctl(folder, *alias, "add", "100@Atlanta.Example", "bob@atlanta.example")
        self.assertEqual(added.returncode, 0, added.stderr)
        taken = self.run_ctl(folder, *alias, "add", "alice@atlanta.example", "bob@atlanta.example")
        self.assertEqual(taken.returncode, 1)
        self.assertIn("a user of that name", taken.stderr)
        self.assertEqual(self.aliases(folder, *where), [("100", "atlanta.example", "bob")])
        self.assertIn("100@atlanta.example  bob@atlanta.example",
                      self.run_ctl(folder, *alias, "list").stdout)
        for code in [0, 1]:
            gone = self.run_ctl(folder, *alias, "remove", "100@atlanta.example")
            self.assertEqual(gone.returncode, code)
        self.assertIn("no such alias", gone.stderr)

    def test_on_a_store_alone(self):
        with tempfile.TemporaryDirectory(prefix="ahoyctl-") as folder:
            config = pathlib.Path(folder) / "ahoyd.lua"
            config.write_text('listen "udp:127.0.0.1"\ndomain "atlanta.example"\n'
                              'store "sqlite:ahoy.db"\n')
            self.go_through(folder, "--config", "ahoyd.lua")
            with contextlib.closing(sqlite3.connect(f"{folder}/ahoy.db")) as database:
                dump = "\n".join(database.iterdump())
                for user, realm, ha1 in [
                        ("erin", "atlanta.example", 'erin:atlanta.example:a "b", c'),
                        ("frank", "b.example", "frank:b.example:secret"),
                        ("u1000", "many.example", "u1000:many.example:p1000")]:
                    (row,) = database.execute("SELECT md5, sha256 FROM users WHERE user = ? AND "
                                              "realm = ?", (user.encode(), realm.encode()))
                    self.assertEqual([digest.decode() for digest in row],
                                     [hashlib.md5(ha1.encode()).hexdigest(),
                                      hashlib.sha256(ha1.encode()).hexdigest()])
            self.assertNotIn("alice-secret", dump)
            self.assertEqual((pathlib.Path(folder) / "ahoy.db").stat().st_mode & 0o077, 0)
            nothing = self.run_ctl(folder, "--config", "ahoyd.lua", "counters")
            self.assertEqual(nothing.returncode, 1)
            self.assertIn("not running", nothing.stderr)
            nothing = self.run_ctl(folder, "--config", "ahoyd.lua", "trim")
            self.assertEqual(nothing.returncode, 1)
            self.assertIn("not running", nothing.stderr)

    def test_on_a_server(self):
        port = free_port()
        with Ahoyd(BUILD, f'listen "udp:127.0.0.1:{port}"\n'
                          'domain("atlanta.example", { auth = "none" })\n'
                          'store "sqlite:ahoy.db"\nworkers(2)\n') as server:
            self.go_through(server.path)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.bind(("127.0.0.1", 0))
                udp.settimeout(20)
                local = udp.getsockname()[1]
                udp.sendto(f"REGISTER sip:atlanta.example SIP/2.0\r\n"
                           f"Via: SIP/2.0/UDP 127.0.0.1:{local};branch=z9hG4bKctl\r\n"
                           f"From: <sip:eve@atlanta.example>;tag=1\r\nCSeq: 7 REGISTER\r\n"
                           f"To: <sip:eve@atlanta.example>\r\nCall-ID: ctl\r\n"
                           f"Contact: <sip:eve@127.0.0.1:{local}>;expires=600\r\n"
                           f"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n".encode(),
                           ("127.0.0.1", port))
                self.assertEqual(status_of(udp.recv(65536)), 200)
            answer = self.run_ctl(server.path, "--json", "registrations", "eve@atlanta.example")
            (row,) = json.loads(answer.stdout)
            self.assertEqual(row["contacts"][0]["contact"], f"sip:eve@127.0.0.1:{local}")
            self.assertEqual(row["contacts"][0]["cseq"], 7)
            self.assertTrue(590 <= row["contacts"][0]["expires"] <= 600)
            self.assertIn("eve@atlanta.example", server.ctl("registrations").stdout)
            counters = json.loads(server.ctl("--json", "counters").stdout)
            self.assertEqual(counters["registers"], 1)
            trimmed = server.ctl("trim")
            self.assertEqual((trimmed.returncode, trimmed.stdout, trimmed.stderr), (0, "", ""))
            trims = json.loads(server.ctl("--json", "counters").stdout)["trims"]
            self.assertEqual(trims, counters["trims"] + 2)  # Of each worker one.

    def test_what_is_not_understood(self):
        with tempfile.TemporaryDirectory(prefix="ahoyctl-") as folder:
            for words in [[], ["uzer"], ["user"], ["user", "add"], ["counters", "x"], ["--what"],
                          ["ladder"], ["trim", "x"]]:
                answer = self.run_ctl(folder, *words)
                self.assertEqual(answer.returncode, 2, words)
                self.assertNotEqual(answer.stderr, "")
            self.assertEqual(self.run_ctl(folder, "--help").returncode, 0)
            self.assertRegex(self.run_ctl(folder, "--version").stdout, r"^ahoyctl \d")
            nobody = self.run_ctl(folder, "user", "list")
            self.assertEqual(nobody.returncode, 1)
            self.assertIn("--config", nobody.stderr)
            silent = self.run_ctl(folder, "--socket", "none.sock", "user", "list")
            self.assertEqual(silent.returncode, 1)
            self.assertIn("none.sock", silent.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
