#!/usr/bin/env python3
"""The API of a running server is the one that docs/openapi.json describes: every path by every
method answers in the shape that stands there, and refuses what is not meant for it.

test_api.py BUILD
"""
import contextlib
import http.client
import json
import os
import pathlib
import socket
import sys
import threading
import unittest

from peer import PATIENCE, Ahoyd, free_port

BUILD = pathlib.Path(sys.argv[1]).resolve()
LIMIT = 65536
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list,
         "object": dict}
HA1 = {"sha256": "0123456789abcdef" * 4}
BOB = "bob@atlanta.example"

# What to ask of each path, in this order: what follows in the path, the query, the body.
EXAMPLES = {
    ("get", "/api/openapi.json"): ("", "", None),
    ("get", "/api/session"): ("", "", None),
    ("post", "/api/session"): ("", "", {"token": ...}),
    ("delete", "/api/session"): ("", "", None),
    ("get", "/api/status"): ("", "", None),
    ("get", "/api/counters"): ("", "", None),
    ("get", "/api/metrics"): ("", "", None),
    ("post", "/api/reload"): ("", "?check", None),
    ("post", "/api/trim"): ("", "", None),
    ("get", "/api/calls"): ("", "?search=NOBODY&state=failed&skip=0&limit=1", None),
    ("get", "/api/calls/{call_id}"): ("a%2Fcall%40far.example", "", None),
    ("get", "/api/notes"): ("", "?from=[0,0]", None),
    ("get", "/api/registrations"): ("", "?limit=10", None),
    ("get", "/api/registrations/{aor}"): (BOB, "", None),
    ("delete", "/api/registrations/{aor}"): (BOB, "", None),
    ("post", "/api/users"): ("", "", {"users": [{"user": "eve", "realm": "atlanta.example", **HA1},
                                                {"user": "", "realm": "atlanta.example"}]}),
    ("put", "/api/users/{user}"): (BOB, "", HA1),
    ("get", "/api/users"): ("", "", None),
    ("put", "/api/aliases/{alias}"): ("robert@atlanta.example", "", {"user": "bob"}),
    ("get", "/api/aliases"): ("", "", None),
    ("delete", "/api/aliases/{alias}"): ("robert@atlanta.example", "", None),
    ("delete", "/api/users/{user}"): (BOB, "", None),
}


def config(port, door, more=""):
    return f"""
listen "udp:127.0.0.1:{port}"
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
workers(2)
observe {{ memory = 1 }}
api {{ http = "127.0.0.1:{door}", hosts = {{ "ahoy.example" }}{more} }}
"""


class Door:
    """A server with an API, and who asks it."""

    def __init__(self, test, more=""):
        self.port, self.door = free_port(), free_port()
        self.server = Ahoyd(BUILD, config(self.port, self.door, more))
        test.addCleanup(self.server.__exit__)
        self.token = (self.server.path / "ahoyd.token").read_text().strip()

    def ask(self, method, path, body=None, **fields):
        """Status, JSON and header fields; a field of None is left out."""
        fields = {"Authorization": f"Bearer {self.token}",
                  **{name.replace("_", "-"): value for name, value in fields.items()}}
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            fields = {"Content-Type": "application/json", "Content-Length": len(body), **fields}
        link = http.client.HTTPConnection("127.0.0.1", self.door, timeout=PATIENCE)
        link.putrequest(method.upper(), path, skip_host="Host" in fields,
                        skip_accept_encoding=True)
        for name, value in fields.items():
            if value is not None:
                link.putheader(name, str(value))
        try:
            link.endheaders()
            if body is not None:
                link.send(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It has answered already.
        answer = link.getresponse()
        text = answer.read()
        link.close()
        is_json = answer.headers["Content-Type"] == "application/json" and method != "head"
        return answer.status, json.loads(text) if is_json else text, answer.headers

    def tell(self, *lines):
        """What SIP answers, in one message, to a request of these lines."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.bind(("127.0.0.1", 0))
            link.settimeout(PATIENCE)
            host, port = link.getsockname()
            link.sendto("\r\n".join([lines[0], f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK1",
                                     "Max-Forwards: 70", "From: <sip:m@far.example>;tag=1",
                                     *lines[1:], "Content-Length: 0\r\n\r\n"]).encode(),
                        ("127.0.0.1", self.port))
            return link.recv(LIMIT)

    def call(self, uri, call_id):
        self.tell(f"INVITE {uri} SIP/2.0", f"To: <{uri}>", f"Call-ID: {call_id}",
                  "CSeq: 1 INVITE", "Contact: <sip:m@127.0.0.1>")

    def register(self, aor):
        answer = self.tell("REGISTER sip:atlanta.example SIP/2.0", f"To: <sip:{aor}>",
                           "Call-ID: r", "CSeq: 1 REGISTER", "Contact: <sip:bob@127.0.0.1:9>")
        assert b" 200 " in answer, answer


class Api(unittest.TestCase):
    def setUp(self):
        self.door = Door(self, ", write = true")
        self.doc = self.door.ask("get", "/api/openapi.json", Authorization=None)[1]

    def operations(self):
        return {(method, path): operation for path, methods in self.doc["paths"].items()
                for method, operation in methods.items()}

    def resolve(self, part):
        while "$ref" in part:
            keys = part["$ref"].removeprefix("#/").split("/")
            part = self.doc
            for key in keys:
                part = part[key]
        return part

    def check(self, value, schema, where="answer"):
        """What of JSON Schema the description uses."""
        schema = self.resolve(schema)
        kind = TYPES[schema["type"]]
        self.assertIsInstance(value, kind, where)
        self.assertFalse(kind is int and isinstance(value, bool), where)
        self.assertIn(value, schema.get("enum", [value]), where)
        if kind is list:
            for i, item in enumerate(value):
                self.check(item, schema["items"], f"{where}[{i}]")
        if kind is not dict:
            return
        self.assertEqual(set(schema.get("required", [])) - set(value), set(), where)
        other = schema.get("additionalProperties", True)
        for name, member in value.items():
            known = schema.get("properties", {}).get(name, other)
            self.assertTrue(known, f"{where}.{name} is not described")
            if known is not True:
                self.check(member, known, f"{where}.{name}")

    def expect(self, status, method, path, asked, door=None, **more):
        """Asks, and checks that the answer is one that the description has."""
        name, query, body = asked
        target = (path[:path.index("{")] + name if "{" in path else path) + query
        body = more.pop("body", {"token": self.door.token} if body == {"token": ...} else body)
        came, answer, fields = (door or self.door).ask(method, target, body, **more)
        self.assertEqual(came, status, f"{method} {target}: {answer}")
        described = self.operations()[method, path]["responses"]
        if status != 405:
            self.assertIn(str(status), described, f"{method} {path}")
            shape = self.resolve(described[str(status)])["content"]["application/json"]["schema"]
            self.check(answer, shape)
        return answer, fields

    def test_each_answer_has_its_shape(self):
        self.door.register(BOB)
        self.door.call("sip:nobody@atlanta.example", "a/call@far.example")
        self.assertEqual(set(EXAMPLES), set(self.operations()))
        answers = {key: self.expect(200, *key, asked)[0] for key, asked in EXAMPLES.items()}
        calls = answers["get", "/api/calls"]
        self.assertEqual([call["call_id"] for call in calls["calls"]], ["a/call@far.example"])
        self.assertEqual((calls["total"], calls["counts"]["failed"]), (1, 1))
        self.assertIn("404 Not Found", answers["get", "/api/calls/{call_id}"]["cause"])
        self.assertGreater(len(answers["get", "/api/notes"]["notes"]), 2)
        self.assertEqual(answers["get", "/api/registrations/{aor}"]["total"], 1)
        self.assertEqual([row["index"] for row in answers["post", "/api/users"]["failed"]], [1])
        self.assertIn("ahoyd_workers 2\n", answers["get", "/api/metrics"]["metrics"])
        gone = self.expect(200, "get", "/api/registrations/{aor}", (BOB, "", None))[0]
        self.assertEqual(gone["total"], 0)

    def test_what_is_wrong_is_refused(self):
        reads = Door(self)
        for (method, path), operation in self.operations().items():
            asked = EXAMPLES[method, path]
            with self.subTest(f"{method} {path}"):
                if operation.get("security") != []:
                    for shown in (None, "Bearer wrong", f"Basic {self.door.token}"):
                        _, fields = self.expect(401, method, path, asked, Authorization=shown)
                        self.assertIn("Bearer", fields["WWW-Authenticate"])
                if path != "/api/openapi.json":
                    self.expect(403, method, path, asked, Host="evil.example")
                if method != "get":
                    self.refuse_change(method, path, asked, reads)
                if asked[2] is not None:
                    self.refuse_bodies(method, path, asked)
                if any("query" in json.dumps(self.resolve(part))
                       for part in operation.get("parameters", [])):
                    own = ("?from=1",) if path == "/api/notes" else ("?limit=many", "?skip=-1")
                    for query in ("?no=1", "?state", *own):
                        self.expect(400, method, path, (asked[0], query, None))
                _, _, fields = self.door.ask("patch", path)
                self.assertIn(method.upper(), fields["Allow"])

    def refuse_change(self, method, path, asked, reads):
        self.expect(403, method, path, asked, Origin="http://evil.example")
        self.expect(403, method, path, asked, Origin="null")
        self.expect(403, method, path, asked, Sec_Fetch_Site="cross-site")
        if path != "/api/session":
            self.expect(403, method, path, asked, reads)

    def refuse_bodies(self, method, path, asked):
        for body in (b"{", b"[]", b'{"a":1,"a":2}', b'{"user":"\xff"}'):
            self.expect(400, method, path, asked, body=body)
        self.expect(413, method, path, asked, body=b"x" * (LIMIT + 1))
        self.expect(413, method, path, asked, body=b"x", Content_Length=2 ** 40)
        self.expect(411, method, path, asked, body=b"0\r\n\r\n", Content_Length=None,
                    Transfer_Encoding="chunked")
        self.expect(415, method, path, asked, Content_Type="text/plain")

    def test_what_there_is_not(self):
        for path in ("/api", "/api/", "/api/calls/", "/api/users/", "/apis", "/../etc/passwd",
                     "/api/nothing", "/console", "/api/status/x"):
            self.assertEqual(self.door.ask("get", path)[0], 404, path)
        self.expect(404, "get", "/api/calls/{call_id}", ("none", "", None))
        self.expect(404, "delete", "/api/registrations/{aor}", (BOB, "", None))
        self.expect(404, "delete", "/api/users/{user}", (BOB, "", None))
        self.expect(404, "delete", "/api/aliases/{alias}", (BOB, "", None))
        self.expect(404, "put", "/api/aliases/{alias}", (BOB, "", {"user": "bob"}))
        self.expect(400, "get", "/api/calls/{call_id}", ("x" * 300, "", None))
        self.expect(400, "put", "/api/users/{user}", ("bob", "", HA1))
        self.expect(400, "put", "/api/users/{user}", (BOB, "", {"sha256": "short"}))
        self.assertEqual(self.door.ask("post", "/")[0], 405)
        self.assertEqual(self.door.ask("get", "/api/status", b"{}")[0], 400)

    def test_a_browser_has_a_session(self):
        status, _, fields = self.door.ask("post", "/api/session", {"token": "x" * 64})
        self.assertEqual((status, fields["Set-Cookie"]), (401, None))
        _, _, fields = self.door.ask("post", "/api/session", {"token": self.door.token},
                                     Authorization=None, X_Forwarded_Proto="https")
        cookie, *rest = fields["Set-Cookie"].split("; ")
        self.assertTrue({"HttpOnly", "SameSite=Strict", "Secure", "Path=/"} <= set(rest))
        shown = {"Authorization": None, "Cookie": cookie}
        ours = f"http://127.0.0.1:{self.door.door}"
        self.assertEqual(self.door.ask("get", "/api/status", **shown)[0], 200)
        self.assertTrue(self.door.ask("get", "/api/session", **shown)[1]["known"])
        self.assertEqual(self.door.ask("put", f"/api/users/{BOB}", HA1, Origin=ours, **shown)[0],
                         200)
        self.assertEqual(self.door.ask("delete", "/api/session", Origin=ours, **shown)[0], 200)
        self.assertEqual(self.door.ask("get", "/api/status", **shown)[0], 401)

    def test_pages_are_shut_in(self):
        for host in ("localhost", "[::1]:80", "AHOY.example:443", "192.0.2.1"):
            status, _, fields = self.door.ask("get", "/", Authorization=None, Host=host)
            self.assertEqual(status, 200)
            self.assertIn("default-src 'none'", fields["Content-Security-Policy"])
            self.assertNotIn("unsafe", fields["Content-Security-Policy"])
            self.assertEqual(fields["X-Content-Type-Options"], "nosniff")
        for host in ("ahoy.example.evil", "localhost.evil", "127.0.0.1.evil:80", ""):
            self.assertEqual(self.door.ask("get", "/", Host=host)[0], 403, host)
        self.assertEqual(self.door.ask("head", "/")[0], 200)

    def rewrite(self, more):
        path = self.door.server.path / "ahoyd.lua"
        path.write_text(config(self.door.port, self.door.door, ", write = true") + more)

    def test_the_configuration_is_read_again(self):
        route = 'route { user = "nobody", reject = 410 }'
        self.rewrite(route)
        for check in ("?check", "?check=true"):
            answer, _ = self.expect(200, "post", "/api/reload", ("", check, None))
            self.assertEqual([row["change"] for row in answer["changes"]], ["+ route 1"])
        self.expect(200, "post", "/api/reload", ("", "", {"check": True}))
        for query, body in (("?check=1", None), ("?check=yes", None), ("?check=null", None),
                            ("", {"check": "true"}), ("", {"chek": True}), ("?search=x", None),
                            ("", {"check": None})):
            self.expect(400, "post", "/api/reload", ("", query, body))
        self.assertNotIn("is in force", self.door.server.log())
        answer, _ = self.expect(200, "post", "/api/reload", ("", "", None))
        self.assertEqual([row["sign"] for row in answer["changes"]], ["+"])
        self.assertEqual(self.expect(200, "post", "/api/reload", ("", "?check=false", None))[0],
                         {"ok": True, "changes": []})
        self.rewrite('route { user = "\xff" .. "x", rejct = 410 }\n')
        answer, _ = self.expect(409, "post", "/api/reload", ("", "", None))
        self.assertIn("did you mean 'reject'?", answer["error"])
        self.assertEqual(answer["faults"][0]["line"], 8)
        self.rewrite("workers(3)")
        answer, _ = self.expect(409, "post", "/api/reload", ("", "?check", None))
        self.assertIn("workers", answer["error"])

    def test_who_sends_slowly_is_sent_away(self):
        """A byte now and then, in the header fields or in the body, does not hold a place."""
        head = b"POST /api/reload HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        body = head + f"Authorization: Bearer {self.door.token}\r\n".encode() + \
            b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
        links = []
        for i in range(32):
            link = socket.create_connection(("127.0.0.1", self.door.door))
            self.addCleanup(link.close)
            link.sendall(body if i % 2 else head)
            links.append(link)
        ends = threading.Event()

        def drip():
            while not ends.wait(1):
                for link in links:
                    with contextlib.suppress(OSError):
                        link.send(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            self.assertEqual(self.door.ask("get", "/api/status")[0], 200)
        finally:
            ends.set()
            thread.join()

    def test_clients_are_bounded(self):
        for _ in range(40):
            link = socket.create_connection(("127.0.0.1", self.door.door))
            self.addCleanup(link.close)
            link.send(b"GET / HTTP/1.1\r\n")
        # Those who say no more are sent away, and who waits meanwhile is served.
        self.assertEqual(self.door.ask("get", "/api/status")[0], 200)

    def test_the_token_is_the_operators(self):
        path = self.door.server.path / "ahoyd.token"
        self.assertEqual((path.stat().st_mode & 0o777, len(self.door.token)), (0o600, 64))
        self.door.server.stop()
        for text, mode, word in (("short\n", 0o600, "printable"),
                                 (self.door.token, 0o640, "chmod 600")):
            path.write_text(text)
            os.chmod(path, mode)
            with self.assertRaises(SystemExit) as fault:
                self.door.server.start()
            self.assertIn(word, str(fault.exception))
        os.chmod(path, 0o600)
        self.door.server.start()
        self.assertEqual(self.door.ask("get", "/api/status")[0], 200)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
