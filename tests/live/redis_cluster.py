"""A Redis Cluster of three masters and three replicas, in a folder of its own on loopback."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from peer import PATIENCE, free_port, need

NODE_TIMEOUT_MS = 1500  # After so long without a word from a node the others say that it is gone.


class RedisCluster:
    def __init__(self, password=None):
        self.server, self.cli = need("redis-server"), need("redis-cli")
        self.folder = tempfile.TemporaryDirectory(prefix="ahoy-redis-")
        self.password = password
        self.processes = {}
        try:
            ports = [self.start() for _ in range(6)]
            self.run("--cluster", "create", *(f"127.0.0.1:{port}" for port in ports),
                     "--cluster-replicas", "1", "--cluster-yes")
            self.wait(lambda: all(self.is_whole(port) for port in ports))
        except BaseException:
            self.close()
            raise

    def start(self, port=None):
        port = port or free_port()
        folder = pathlib.Path(self.folder.name) / str(port)
        folder.mkdir(exist_ok=True)
        secret = ["--requirepass", self.password, "--masterauth", self.password]
        with open(folder / "log", "a") as log:
            self.processes[port] = subprocess.Popen(
                [self.server, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
                 "--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS),
                 "--cluster-port", str(free_port()), "--save", "", "--appendonly", "no",
                 "--repl-diskless-sync-delay", "0", *(secret if self.password else [])],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.wait(lambda: "Ready to accept" in (folder / "log").read_text())
        return port

    def run(self, *arguments, port=None):
        place = ["-p", str(port)] if port else []
        return subprocess.run([self.cli, *place, *arguments], capture_output=True, text=True,
                              check=True, timeout=2 * PATIENCE,
                              env={**os.environ, "REDISCLI_AUTH": self.password or ""}).stdout

    def wait(self, holds):
        deadline = time.monotonic() + 2 * PATIENCE  # Elections take their time on a busy machine.
        while not holds():
            if time.monotonic() > deadline:
                raise SystemExit("the Redis Cluster is not as it should be")
            time.sleep(0.02)

    def is_whole(self, port):
        """Whether the node there knows all others, and its replication runs."""
        nodes = self.run("cluster", "nodes", port=port)
        return ("cluster_state:ok" in self.run("cluster", "info", port=port)
                and nodes.count("connected") == 6 and nodes.count("slave") == 3
                and ("role:master" in self.run("info", "replication", port=port)
                     or "master_link_status:up" in self.run("info", "replication", port=port)))

    def masters(self):
        """The ports of those that have slots, as the first node that lives sees it."""
        port = next(port for port, process in self.processes.items() if process.poll() is None)
        return [int(row.split()[1].split("@")[0].split(":")[1])
                for row in self.run("cluster", "nodes", port=port).splitlines()
                if "master" in row and "fail" not in row and len(row.split()) > 8]

    def master_of(self, key):
        """The port of the master that has the slot of |key|."""
        port = self.masters()[0]
        slot = int(self.run("cluster", "keyslot", key, port=port))
        slots = json.loads(self.run("--json", "cluster", "slots", port=port))
        for first, last, master, *_ in slots:
            if first <= slot <= last:
                return master[1]
        raise SystemExit(f"slot {slot} is nobody's")

    def move_slots(self, count):
        """Begins to move so many slots from one master to another; returns the process."""
        source, target = self.masters()[:2]
        names = {int(row.split()[1].split("@")[0].split(":")[1]): row.split()[0]
                 for row in self.run("cluster", "nodes", port=source).splitlines()}
        return subprocess.Popen(
            [self.cli, "--cluster", "reshard", f"127.0.0.1:{source}", "--cluster-from",
             names[source], "--cluster-to", names[target], "--cluster-slots", str(count),
             "--cluster-yes"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            env={**os.environ, "REDISCLI_AUTH": self.password or ""})

    def kill(self, port):
        self.processes[port].kill()
        self.processes[port].wait()

    def signal(self, which):
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(which)

    def close(self):
        self.signal(signal.SIGCONT)
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.folder.cleanup()

    def url(self, options=""):
        user = f":{self.password}@" if self.password else ""
        places = ",".join(f"127.0.0.1:{port}" for port in list(self.processes)[:3])
        return f"redis-cluster://{user}{places}{options}"
