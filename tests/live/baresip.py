"""baresip, a phone that others made."""
import json
import pathlib
import re
import socket
import subprocess
import time

from peer import PATIENCE, free_port, need
from sound import make_tone

BARESIP = need("baresip")
MODULES = {"account": "module_tmp", "menu": "module_app", "ctrl_tcp": "module_app"}
ALICE_HZ = 440


class Baresip:
    """One baresip, alice's, driven by commands over TCP: JSON, as netstrings.  |server|: its port,
    or None for calls that need none, which is met by |way|; by TLS, |authority| is whose
    certificates are good.  What it says is a tone of ALICE_HZ.  |security|: a module and what
    accounts call it; |nat|: the module that finds a way (ICE)."""

    def __init__(self, path, server, codec="pcmu", mux="no", way="udp", authority=None,
                 security=None, nat=None):
        self.path = path
        (path / "heard").mkdir(parents=True)
        rate = 48000 if codec.startswith("opus") else 8000  # What it says is not resampled then.
        make_tone(path / "tone.wav", ALICE_HZ, rate=rate)
        self.port, control = free_port(), free_port()
        authorities = [f"sip_cafile {authority}"] if authority else []
        modules = ["aufile", "aubridge", "sndfile", "g711", "g722", "opus", *MODULES]
        transport = ";transport=tls" if security and authority else ""
        if security:
            modules.append(security[0])
        if nat:
            modules.append(nat)
        (path / "config").write_text("\n".join([
            f"sip_listen 127.0.0.1:{self.port}", "net_interface 127.0.0.1",
            f"audio_source aufile,{path}/tone.wav", "audio_player aubridge,nowhere",
            "audio_alert aubridge,nowhere", "audio_path /nonexistent", f"snd_path {path}/heard",
            f"ausrc_srate {rate}", f"auplay_srate {rate}", "ausrc_channels 1", "auplay_channels 1",
            f"rtcp_mux {mux}", *authorities, f"ctrl_tcp_listen 127.0.0.1:{control}",
            "module_path " + str(next(pathlib.Path("/usr").glob("lib*/**/baresip/modules"))),
            *(f"{MODULES.get(name, 'module')} {name}.so" for name in modules)]) + "\n")
        words = (f'regint=600;outbound="sip:127.0.0.1:{server};transport={way}"' if server
                 else "regint=0")
        if security:
            words += f";mediaenc={security[1]}"
        if nat:
            words += f";medianat={nat}"
        (path / "accounts").write_text(
            f"<sip:alice@atlanta.example{transport}>;auth_pass=none;{words};answermode=auto;"
            f"audio_codecs={codec}\n")
        (path / "contacts").write_text("")
        with open(path / "log", "wb") as log:
            self.process = subprocess.Popen([BARESIP, "-f", path, "-4", "-s"], stdout=log,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.control = self.connect(control)
        if server:
            self.wait_for("200 OK")

    def connect(self, port):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port))
            except ConnectionRefusedError:
                assert time.monotonic() < deadline and self.process.poll() is None, self.log()
                time.sleep(0.05)

    def log(self):
        return (self.path / "log").read_text(errors="replace")

    def wait_for(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.log()):
            assert time.monotonic() < deadline and self.process.poll() is None, self.log()
            time.sleep(0.05)

    def command(self, name, parameters=""):
        text = json.dumps({"command": name, "params": parameters, "token": name})
        self.control.sendall(f"{len(text)}:{text},".encode())

    def recording(self):
        """What it has heard; it is whole once baresip has ended."""
        self.close()
        return next((self.path / "heard").glob("*-dec.wav"))

    def close(self):
        self.control.close()
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:  # How it ends is not what is looked at here.
            self.process.kill()
            self.process.wait()
