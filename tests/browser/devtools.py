"""Headless Chromium, driven by its DevTools protocol through a pipe: JSON, a NUL behind each."""
import base64
import json
import os
import pathlib
import select
import subprocess
import tempfile
import time

FLAGS = [
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--mute-audio",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"]


class Chromium:
    """Use it in a with statement."""

    def __init__(self, program, patience, *flags):
        self.patience, self.number, self.left, self.answers = patience, 0, b"", {}
        self.events = []
        self.profile = tempfile.TemporaryDirectory(prefix="ahoy-chromium-",
                                                   ignore_cleanup_errors=True)
        theirs_in, self.to = os.pipe()
        self.come, theirs_out = os.pipe()
        if os.geteuid() == 0:
            flags += ("--no-sandbox",)  # It does not sandbox for root.
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "sh", program, *FLAGS, *flags,
             "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={**os.environ, "HOME": self.profile.name})
        os.close(theirs_in)
        os.close(theirs_out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.ask("Browser.close")
            self.process.wait(self.patience)
        except (OSError, AssertionError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.come)
        self.profile.cleanup()

    def ask(self, method, session=None, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if session is not None:
            request["sessionId"] = session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        deadline = time.monotonic() + self.patience
        while self.number not in self.answers:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.come], [], [], left)[0], f"{method}: no answer"
            more = os.read(self.come, 65536)
            assert more, f"Chromium ended before {method} was answered"
            *messages, self.left = (self.left + more).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self.answers[message["id"]] = message
                else:
                    self.events.append(message)
        answer = self.answers.pop(self.number)
        assert "error" not in answer, f"{method}: {answer.get('error')}"
        return answer["result"]


class Page:
    def __init__(self, chromium, url):
        self.chromium = chromium
        target = chromium.ask("Target.createTarget", url=url)["targetId"]
        self.target = target
        self.session = chromium.ask("Target.attachToTarget", targetId=target,
                                    flatten=True)["sessionId"]
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, expression):
        """What the expression, or its promise, comes to."""
        answer = self.chromium.ask("Runtime.evaluate", self.session, expression=expression,
                                   awaitPromise=True, returnByValue=True)
        fault = answer.get("exceptionDetails")
        assert fault is None, fault and fault.get("exception", fault).get("description", fault)
        return answer["result"].get("value")

    def screen(self, width, height, scheme):
        """A phone where it is narrow; "light" or "dark"."""
        self.chromium.ask("Emulation.setDeviceMetricsOverride", self.session, width=width,
                          height=height, deviceScaleFactor=1, mobile=width < 600)
        self.chromium.ask("Emulation.setEmulatedMedia", self.session, features=[
            {"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path):
        answer = self.chromium.ask("Page.captureScreenshot", self.session, format="png")
        pathlib.Path(path).write_bytes(base64.b64decode(answer["data"]))

    def faults(self):
        """What the browser's console holds against the page; only after watch()."""
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
        return [event["params"] for event in self.chromium.events
                if event.get("sessionId") == self.session and event["method"] in kinds]

    def watch(self):
        for domain in ("Runtime", "Log"):
            self.chromium.ask(f"{domain}.enable", self.session)

    def do(self, name, *arguments):
        return self.evaluate(f"phone.{name}({', '.join(map(json.dumps, arguments))})")

    def wait(self, expression):
        deadline = time.monotonic() + self.chromium.patience
        while not self.holds(expression):
            assert time.monotonic() < deadline, f"waited in vain for {expression}"
            time.sleep(0.05)

    def holds(self, expression):
        """False, too, while one page makes room for the next."""
        try:
            return self.evaluate(expression)
        except AssertionError as fault:
            if "execution context" not in str(fault):
                raise
            return False

    def close(self):
        self.chromium.ask("Target.closeTarget", targetId=self.target)
