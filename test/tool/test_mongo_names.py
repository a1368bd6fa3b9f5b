"""Names that are looked up: those of hosts, and that of a cluster in mongodb+srv://. The test has a network of its own,
with nothing but a loopback: port 53, which resolvers ask, is there to be had, and no question leaves it."""
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import time

import mongo_server
import mount_namespace
import support

DOMAIN = "shop.minibatch.test"
NODE = f"node.{DOMAIN}"
ADDRESSES = (f"127.53.0.{last}" for last in range(1, 255))  # of name servers
OWN_NETWORK = "MINIBATCH_TEST_OWN_NETWORK"  # is set there
SIOCSIFFLAGS, IFF_UP = 0x8914, 1  # ioctl of Linux


def enter_own_network():
    """Starts this program again, in a namespace that ends with it and what it has started."""
    if os.environ.get(OWN_NETWORK) != "yes":
        os.environ[OWN_NETWORK] = "yes"
        os.execvp("unshare", ["unshare", *mount_namespace.become_root(), "--net", sys.executable, *sys.argv])
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP) + bytes(14))


class NameServer:
    """dnsmasq, which knows one cluster of one server, and that there is nothing else below minibatch.test."""

    def __init__(self, port, text=None):
        self.address = next(ADDRESSES)
        program = shutil.which("dnsmasq", path="/usr/sbin:/usr/bin")
        if not program:
            raise FileNotFoundError("dnsmasq is missing (Debian: dnsmasq-base)")
        self.process = subprocess.Popen(
            # It stays in the foreground and who it is, and writes no file.
            [program, "--no-daemon", "--conf-file=/dev/null", "--log-facility=-", "--no-resolv", "--no-hosts",
             "--bind-interfaces", f"--listen-address={self.address}", "--local=/minibatch.test/",
             f"--host-record={NODE},127.0.0.1", f"--srv-host=_mongodb._tcp.{DOMAIN},{NODE},{port}",
             *([f"--txt-record={DOMAIN},{text}"] if text else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=mongo_server.dies_with_its_parent)
        said = ""
        while "started" not in said:
            line = self.process.stdout.readline()
            if not line:
                self.close()
                raise RuntimeError(f"the name server has not started: {said}")
            said += line

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class SilentNameServer:
    """Takes all questions and answers none."""

    def __init__(self):
        self.address = next(ADDRESSES)
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind((self.address, 53))

    def question(self):
        """The first one; each part of the name comes after its length."""
        return self.socket.recv(512, socket.MSG_DONTWAIT)

    def close(self):
        self.socket.close()


class Names(support.ToolTest):
    @classmethod
    def setUpClass(cls):
        cls.server = mongo_server.MongoServer(cls.mongo_program)
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        super().setUp()
        self.database = mongo_server.fresh_name()

    def asking(self, names):
        """What is run with the result before it asks this name server, which ends with the test."""
        self.addCleanup(names.close)
        self.file("resolv.conf", f"nameserver {names.address}\n")
        mount = mount_namespace.Mount("/etc/resolv.conf", "--bind", self.path("resolv.conf"))
        self.addCleanup(mount.close)
        with open("/etc/resolv.conf", encoding="utf-8") as others:
            self.assertNotIn(names.address, others.read(), "all programs would ask the name server of the test")
        return mount.inside

    def use(self, url):
        self.environment["MINIBATCH_URL"] = url

    def stored(self, documents, before):
        """They are appended and consumed, each by a run that looks the names up."""
        self.ok("append", "s", input="".join(f'{{"n":{n}}}\n' for n in documents), before=before)
        done = self.ok("consume", "s", "--size", str(len(documents)), "--max-windows", "1", before=before)
        self.assertEqual([window["data"] for window in done.windows()], [[{"n": n} for n in documents]])

    def test_a_host(self):
        inside = self.asking(NameServer(self.server.port))
        self.use(f"mongodb://{NODE}:{self.server.port}/{self.database}?directConnection=true")
        self.stored([1, 2], inside)

    def test_a_cluster(self):
        inside = self.asking(NameServer(self.server.port))
        self.use(f"mongodb+srv://{DOMAIN}/{self.database}?tls=false")
        self.stored([1, 2], inside)
        self.use(self.server.url(self.database))
        self.assertEqual(self.documents("s"), [{"n": 1}, {"n": 2}])

    def test_options_of_the_cluster(self):
        """Those of the TXT record. The driver takes three, and does not heed replicaSet."""
        url = f"mongodb+srv://{DOMAIN}/{self.database}?tls=false"
        for told, code, word in (("loadBalanced=true", 1, "load balancing"), ("w=0", 2, '"w" prohibited in TXT')):
            inside = self.asking(NameServer(self.server.port, told))
            self.fails(code, [f"MongoDB at {DOMAIN}", word], "--db", url, "append", "s", "--timeout", "1", before=inside)

    def test_where_the_users_of_the_cluster_are(self):
        server = mongo_server.MongoServer(self.mongo_program, auth=True)
        self.addCleanup(server.close)
        server.command("staff", {"createUser": "ann", "pwd": "x",
                                 "roles": [{"role": "readWrite", "db": self.database}]})
        inside = self.asking(NameServer(server.port, "authSource=staff"))
        url = f"mongodb+srv://ann:x@{DOMAIN}/{self.database}?tls=false"
        self.use(url + "&authSource=staff")
        self.stored([1, 2], inside)
        # In admin unless the URL says otherwise, whatever the record says.
        self.fails(1, "authentication failed", "--db", url, "streams", before=inside)

    def test_a_replica_set(self):
        inside = self.asking(NameServer(self.server.port))
        url = f"mongodb+srv://{DOMAIN}/{self.database}?tls=false&replicaSet="
        self.use(url + "secantus")
        self.stored([1, 2], inside)
        self.fails(75, [f"MongoDB at {DOMAIN}, database '{self.database}'", "in replica set 'others'"], "--db",
                   url + "others", "--timeout", "1", "streams", before=inside)

    def test_tls_unless_the_url_says_otherwise(self):
        inside = self.asking(NameServer(self.server.port))
        self.fails(75, [f"MongoDB at {DOMAIN}", "TLS handshake"], "--db", f"mongodb+srv://{DOMAIN}/{self.database}",
                   "--timeout", "1", "streams", before=inside)

    def test_a_cluster_that_nobody_knows(self):
        inside = self.asking(NameServer(self.server.port))
        # The second is a host, but no cluster.
        for host in (f"other.{DOMAIN}", NODE):
            done = self.fails(75, [f"MongoDB at {host}: ", "SRV"], "--db", f"mongodb+srv://ann:secret@{host}/db",
                              "append", "s", "--timeout", "1", input=b'{"n":1}\n', before=inside)
            self.assertEqual(done.out, support.NOTHING)
            for hidden in ("ann", "secret"):
                self.assertNotIn(hidden, done.err)

    def test_a_name_server_that_does_not_answer(self):
        """The resolver waits for 10 s, as it is set up by default. Closing waits for the driver, which asks, too."""
        names = SilentNameServer()
        inside = self.asking(names)
        began = time.monotonic()
        done = self.fails(75, [f"MongoDB at {NODE}:27017, database 'db'"], "--db", f"mongodb://ann:secret@{NODE}/db",
                          "append", "s", "--timeout", "5", input=b'{"n":1}\n', before=inside)
        took = time.monotonic() - began
        self.assertIn(b"\x04node\x04shop\x09minibatch\x04test", names.question())
        self.assertNotIn("secret", done.err)
        self.assertLess(took, 15)


if __name__ == "__main__":
    enter_own_network()
    support.main(kinds=("sqlite",))
