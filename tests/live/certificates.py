"""Certificates for live tests, made by openssl in a folder of their own."""
import os
import ssl
import subprocess
import tempfile

from peer import need

SERVER_NAMES = "DNS:atlanta.example,IP:127.0.0.1,IP:::1"
EC = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


class Certificates:
    def __init__(self):
        self.openssl_path = need("openssl")
        self.folder = tempfile.TemporaryDirectory(prefix="ahoy-certificates-")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def openssl(self, *arguments):
        subprocess.run([self.openssl_path, *arguments], check=True, capture_output=True,
                       cwd=self.folder.name)

    def authority(self, name):
        self.openssl("req", "-x509", "-newkey", *EC, "-nodes", "-days", "30", "-subj",
                     f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-addext",
                     "basicConstraints=critical,CA:TRUE")

    def make(self, name, names, authority="ca", key=EC, days="365"):
        """NAME.pem and NAME.key, for the |names| of a subjectAltName; None: without one."""
        self.openssl("req", "-newkey", *key, "-nodes", "-subj", f"/CN={name}", "-keyout",
                     f"{name}.key", "-out", f"{name}.csr")
        with open(self.path("names"), "w") as file:
            file.write(f"subjectAltName={names}\n" if names else "keyUsage=digitalSignature\n")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey",
                     f"{authority}.key", "-CAcreateserial", "-days", days, "-extfile", "names",
                     "-out", f"{name}.pem")

    def pair(self, name="server"):
        """As options of the configuration."""
        return f'certificate = "{self.path(name)}.pem", key = "{self.path(name)}.key"'

    def server_context(self, certificate="server"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(f"{certificate}.pem"), self.path(f"{certificate}.key"))
        return context

    def context(self, certificate=None):
        """Of a client that trusts "ca", and shows |certificate|."""
        context = ssl.create_default_context(cafile=self.path("ca.pem"))
        if certificate:
            context.load_cert_chain(self.path(f"{certificate}.pem"),
                                    self.path(f"{certificate}.key"))
        return context
