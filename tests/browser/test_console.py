#!/usr/bin/env python3
"""The console in headless Chromium, on the screens of a desk and of a phone: somebody signs in,
sees a call appear and opens its ladder; the page stays live while 10,000 calls are in progress.

test_console.py BUILD    leaves its screenshots in BUILD/console/
"""
import json
import pathlib
import re
import select
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "live"))

from devtools import Chromium, Page  # Behind the path to it.
from peer import PATIENCE, Ahoyd, free_port, header, need, status_of

CALLS = 10000
AT_ONCE = 100
EVIL = "<script>evil()</script>"  # A Call-ID may be that.
SCREENS = {"desk": (1280, 860), "phone": (390, 844)}
SDP = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
       "m=audio 4000 RTP/AVP 0\r\n")


def config(port, door):
    return f"""
listen "udp:127.0.0.1:{port}"
domain("atlanta.example", {{ auth = "none" }})
trunk("carrier", {{ "sip:127.0.0.1:9" }})
route {{ domain = "costly.example", to = "carrier", from = "users" }}
store "memory:"
workers(2)
observe {{ memory = 64 }}
api {{ http = "127.0.0.1:{door}", write = true }}
"""


class Phones:
    """Alice, who calls, and Bob, who is called: one socket each."""

    def __init__(self, port):
        self.server = ("127.0.0.1", port)
        self.alice, self.bob = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "ab")
        for phone in (self.alice, self.bob):
            phone.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            phone.bind(("127.0.0.1", 0))
            phone.settimeout(PATIENCE)

    def request(self, phone, method, uri, user, call_id, body="", more=(), to=None, branch=None):
        host, port = phone.getsockname()
        name = user if "@" in user else f"{user}@atlanta.example"
        to = to or (f"<{uri}>" if method != "REGISTER" else f"<sip:{name}>")
        branch = (call_id + (branch or method)).encode().hex()
        kind = ["Content-Type: application/sdp"] if body else []
        phone.sendto("\r\n".join([
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{branch}", "Max-Forwards: 70",
            f"From: <sip:{name}>;tag=a", f"To: {to}",
            f"Call-ID: {call_id}", f"CSeq: 1 {method}",
            f"Contact: <sip:{name.split('@')[0]}@{host}:{port}>", *more, *kind,
            f"Content-Length: {len(body)}", "", body]).encode(), self.server)

    def respond(self, request, status, body=""):
        rows = [row for row in request.decode().split("\r\n")
                if re.match(r"(Via|From|Call-ID|CSeq|Record-Route):", row)]
        host, port = self.bob.getsockname()
        kind = ["Content-Type: application/sdp"] if body else []
        self.bob.sendto("\r\n".join([
            f"SIP/2.0 {status}", *rows, f"To: {header(request, 'To')};tag=b",
            f"Contact: <sip:bob@{host}:{port}>", *kind, f"Content-Length: {len(body)}", "",
            body]).encode(), self.server)

    def register(self):
        self.request(self.bob, "REGISTER", "sip:atlanta.example", "bob", "register")
        assert status_of(self.bob.recv(65536)) == 200

    def final(self):
        while status_of(answer := self.alice.recv(65536)) < 200:
            pass
        return answer

    def fail(self, uri, user, call_id):
        """The status by which a call fails, which is on its way already where Bob's phone rang."""
        answer = self.final()
        self.request(self.alice, "ACK", uri, user, call_id, to=header(answer, "To"),
                     branch="INVITE")
        return status_of(answer)

    def ring(self, call_id):
        """Alice calls, and Bob's phone rings."""
        self.request(self.alice, "INVITE", "sip:bob@atlanta.example", "alice", call_id, SDP)
        while not (invite := self.bob.recv(65536)).startswith(b"INVITE"):
            pass
        self.respond(invite, "180 Ringing")
        return invite

    def answer(self, invite, call_id):
        self.respond(invite, "200 OK", SDP)
        answer = self.final()
        self.request(self.alice, "ACK", header(answer, "Contact").strip("<>"), "alice", call_id,
                     more=[f"Route: {header(answer, 'Record-Route')}"], to=header(answer, "To"))

    def try_in_vain(self, uri, user, call_id):
        self.request(self.alice, "INVITE", uri, user, call_id, SDP)
        return self.fail(uri, user, call_id)

    def fill(self, count):
        """So many calls that Bob answers, and nobody ends."""
        begun = answered = 0
        while answered < count:
            while begun < min(count, answered + AT_ONCE):
                self.request(self.alice, "INVITE", "sip:bob@atlanta.example", f"caller{begun}",
                             f"many-{begun}", SDP)
                begun += 1
            ready = select.select([self.alice, self.bob], [], [], PATIENCE)[0]
            assert ready, f"{answered} of {begun} calls were answered"
            for phone in ready:
                message = phone.recv(65536)
                if message.startswith(b"INVITE"):
                    self.respond(message, "200 OK", SDP)
                answered += phone is self.alice and status_of(message) == 200


def text(selector):
    return f"(document.querySelector({json.dumps(selector)})?.textContent ?? '')"


def click(page, selector):
    page.evaluate(f"document.querySelector({json.dumps(selector)}).dispatchEvent("
                  "new MouseEvent('click', {bubbles: true, cancelable: true}))")


def sign_in(page, token):
    page.wait("!document.getElementById('login').hidden")
    for tried in ("x" * 64, token):
        page.evaluate(f"document.getElementById('token').value = {json.dumps(tried)}; "
                      "document.querySelector('#login form').requestSubmit()")
        if tried != token:
            page.wait(f"{text('#refused')} === 'That is not the token.'")
    page.wait("!document.getElementById('desk').hidden")


def is_within(page):
    """Nothing reaches beyond the sides of the screen."""
    reach, width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert reach <= width, f"{reach} pixels wide on {width}"


def take(page, folder, name):
    """The same on each screen, light and dark."""
    for screen, size in SCREENS.items():
        for scheme in ("light", "dark"):
            page.screen(*size, scheme)
            time.sleep(1.3)  # It draws each second.
            is_within(page)
            page.picture(folder / f"{name}-{screen}-{scheme}.png")
    page.screen(*SCREENS["desk"], "light")


def watch_a_call(page, phones, folder):
    page.wait(f"{text('#no-calls')}.startsWith('All quiet')")
    take(page, folder, "quiet")
    invite = phones.ring("first@atlanta")
    page.wait(f"{text('#call-rows .state')} === 'ringing'")
    phones.answer(invite, "first@atlanta")
    page.wait(f"{text('#call-rows .state')} === 'answered'")
    assert phones.try_in_vain("sip:nobody@atlanta.example", "alice", "wrong@atlanta") == 404
    invite = phones.ring(EVIL)
    phones.respond(invite, "486 <img src=x onerror=evil()>", "<img src=x onerror=evil()>")
    assert phones.fail("sip:bob@atlanta.example", "alice", EVIL) == 486
    assert phones.try_in_vain("sip:900@costly.example", "m@far.example", "refused@far") == 403
    page.wait("document.querySelectorAll('#call-rows > li').length === 4")
    take(page, folder, "calls")
    click(page, "a[href='#call/first%40atlanta']")
    page.wait("document.querySelectorAll('#ladder g').length >= 8")
    assert "answered after" in page.evaluate(text("#call-cause"))
    labels = page.evaluate("[...document.querySelectorAll('#ladder .label')]"
                           ".map(label => label.textContent)")
    for label in ("INVITE", "180 Ringing", "200 OK", "ACK"):
        assert label in labels, labels
    assert page.evaluate("document.querySelectorAll('#ladder .reason').length > 0")
    click(page, "#ladder g[aria-label^='INVITE']")
    page.wait(f"{text('#said pre')}.startsWith('INVITE sip:bob@')")
    take(page, folder, "ladder")
    page.evaluate(f"location.hash = 'call/' + encodeURIComponent({json.dumps(EVIL)})")
    page.wait(f"{text('#call-id')} === {json.dumps(EVIL)} && "
              "document.querySelector('#ladder .bad') !== null")
    click(page, "#ladder g.bad")
    page.wait(f"{text('#said h3')} === '486 <img src=x onerror=evil()>'")
    assert page.evaluate("document.querySelectorAll('.view img, .view script').length") == 0
    take(page, folder, "failure")
    for view, rows in (("registrations", "aor"), ("trunks", "meter")):
        page.evaluate(f"location.hash = '{view}'")
        page.wait(f"document.querySelectorAll('#{rows}-rows > li').length > 0")
        take(page, folder, view)
    page.evaluate("location.hash = 'calls'")


def read_again(page, server, folder):
    """What would change is told; it changes when it is asked for once more."""
    path = server.path / "ahoyd.lua"
    path.write_text(path.read_text() + 'route { user = "gone", reject = 410 }\n')
    click(page, "#reload")
    page.wait(f"{text('#told')} === 'This would change:\\n+ route 2'")
    assert "is in force" not in server.log()
    take(page, folder, "reload")
    click(page, "#reload")
    page.wait(f"{text('#told')} === 'In force:\\n+ route 2'")
    click(page, "#reload")
    page.wait(f"{text('#told')} === 'Nothing has changed.' && {text('#reload')} === 'Reload'")


def stay_live(page, phones, folder):
    begin = time.monotonic()
    phones.fill(CALLS)
    print(f"console: {CALLS} calls in progress, made in {time.monotonic() - begin:.1f} s")
    page.wait(f"parseInt({text('#tiles b')}.replace(/\\D/g, '')) >= {CALLS}")
    assert page.evaluate("document.querySelectorAll('#call-rows > li').length") == 50
    begin = time.monotonic()
    invite = phones.ring("after@atlanta")
    page.wait(f"{text('#call-rows .state')} === 'ringing'")
    print(f"console: a further one was seen after {time.monotonic() - begin:.1f} s")
    phones.answer(invite, "after@atlanta")
    took = page.evaluate("(async () => { const begun = performance.now(); "
                         "await (await fetch('/api/calls?limit=50')).json(); "
                         "return performance.now() - begun; })()")
    print(f"console: a page of them is had in {took:.0f} ms")
    page.evaluate("{ const box = document.getElementById('search'); box.value = 'caller7777'; "
                  "box.dispatchEvent(new Event('input')); }")
    page.wait(f"document.querySelectorAll('#call-rows > li').length === 1 && "
              f"{text('#call-rows .who')}.startsWith('caller7777@')")
    page.evaluate("{ const box = document.getElementById('search'); box.value = ''; "
                  "box.dispatchEvent(new Event('input')); }")
    page.wait("document.querySelectorAll('#call-rows > li').length === 50")
    take(page, folder, "many")


def main():
    chromium, port, door = need("chromium"), free_port(), free_port()
    folder = pathlib.Path(sys.argv[1]).resolve() / "console"
    folder.mkdir(exist_ok=True)
    with Ahoyd(sys.argv[1], config(port, door)) as server, Chromium(chromium, PATIENCE) as browser:
        phones = Phones(port)
        page = Page(browser, f"http://127.0.0.1:{door}/")
        page.watch()
        take(page, folder, "login")
        sign_in(page, (server.path / "ahoyd.token").read_text().strip())
        refused = [fault for fault in page.faults()
                   if "401" not in fault.get("entry", {}).get("text", "")]
        known = len(page.faults())
        phones.register()
        watch_a_call(page, phones, folder)
        read_again(page, server, folder)
        stay_live(page, phones, folder)
        faults = refused + page.faults()[known:]
        assert not faults, faults
        assert server.alive()
    print("console: passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
