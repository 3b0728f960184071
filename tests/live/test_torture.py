#!/usr/bin/env python3
"""The messages of RFC 4475 and RFC 5118 over real sockets, UDP and TCP: the server lives, sound
requests are answered, faulty ones get the status that tests/torture/expected.tsv names, and what
must not be answered (responses, ACKs, requests without a usable Via) is not.

test_torture.py BUILD
"""
import argparse
import csv
import pathlib
import re
import select
import socket
import sys

from peer import Ahoyd, free_port, header, status_of

MESSAGES = pathlib.Path(__file__).resolve().parent.parent / "torture"
SILENCE_S = 0.15  # After which nothing is expected to come any more.
ANSWER_S = 10     # For an answer that must come.
HERE = "127.0.0.9"  # A loopback address on which nobody is likely to have taken port 5060.
# On a stream a message ends where Content-Length says: these have none, or one that is wrong.
UNFRAMED = {"clerr", "ncl", "mcl01", "inv2543", "baddn", "test", "ipv6-in-sdp"}
# What RFC 4475 asks of a proxy for these, beyond being sound.
ASKED = {"unkscm": {416}, "novelsc": {416, 404}, "bext01": {420}, "zeromf": {483, 200}}


def read_table():
    with open(MESSAGES / "expected.tsv") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            row["bytes"] = (MESSAGES / "messages" / (row["name"] + ".dat")).read_bytes()
            yield row


def wait_for(reader, seconds):
    """One message, or None."""
    if not select.select([reader], [], [], seconds)[0]:
        return None
    try:
        return reader.recv(65536) or None
    except ConnectionError:
        return None


def via_port(message):
    """Where an answer goes over UDP: to the port in the topmost Via."""
    found = re.search(rb"^(?:via|v)\s*:\s*SIP\s*/\s*2\.0\s*/\s*\w+\s+(?:\[[^\]]*\]|[^\s:;,]+)"
                      rb"(?:\s*:\s*(\d+))?", message, re.IGNORECASE | re.MULTILINE)
    return int(found.group(1) or 5060) if found else 5060


def may_be_answered(row):
    return not row["bytes"].startswith((b"SIP/", b"ACK "))


def check(row, answer, transport):
    """What is wrong with the answer to this message, or None."""
    status = status_of(answer) if answer else None
    if not may_be_answered(row):
        return None if answer is None else f"answered {status}, and must not be"
    if row["verdict"] == "reject" and row["status"] == "-":
        return None if answer is None else f"answered {status} without a usable Via"
    if transport == "tcp" and row["name"] in UNFRAMED:
        return None if status in (None, 400, 413) else f"answered {status} on a stream"
    if status is None:
        return "not answered"
    if row["verdict"] == "reject" and str(status) != row["status"]:
        return f"answered {status}, not {row['status']}"
    if status not in ASKED.get(row["name"], {status}):
        return f"answered {status}, not one of {sorted(ASKED[row['name']])}"
    return None


def is_expected(row, transport):
    if not may_be_answered(row) or row["verdict"] == "reject" and row["status"] == "-":
        return False
    return transport == "udp" or row["name"] not in UNFRAMED


def send_udp(row, port):
    """Sends it from the port that its Via names, where the answer will come."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            udp.bind((HERE, via_port(row["bytes"])))
        except OSError:
            return None, False
        udp.sendto(row["bytes"], ("127.0.0.1", port))
        return wait_for(udp, ANSWER_S if is_expected(row, "udp") else SILENCE_S), True


def send_tcp(row, port):
    with socket.create_connection(("127.0.0.1", port)) as tcp:
        tcp.sendall(row["bytes"])
        return wait_for(tcp, ANSWER_S if is_expected(row, "tcp") else SILENCE_S), True


def is_serving(port, number):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        local = udp.getsockname()[1]
        udp.sendto(f"OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{local};"
                   f"branch=z9hG4bKprobe{number}\r\nFrom: <sip:p@probe.example>;tag=p\r\n"
                   f"To: <sip:example.com>\r\nCall-ID: probe-{number}\r\nCSeq: 1 OPTIONS\r\n"
                   f"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n".encode(),
                   ("127.0.0.1", port))
        answer = wait_for(udp, ANSWER_S)
        return answer is not None and header(answer, "Call-ID") == f"probe-{number}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    options = parser.parse_args()
    port = free_port()
    config = f"""listen "udp:127.0.0.1:{port}"
listen "tcp:127.0.0.1:{port}"
domain("example.com", {{ auth = "none" }})
store "memory:"
workers(1)
"""
    faults, number, skipped = 0, 0, 0
    for transport, send in [("udp", send_udp), ("tcp", send_tcp)]:
        # A server each: a request that comes again is a retransmission, by whatever transport.
        with Ahoyd(options.build, config) as server:
            for row in read_table():
                number += 1
                answer, sent = send(row, port)
                fault = check(row, answer, transport) if sent else None
                skipped += not sent
                if not is_serving(port, number):
                    fault = "the server does not answer any more"
                if fault:
                    print(f"{transport} {row['name']}: {fault}")
                    faults += 1
                if not server.alive():
                    print(server.log())
                    return 1
    print(f"{number} messages, {faults} faults, {skipped} not sent because their port is taken")
    return 0 if faults == 0 and skipped < 10 else 1


if __name__ == "__main__":
    sys.exit(main())
