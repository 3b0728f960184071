"""The phone under test: `ahoy`, as a process that says in JSON what happens to it."""
import json
import os
import subprocess

from peer import PATIENCE


def hears(call):
    """Runs |call|, which fails where its sound is not what it should be: on a machine that others
    keep busy sound has holes, so there it may be called three times."""
    for more in (True, True, False):
        try:
            return call()
        except AssertionError:
            if not more or os.getloadavg()[0] <= os.cpu_count():
                raise


def without(ahoy, library, folder):
    """A copy of the program to which a library is not there that it opens when it needs it."""
    program = ahoy.read_bytes()
    assert program.count(library) > 0, library
    copy = folder / "without"
    copy.write_bytes(program.replace(library, library[:-1] + b"0"))
    copy.chmod(0o700)
    return copy


class AhoyPhone:
    """It runs in the folder of |case|, and ends with it at the latest."""

    def __init__(self, case, ahoy, *arguments, env=None):
        self.process = subprocess.Popen([ahoy, *arguments, "--json"], cwd=case.path, env=env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        case.addCleanup(self.process.stderr.close)
        case.addCleanup(self.process.stdout.close)
        case.addCleanup(self.process.wait)
        case.addCleanup(self.process.kill)
        self.news = []  # All that it has said.

    def wait_for(self, kind):
        """The next news of that kind; what else comes passes."""
        for line in self.process.stdout:
            self.news.append(json.loads(line))
            if self.news[-1]["news"] == kind:
                return self.news[-1]
        raise AssertionError(f"no {kind}: {self.news} {self.process.stderr.read()}")

    def end(self):
        """The exit code; what was said until then is read."""
        for line in self.process.stdout:
            self.news.append(json.loads(line))
        self.errors = self.process.stderr.read()
        return self.process.wait(PATIENCE)

    def kinds(self):
        return [news["news"] for news in self.news]
