# SPDX-License-Identifier: LGPL-2.1-or-later
"""Networks that let out no more than a proxy does, or TLS to port 443: the session comes up on the channel, and goes to a relay over
TLS where there is one."""

import subprocess
import time

import topology
import traffic
from lab import FILES, Lab
from process import PATIENCE, Failure
from testing import check, scenario

RELAY = topology.SERVER_SECOND      # a TURN server of somebody else's, with TLS on the port that every kind lets out
TLS_PORT = 443
HTTP_PORT, SOCKS_PORT = 8888, 1080


def make_certificate(name, address):
    """Returns the files of a certificate that signs itself, and of its key."""
    certificate, key = f"{FILES}/{name}.crt", f"{FILES}/{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{address}", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


def start_relay(lab):
    """Returns the file of its certificate."""
    certificate, key = make_certificate("relay", RELAY)
    name = f"{FILES}/relay"
    lab.start("server", "turnserver", "-n", "--no-cli", "--no-dtls", "--no-rfc5780", "--lt-cred-mech", "--user=alice:secret",
              "--realm=elsewhere", "--listening-port=3478", f"--tls-listening-port={TLS_PORT}", f"--cert={certificate}",
              f"--pkey={key}", f"--listening-ip={RELAY}", f"--relay-ip={RELAY}", f"--pidfile={name}.pid", f"--db={name}.db",
              f"--log-file={name}.log")
    lab.wait_answer(RELAY, 3478)
    return certificate


def relay_options(authority, user="alice"):
    return ("-v", "--turn", "none", "--turn", f"turns:{user}:secret@{RELAY}:{TLS_PORT}", "--turn-ca", authority)


def start_proxy(lab, side, kind):
    """A proxy on the side's router, and no other way out for its host. Returns what the environment says of it, and its log."""
    router, gateway = f"{side}-router", lab.sides[side].first.gateway
    lab.block_all(side)
    if kind == "http":
        configuration, log = f"{FILES}/{side}-proxy.conf", f"{FILES}/{side}-proxy.log"
        with open(configuration, "w") as file:
            file.write(f'Port {HTTP_PORT}\nListen {gateway}\nTimeout 600\nLogFile "{log}"\nLogLevel Connect\nMaxClients 50\n')
        lab.start(router, "tinyproxy", "-d", "-c", configuration)
        url, port = f"http://{gateway}:{HTTP_PORT}", HTTP_PORT
    else:
        lab.start(router, "microsocks", "-i", gateway, "-p", str(SOCKS_PORT))
        url, port = f"socks5://{gateway}:{SOCKS_PORT}", SOCKS_PORT
    _wait_listening(router, port)
    return {"http_proxy": url, "https_proxy": url}


def _wait_listening(machine, port):
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        output = subprocess.run(["nsenter", f"--net=/run/netns/{machine}", "ss", "-Hlnt"], capture_output=True, text=True).stdout
        if any(line.split()[3].endswith(f":{port}") for line in output.splitlines()):
            return
        time.sleep(0.05)
    raise Failure(f"nothing listens on port {port} of {machine}")


def join(lab, options, environments=({}, {})):
    """Two joined pipes, the listener on a, each side with options and variables of its own."""
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    first = lab.run("a", "pipe", *options[0], environment=environments[0], **streams)
    code = first.wait_for("code")["code"]
    return first, lab.run("b", "pipe", *options[1], code=code, environment=environments[1], **streams)


def expect_relay(lab, pair, transports):
    """Data both ways on the turn path, exact, over these transports between the hosts and their relays."""
    exchange = traffic.Exchange(*pair)
    for process, transport in zip(pair, transports):
        process.wait_for("path", kind="turn", transport=transport)
    exchange.wait_progress(2 << 20)
    exchange.finish()
    for process in pair:
        lab.check_paths(process, "turn")


@scenario(each={"http, the listener": ("http", "a"), "socks5, the joiner": ("socks", "b")})
def only_a_proxy(kind, side):
    """The channel, then a relay over TLS, both through the proxy; the other host is the plain one."""
    with Lab(a="port-restricted", b="port-restricted") as lab:
        lab.start_server()
        options = relay_options(start_relay(lab))
        environment = start_proxy(lab, side, kind)
        first = side == "a"
        pair = join(lab, (options, ("-v",)) if first else (("-v",), options), (environment, {}) if first else ({}, environment))
        expect_relay(lab, pair, ("tls", "udp") if first else ("udp", "tls"))
        check("through the proxy" in pair[0 if first else 1].messages, "the record does not tell of the proxy")


@scenario
def no_udp_at_all():
    """Both hosts get out by TCP only, through NATs that change the ports: each is on a relay of its own, over the TURN server's
    own TCP."""
    with Lab(a="udp-blocked-symmetric", b="udp-blocked-symmetric") as lab:
        lab.start_server()
        expect_relay(lab, join(lab, (("-v",), ("-v",))), ("tcp", "tcp"))


@scenario(each={"one": ("port-restricted", ("tls", "udp")), "both": ("only-tcp-443", ("tls", "tls"))})
def only_tls(other, transports):
    with Lab(a="only-tcp-443", b=other) as lab:
        lab.start_server()
        options = relay_options(start_relay(lab))
        expect_relay(lab, join(lab, (options, options if transports[1] == "tls" else ("-v",))), transports)


@scenario(each={"wrong authority": (False, "alice", "its certificate is not trusted"),
                "wrong user": (True, "mallory", "refused: wrong or expired credentials (401)")})
def relay_that_cannot_be(trusted, user, cause):
    """The session stays on the channel, and the record tells why."""
    with Lab(a="only-tcp-443", b="only-tcp-443") as lab:
        lab.start_server()
        authority = start_relay(lab)
        if not trusted:
            authority, _ = make_certificate("other", RELAY)
        pair = join(lab, (relay_options(authority, user),) * 2)
        exchange = traffic.Exchange(*pair)
        for process in pair:
            process.wait_for("path", kind="channel")
        for process in pair:
            process.events.wait_until(lambda events: any(cause in event.get("line", "") for event in events), f"record: {cause}")
        exchange.require(1 << 18)
        exchange.finish()
        for process in pair:
            check(set(process.paths()) == {"channel"}, f"{process.name}: {process.paths()}")


@scenario(each={"http": ("http", "HTTP proxy"), "socks5": ("socks", "SOCKS")})
def name_is_looked_up_by_the_proxy(kind, word):
    """Here nobody can look up names: the proxy says that it does not know this one, and the message tells so."""
    with Lab(a="port-restricted", b="port-restricted") as lab:
        environment = start_proxy(lab, "a", kind) | {"ICE_SESSION_SERVER": "ws://no-such-host.invalid:443"}
        process = lab.run("a", "pipe", environment=environment)
        process.expect_exit(3)
        check(word in process.messages, f"it said: {process.messages}")
    return process.messages.strip().splitlines()[-1][:160]
