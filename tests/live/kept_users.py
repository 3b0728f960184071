"""What users in a table hold to, whichever database has it: what SQL and ahoyctl change there is
what a phone meets within a second, whatever else has been written into the table."""
import hashlib
import pathlib
import re
import subprocess
import tempfile

from peer import PATIENCE, free_port, status_of, until
from phone import Phone

REALM = "atlanta.example"

CONFIG = """\
listen "udp:127.0.0.1:{port}"
domain "atlanta.example"
users "{url}"
{store}
"""


def settings(url, port, store='store "memory:"'):
    return CONFIG.format(url=url, port=port, store=store)


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def ha1(user, password):
    return md5(f"{user}:{REALM}:{password}")


def listed(server):
    return sorted(line.split()[0] for line in server.ctl("user", "list").stdout.splitlines())


class KeptUsers:
    """Tests for a class that has |build|, |database| with url() and ask(), and a |server| at |port|
    whose users are in it."""

    def setUp(self):
        self.database.ask("DELETE FROM ahoy_users")
        until(lambda: self.listed() == [], "all users go")

    def listed(self):
        return listed(self.server)

    def registers(self, user, password, digest_user=None):
        """The status of a REGISTER that answers a challenge with MD5."""
        phone = Phone(user, self.port, "udp")
        self.addCleanup(phone.close)
        call = {"id": f"users-{phone.number}", "to": user}
        phone.send("REGISTER", f"sip:{REALM}", call)
        challenge = next(row for row in phone.read(401).decode().split("\r\n")
                         if row.startswith("WWW-Authenticate: ") and "MD5" in row)
        nonce = re.search('nonce="([^"]*)"', challenge).group(1)
        digest = md5(f"{ha1(digest_user or user, password)}:{nonce}:00000001:c:auth:" +
                     md5(f"REGISTER:sip:{REALM}"))
        phone.send("REGISTER", f"sip:{REALM}", call, [
            f'Authorization: Digest username="{digest_user or user}", realm="{REALM}", '
            f'nonce="{nonce}", uri="sip:{REALM}", response="{digest}", algorithm=MD5, qop=auth, '
            'nc=00000001, cnonce="c"'], cseq=2)
        phone.connection.settimeout(PATIENCE)
        return status_of(phone.way.read())

    def add(self, name, password="secret"):
        """By SQL, as a program that knows nothing of Ahoy would."""
        self.database.ask("INSERT INTO ahoy_users (name, realm, md5) VALUES "
                          f"('{name}', '{REALM}', '{ha1(name, password)}')")

    def holds(self, what):
        """Waits until the server knows of all that SQL has done: changes come in their order."""
        self.marks = getattr(self, "marks", 0) + 1
        self.add(f"mark{self.marks}")
        self.soon(lambda: f"mark{self.marks}@" + REALM in self.listed(), what)
        self.database.ask("DELETE FROM ahoy_users WHERE name LIKE 'mark%'")

    def soon(self, holds, what):
        took = until(holds, what, 2 * PATIENCE)
        print(f"{what}: {1000 * took:.0f} ms", flush=True)

    def test_what_sql_changes_holds_soon(self):
        self.add("alice")
        self.holds("a user comes")  # Who fails to log in must wait.
        self.assertEqual(self.registers("alice", "secret"), 200)
        self.database.ask(f"UPDATE ahoy_users SET md5 = '{ha1('alice', 'other')}'")
        self.holds("a password changes")
        self.assertEqual(self.registers("alice", "other"), 200)
        self.assertEqual(self.registers("alice", "secret"), 401)
        self.database.ask("INSERT INTO ahoy_users (name, realm, alias_of) VALUES "
                          f"('100', '{REALM}', 'alice')")
        self.holds("an alias comes")
        self.assertEqual(self.registers("100", "other", "alice"), 200)
        self.database.ask("UPDATE ahoy_users SET name = 'alicia' WHERE name = 'alice'")
        self.soon(lambda: self.listed() == ["alicia@" + REALM] and f"alicia@{REALM}" in
                  self.server.ctl("user", "alias", "list").stdout, "a user has another name")
        self.database.ask("DELETE FROM ahoy_users WHERE name = 'alicia'")
        self.soon(lambda: self.listed() == [], "a user goes")
        self.assertNotIn("100", self.server.ctl("user", "alias", "list").stdout)

    def test_more_than_can_be_followed(self):
        for first in range(0, 5000, 1000):
            self.database.ask("INSERT INTO ahoy_users (name, realm, md5) VALUES " + ", ".join(
                f"('user{n}', '{REALM}', '{ha1(f'user{n}', 'secret')}')"
                for n in range(first, first + 1000)))
        self.soon(lambda: len(self.listed()) == 5000, "five thousand users come")
        self.assertEqual(self.registers("user4999", "secret"), 200)
        self.database.ask("DELETE FROM ahoy_users")
        self.soon(lambda: self.listed() == [], "five thousand users go")

    def test_what_ahoyctl_changes_stands_in_the_table(self):
        for arguments, given in [(["add", "carol@" + REALM], "secret\n"),
                                 (["add", "carol@" + REALM], "changed\n"),
                                 (["alias", "add", "200@" + REALM, "carol@" + REALM], ""),
                                 (["import", "-"], f"user,md5\ndave@{REALM},{ha1('dave', 'x')}\n")]:
            done = self.server.ctl("user", *arguments, input=given)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.database.ask(
            "SELECT name, realm, md5, length(sha256), length(sha512_256), alias_of "
            "FROM ahoy_users ORDER BY name").split("\n"),
            [f"200|{REALM}||||carol", f"carol|{REALM}|{ha1('carol', 'changed')}|64|64|",
             f"dave|{REALM}|{ha1('dave', 'x')}|||"])
        self.assertEqual(self.registers("carol", "changed"), 200)
        taken = self.server.ctl("user", "add", "200@" + REALM, input="x\n")
        self.assertIn("there is an alias of that name", taken.stderr)
        for user in ("carol", "dave"):
            gone = self.server.ctl("user", "remove", f"{user}@{REALM}")
            self.assertEqual(gone.returncode, 0, gone.stderr)
        self.assertEqual(self.database.ask("SELECT count(*) FROM ahoy_users"), "0")

    def test_rows_that_do_not_fit(self):
        self.add("erin")
        self.holds("a user comes")
        self.assertEqual(self.registers("erin", "secret"), 200)
        until(lambda: self.listed() == ["erin@" + REALM], "the mark goes")
        self.database.ask("INSERT INTO ahoy_users (id, name, realm, md5, alias_of) VALUES "
                          f"(-1, 'capitals', '{REALM}', '{md5('x').upper()}', NULL), "
                          f"(-2, '{'x' * 256}', '{REALM}', '{md5('x')}', NULL), "
                          f"(-3, '{'x' * 9000}', '{REALM}', '{md5('x')}', NULL), "
                          f"(-4, 'nothing', '{REALM}', NULL, NULL), "
                          f"(-5, 'a@b', '{REALM}', '{md5('x')}', NULL)")
        self.database.ask("UPDATE ahoy_users SET id = -6, md5 = 'none' WHERE name = 'erin'")
        self.add("fay")
        until(lambda: self.listed() == ["fay@" + REALM], "the rest is served")
        names = [f"the id -{row} is not served" for row in range(1, 7)]
        until(lambda: all(name in self.server.log() for name in names), "each is named")
        self.have_all_read_again()
        self.add("gus")
        until(lambda: self.listed() == ["fay@" + REALM, "gus@" + REALM], "a further one comes")
        for name in names:
            self.assertEqual(self.server.log().count(name), 1)
        mended = self.server.ctl("user", "add", "erin@" + REALM, input="again\n")
        self.assertEqual(mended.returncode, 0, mended.stderr)
        self.assertEqual(self.registers("erin", "again"), 200)

    def test_without_a_server(self):
        for store in ('store "memory:"', 'store "sqlite:ahoy.db"'):
            with tempfile.TemporaryDirectory(prefix="ahoy-users-") as folder:
                path = pathlib.Path(folder, "ahoyd.lua")
                path.write_text(settings(self.database.url(), free_port(), store))
                done = subprocess.run([self.build / "bin" / "ahoyctl", "--config", path, "user",
                                       "add", "kim@" + REALM], input="secret\n", text=True,
                                      cwd=folder, capture_output=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
            self.holds("the user comes")
            self.assertEqual(self.registers("kim", "secret"), 200)
