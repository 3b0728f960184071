"""A PostgreSQL of a test's own: in a temporary folder, on loopback, for whoever asks."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from peer import PATIENCE, SKIPPED, free_port


def programs():
    """Where Debian keeps them: initdb and postgres are not on the path."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        print("skipped: postgresql is not installed")
        raise SystemExit(SKIPPED)
    return found[-1].parent


class Postgres:
    """Use it in a with statement.  It does not run as root, so there it runs as postgres."""

    def __init__(self):
        self.bin = programs()
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="ahoy-postgres-", dir="/tmp")
        self.user = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self.user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self.process = None

    def __enter__(self):
        self.run("initdb", "-D", "data", "-A", "trust", "-U", "ahoy", "--no-sync",
                 "--encoding=UTF8")
        self.start()
        self.create("ahoy")
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder)

    def run(self, program, *arguments):
        done = subprocess.run([self.bin / program, *arguments], cwd=self.folder, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                              check=False, **self.user)
        if done.returncode != 0:
            raise SystemExit(f"{program}: {done.stdout}{done.stderr}")
        return done.stdout

    def create(self, name):
        self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "ahoy", name)

    def ask(self, query, database="ahoy"):
        return self.run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "ahoy", "-At", "-c",
                        query, database).strip()

    def start(self):
        with open(os.path.join(self.folder, "log"), "a") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", "data", "-h", "127.0.0.1", "-p", str(self.port),
                 "-k", self.folder], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True, **self.user)
        deadline = time.monotonic() + PATIENCE
        while subprocess.run([self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p",
                              str(self.port)], check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("postgres did not start:\n" +
                                 pathlib.Path(self.folder, "log").read_text())
            time.sleep(0.05)

    def send(self, number):
        """A signal to all of its processes, which lead sessions of their own."""
        for pid in [self.process.pid, *self.children()]:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def children(self):
        path = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def freeze(self):
        self.send(signal.SIGSTOP)

    def thaw(self):
        self.send(signal.SIGCONT)

    def kill(self):
        """As a loss of power ends it."""
        if self.process is not None and self.process.poll() is None:
            self.send(signal.SIGKILL)
            self.process.wait(PATIENCE)

    def url(self, database="ahoy", port=None):
        return f"postgresql://ahoy@127.0.0.1:{port or self.port}/{database}"
