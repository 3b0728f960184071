#!/usr/bin/env python3
"""Users in a file of SQLite, beside bindings that are kept elsewhere: what holds of users in a
table (kept_users.py), while another program has the file locked, and when it is taken away.

test_users_file.py BUILD
"""
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

from kept_users import REALM, KeptUsers, listed, settings
from peer import PATIENCE, Ahoyd, free_port, until

BUILD = pathlib.Path(sys.argv[1]).resolve()


class File:
    """As another program has it."""

    def __init__(self, path):
        self.path = path

    def url(self):
        return f"sqlite:{self.path}"

    def open(self):
        return sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)

    def ask(self, query):
        database = self.open()
        try:
            rows = database.execute(query).fetchall()
        finally:
            database.close()
        return "\n".join("|".join("" if value is None else str(value) for value in row)
                         for row in rows)


class InFile(KeptUsers):
    """|journal|: that of a file which others made."""
    build, journal = BUILD, None

    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="ahoy-users-"))
        cls.database = File(pathlib.Path(folder, "users.db"))
        if cls.journal is not None:
            cls.database.ask(f"PRAGMA journal_mode = {cls.journal}")
            cls.database.ask("CREATE TABLE theirs (number INTEGER)")
        cls.port = free_port()
        cls.server = cls.enterClassContext(Ahoyd(BUILD, settings(cls.database.url(), cls.port)))

    def have_all_read_again(self):
        self.database.ask("DELETE FROM ahoy_changes")

    def is_told(self, text):
        """The end of the log from here on has it, some time."""
        return lambda: text in self.server.log()[self.said:]

    def setUp(self):
        super().setUp()
        self.said = len(self.server.log())

    def test_while_it_is_locked(self):
        self.add("hank")
        self.holds("a user comes")
        self.assertEqual(self.registers("hank", "secret"), 200)
        until(lambda: self.listed() == ["hank@" + REALM], "the mark goes")
        other = self.database.open()
        other.execute("BEGIN EXCLUSIVE")
        try:
            self.assertEqual(self.registers("hank", "secret"), 200)
            begun = time.monotonic()
            refused = self.server.ctl("user", "add", "ian@" + REALM, input="x\n")
            print(f"refused after {time.monotonic() - begun:.1f} s", flush=True)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("the database of users does not answer", refused.stderr)
            until(self.is_told("is locked by another program"), "that is told")
            self.assertEqual(self.registers("hank", "secret"), 200)
        finally:
            other.execute("ROLLBACK")
            other.close()
        until(lambda: self.server.ctl("user", "add", "ian@" + REALM, input="x\n").returncode == 0,
              "users can be changed again")
        self.assertEqual(self.registers("ian", "x"), 200)

    def test_a_change_waits_for_another(self):
        other = self.database.open()
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO ahoy_users (name, realm, md5) VALUES "
                      f"('jane', '{REALM}', '{'0' * 32}')")
        with subprocess.Popen([BUILD / "bin" / "ahoyctl", "--socket", "ahoyd.sock", "user", "add",
                               "ian@" + REALM], cwd=self.server.path, stdin=subprocess.PIPE,
                              text=True) as waits:
            waits.stdin.write("x\n")
            waits.stdin.close()
            time.sleep(0.3)  # It has come by then, mostly.
            other.execute("COMMIT")
            other.close()
            self.assertEqual(waits.wait(PATIENCE), 0)
        until(lambda: self.listed() == ["ian@" + REALM, "jane@" + REALM], "both are served")


class Users(InFile, unittest.TestCase):
    """In a file that ahoyd has made."""

    def test_nobody_else_can_read_it(self):
        self.assertEqual(self.database.path.stat().st_mode & 0o777, 0o600)


class UsersAmongOthers(InFile, unittest.TestCase):
    """In a file that has another's tables, which stay as they are."""
    journal = "DELETE"

    def test_the_file_stays_theirs(self):
        self.assertEqual(self.database.ask("PRAGMA journal_mode"), "delete")
        self.assertEqual(self.database.ask("SELECT count(*) FROM theirs"), "0")
        self.database.ask("INSERT INTO ahoy_users (id, name, realm, md5) VALUES "
                          f"(7, 'ann', '{REALM}', '{'0' * 32}')")
        until(lambda: self.listed() == ["ann@" + REALM], "a user comes")
        self.database.ask("REPLACE INTO ahoy_users (id, name, realm, md5) VALUES "
                          f"(7, 'bea', '{REALM}', '{'0' * 32}')")
        until(lambda: self.listed() == ["bea@" + REALM], "another takes her row")
        self.assertEqual(self.database.ask("PRAGMA user_version"), "0")

    def test_when_it_may_only_be_read(self):
        if os.geteuid() != 0 or shutil.which("setpriv") is None:
            self.skipTest("needs to be root, and setpriv")
        self.add("hank")
        folder = self.database.path.parent
        folder.chmod(0o755)
        self.database.path.chmod(0o644)
        before = ("setpriv", "--reuid=nobody", "--clear-groups")
        config = settings(self.database.url(), free_port())
        with Ahoyd(BUILD, config, before, owner="nobody") as own:
            self.assertEqual(listed(own), ["hank@" + REALM])
            refused = own.ctl("user", "add", "ian@" + REALM, input="x\n")
            self.assertIn("the users' file is read-only: let ahoyd write to it", refused.stderr)
            self.assertEqual(listed(own), ["hank@" + REALM])

    def test_when_it_is_taken_away(self):
        self.add("hank")
        self.holds("a user comes")
        self.assertEqual(self.registers("hank", "secret"), 200)
        until(lambda: self.listed() == ["hank@" + REALM], "the mark goes")
        away = self.database.path.with_suffix(".away")
        os.rename(self.database.path, away)
        until(self.is_told("has gone, or another took its place"), "that is told")
        self.assertEqual(self.registers("hank", "secret"), 200)
        refused = self.server.ctl("user", "add", "ian@" + REALM, input="x\n")
        self.assertIn("the database of users does not answer", refused.stderr)
        self.assertFalse(self.database.path.exists())
        File(away).ask("UPDATE ahoy_users SET name = 'henry'")
        os.rename(away, self.database.path)
        until(lambda: self.listed() == ["henry@" + REALM], "what changed meanwhile is read")
        until(self.is_told("is used again"), "that is told")
        self.assertEqual(self.server.ctl("user", "add", "ian@" + REALM, input="x\n").returncode, 0)

    def test_when_it_is_damaged(self):
        self.add("hank")
        self.holds("a user comes")
        until(lambda: self.listed() == ["hank@" + REALM], "the mark goes")
        sound = self.database.path.read_bytes()
        with open(self.database.path, "r+b") as file:
            file.write(b"x" * 512)
        until(self.is_told("cannot be read: file is not a database"), "that is told")
        self.assertEqual(self.registers("hank", "secret"), 200)
        with open(self.database.path, "r+b") as file:
            file.write(sound)
        until(self.is_told("is used again"), "that is told")
        self.assertEqual(self.server.ctl("user", "add", "ian@" + REALM, input="x\n").returncode, 0)
        self.assertEqual(self.listed(), ["hank@" + REALM, "ian@" + REALM])

    def test_when_another_takes_its_place(self):
        self.add("hank")
        self.holds("a user comes")
        self.assertEqual(self.registers("hank", "secret"), 200)
        until(lambda: self.listed() == ["hank@" + REALM], "the mark goes")
        other = self.database.path.with_suffix(".other")
        other.write_bytes(self.database.path.read_bytes())
        File(other).ask("UPDATE ahoy_users SET name = 'henry'")
        os.rename(other, self.database.path)
        until(lambda: self.listed() == ["henry@" + REALM], "the other is served")
        self.assertEqual(self.server.ctl("user", "add", "ian@" + REALM, input="x\n").returncode, 0)
        self.assertEqual(self.database.ask("SELECT count(*) FROM ahoy_users"), "2")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
