#!/usr/bin/env python3
"""JsSIP in headless Chromium and phones of ours hand calls on through ahoyd, unattended (RFC 5589
6) and attended (7): it sends, it is sent, and it is whom the third takes over.  And it holds a
call, and dials.

test_transfer.py BUILD
"""
import sys
import time

from test_phone import ALICE_HZ, BOB_HZ, SECONDS, expect, open_phone, play, wait_for

CAROL_HZ = 880
ANSWER = ("answer", "--ring", "0", "--srtp", "dtls", "--accept-transfers", "--accept-replaces")


class Phones:
    """Bob's and Carol's."""

    def __init__(self, build, folder, port):
        self.place = (build, folder, port)

    def bob(self, *words):
        return open_phone(*self.place, *words)

    def carol(self, *words):
        return open_phone(*self.place, *words, user="carol", hz=CAROL_HZ)


def hang_up(page, phone, hz):
    """The browser hears |hz|, and |phone| the browser."""
    heard_hz, _ = page.do("pitch")
    expect(heard_hz, hz)
    time.sleep(SECONDS - 1)
    page.do("hangUp")
    expect(wait_for(phone, "heard")["heard_hz"], ALICE_HZ)


def end_hearing(phone, hz):
    """|phone| ends its call, in which |hz| was heard."""
    time.sleep(SECONDS - 1)
    phone.terminate()
    expect(wait_for(phone, "heard")["heard_hz"], hz)


def sends(page, *place):
    """Unattended: Bob goes to Carol."""
    phones = Phones(*place)
    with phones.bob(*ANSWER) as bob, phones.carol(*ANSWER) as carol:
        for phone in (bob, carol):
            wait_for(phone, "registered")
        page.do("call", "sip:bob@atlanta.example")
        wait_for(bob, "answered")
        page.do("handOn", "sip:carol@atlanta.example")
        assert wait_for(bob, "transfer-asked")["text"] == "sip:carol@atlanta.example"
        wait_for(carol, "answered")
        wait_for(bob, "answered")
        wait_for(bob, "heard")  # The call that was handed on.
        end_hearing(bob, CAROL_HZ)
        expect(wait_for(carol, "heard")["heard_hz"], BOB_HZ)
    return "who is called calls the third"


def sends_attended(page, *place):
    """Alice has asked Carol before."""
    phones = Phones(*place)
    with phones.bob(*ANSWER) as bob, phones.carol(*ANSWER) as carol:
        for phone in (bob, carol):
            wait_for(phone, "registered")
        page.do("call", "sip:bob@atlanta.example")
        page.do("call", "sip:carol@atlanta.example")
        first = wait_for(carol, "incoming")
        page.do("handOn", "sip:carol@atlanta.example", True)
        assert wait_for(carol, "incoming")["replaces"] == first["call"]
        page.evaluate("phone.over")  # Carol has ended the call with Alice.
        wait_for(bob, "heard")
        end_hearing(bob, CAROL_HZ)
    return "who is called takes its place"


def is_sent(page, *place):
    """Bob calls Alice, asks Carol, and sends Alice there."""
    phones = Phones(*place)
    page.evaluate("phone.answers = true")
    with phones.carol(*ANSWER) as carol:
        wait_for(carol, "registered")
        with phones.bob("call", "sip:alice@atlanta.example", "--srtp", "dtls", "--consult",
                        "carol@atlanta.example", "--for", "1") as bob:
            first = wait_for(carol, "incoming")
            assert wait_for(bob, "transfer-ended")["status"] == 200
            assert wait_for(carol, "incoming")["replaces"] == first["call"]
            assert bob.wait() == 0
        wait_for(carol, "heard")
        hang_up(page, carol, CAROL_HZ)
    return "it takes the caller's place"


def is_taken_over(page, *place):
    """Carol calls Bob, asks Alice, and sends Bob there."""
    phones = Phones(*place)
    page.evaluate("phone.answers = true")
    with phones.bob(*ANSWER) as bob:
        wait_for(bob, "registered")
        with phones.carol("call", "sip:bob@atlanta.example", "--srtp", "dtls", "--consult",
                          "alice@atlanta.example", "--for", "1") as carol:
            assert wait_for(carol, "transfer-ended")["status"] == 200
            assert carol.wait() == 0
        wait_for(bob, "heard")
        hang_up(page, bob, BOB_HZ)
    return "the third takes the caller's place"


def holds(page, *place):
    """Alice holds the call, takes it up again, and dials."""
    phones = Phones(*place)
    with phones.bob(*ANSWER, "--once") as bob:
        wait_for(bob, "registered")
        page.do("call", "sip:bob@atlanta.example")
        assert wait_for(bob, "answered")["direction"] == "sendrecv"
        page.do("hold")
        assert wait_for(bob, "changed")["direction"] == "recvonly"
        page.do("resume")
        assert wait_for(bob, "changed")["direction"] == "sendrecv"
        hz, _ = page.do("pitch")
        expect(hz, BOB_HZ)
        page.do("dial", "42#")
        page.do("hangUp")
        heard = wait_for(bob, "heard")
        assert heard["digits"] == "42#", heard
        expect(heard["heard_hz"], ALICE_HZ)
    return "held, resumed, digits heard"


if __name__ == "__main__":
    sys.exit(play(sys.argv[1], [sends, sends_attended, is_sent, is_taken_over, holds]))
