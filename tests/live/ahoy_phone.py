"""The phone under test: `ahoy`, as a process that says in JSON what happens to it."""
import json
import subprocess

from peer import PATIENCE


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
