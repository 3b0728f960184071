#!/usr/bin/env python3
"""Users in PostgreSQL, which is real, beside bindings that are kept elsewhere: what holds of users
in a table (kept_users.py), and while the database is away.

test_users.py BUILD
"""
import pathlib
import sys
import unittest

from kept_users import REALM, KeptUsers, listed, settings
from peer import Ahoyd, free_port, until
from postgres import Postgres

BUILD = pathlib.Path(sys.argv[1]).resolve()


class Users(KeptUsers, unittest.TestCase):
    build = BUILD

    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(Postgres())
        cls.port = free_port()
        cls.server = cls.enterClassContext(Ahoyd(BUILD, settings(cls.database.url(), cls.port)))

    def have_all_read_again(self):
        self.database.kill()
        self.database.start()

    def test_all_go_at_once(self):
        self.add("bob")
        until(lambda: self.listed() == ["bob@" + REALM], "another comes")
        self.database.ask("TRUNCATE ahoy_users")
        self.soon(lambda: self.listed() == [], "all go at once")

    def test_while_the_database_is_away(self):
        self.add("hank")
        until(lambda: self.registers("hank", "secret") == 200, "a user comes")
        self.database.freeze()
        try:
            self.assertEqual(self.registers("hank", "secret"), 200)
            refused = self.server.ctl("user", "add", "ian@" + REALM, input="x\n")
            self.assertEqual(refused.returncode, 1)
            self.assertIn("the database of users does not answer", refused.stderr)
        finally:
            self.database.thaw()
        self.database.kill()
        self.assertEqual(self.registers("hank", "secret"), 200)
        self.database.start()
        self.database.ask("DELETE FROM ahoy_users")
        self.add("jane")
        until(lambda: self.listed() == ["jane@" + REALM], "what changed meanwhile is read")
        until(lambda: self.server.ctl("user", "add", "ian@" + REALM, input="x\n").returncode == 0,
              "users can be changed again")

    def test_beside_a_file(self):
        """Bindings in SQLite; the users that it has of its own are neither served nor lost."""
        own = f'listen "udp:127.0.0.1:{free_port()}"\ndomain "atlanta.example"\n'
        port = free_port()
        with Ahoyd(BUILD, own) as server:
            self.assertEqual(server.ctl("user", "add", "lea@" + REALM, input="x\n").returncode, 0)
            server.stop()
            (server.path / "ahoyd.lua").write_text(settings(self.database.url(), port, ""))
            server.start()
            self.assertIn("1 users of its own who are not served", server.log())
            self.assertEqual(listed(server), [])
            self.add("mia")
            until(lambda: listed(server) == ["mia@" + REALM],
                  "a user comes")
            server.stop()
            (server.path / "ahoyd.lua").write_text(own)
            server.start()
            self.assertEqual(listed(server), ["lea@" + REALM])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
