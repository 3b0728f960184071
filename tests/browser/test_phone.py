#!/usr/bin/env python3
"""JsSIP in headless Chromium and ahoy call each other through ahoyd: WSS on one side, UDP on the
other, and DTLS-SRTP with ICE between them.  Each says a tone, which the other measures.

test_phone.py BUILD
"""
import contextlib
import json
import pathlib
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "live"))

from certificates import SERVER_NAMES, Certificates  # Behind the path to it.
from devtools import Chromium, Page
from peer import PATIENCE, Ahoyd, free_port, need
from sound import share
from test_browser import key_hash, serve_pages

ALICE_HZ, BOB_HZ = 440, 660  # Alice's phone is the browser, Bob's is ahoy.
SECONDS = 3


@contextlib.contextmanager
def open_phone(build, folder, port, verb, *more, user="bob", hz=BOB_HZ):
    with subprocess.Popen(
        [pathlib.Path(build).resolve() / "bin" / "ahoy", verb, "--user", f"{user}@atlanta.example",
         "--password-file", "password", "--server", f"sip:127.0.0.1:{port}", "--play",
         f"tone:{hz}", "--record", f"{user}.wav", "--json", *more], cwd=folder,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as phone:
        try:
            yield phone
        finally:
            phone.kill()


def wait_for(phone, kind):
    for line in phone.stdout:
        news = json.loads(line)
        if news["news"] == kind:
            return news
    raise AssertionError(f"ahoy ended before it said {kind}")


def expect(hz, wanted_hz):
    assert abs(hz - wanted_hz) < wanted_hz / 50, f"{hz} Hz heard, {wanted_hz} Hz said"


def expect_both(page, phone, folder, hang_up):
    """Each hears the other, in the call that stands; returns what was shown."""
    hz, level = page.do("pitch")
    expect(hz, BOB_HZ)
    assert level > -40, f"{level} dBFS"
    time.sleep(SECONDS - 1)
    hang_up()
    heard = wait_for(phone, "heard")
    assert heard.get("srtp") == "AES_CM_128_HMAC_SHA1_80", heard
    assert heard["codec"] == "opus/48000/2", heard
    expect(heard["heard_hz"], ALICE_HZ)
    said = share(folder / "bob.wav", ALICE_HZ)
    assert said > 0.7, f"{said} of what ahoy has recorded is the tone"
    return "both tones heard"


def answered(page, build, folder, port):
    """The browser calls `ahoy answer`."""
    with open_phone(build, folder, port, "answer", "--once", "--ring", "0") as phone:
        wait_for(phone, "registered")
        page.do("call", "sip:bob@atlanta.example")
        return expect_both(page, phone, folder, lambda: page.do("hangUp"))


def called(page, build, folder, port):
    """`ahoy call` calls the browser."""
    page.evaluate("phone.answers = true")
    with open_phone(build, folder, port, "call", "sip:alice@atlanta.example", "--srtp", "dtls",
                    "--for", f"{SECONDS}s") as phone:
        wait_for(phone, "answered")
        return expect_both(page, phone, folder, lambda: None)


def play(build, ways):
    """Each of |ways| with a page of its own; returns the exit code."""
    chromium, failed = need("chromium"), 0
    certificates = Certificates()
    certificates.authority("ca")
    certificates.make("server", SERVER_NAMES)
    wss, udp = free_port(), free_port()
    config = f"""listen("wss:127.0.0.1:{wss}", {{ {certificates.pair()} }})
listen "udp:127.0.0.1:{udp}"
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
"""
    flags = [f"--ignore-certificate-errors-spki-list={key_hash(certificates)}",
             "--autoplay-policy=no-user-gesture-required"]
    with Ahoyd(build, config) as server, Chromium(chromium, PATIENCE, *flags) as browser:
        (server.path / "password").write_text("none\n")
        url = serve_pages()
        for way in ways:
            page = Page(browser, url)
            try:
                page.do("register", f"wss://127.0.0.1:{wss}/", "alice", "none")
                page.do("sing", ALICE_HZ)
                said = way(page, build, server.path, udp)
                page.do("leave")
                print(f"{way.__name__}: {said}", flush=True)
            except (AssertionError, KeyError):
                failed += 1
                print(f"{way.__name__}: FAILED: {traceback.format_exc()}\n{server.log()}",
                      flush=True)
            page.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(play(sys.argv[1], [answered, called]))
