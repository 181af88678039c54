#!/usr/bin/env python3
"""What tenants cost: memory of those that nobody uses, time to the first answer of a cold one, time of a warm one.

Usage: tests/bench_tenants.py LECTERN [TENANTS]

Starts the program on a temporary folder, makes TENANTS (default 200) through the API, each with an owner and a key, waits
until they are closed, and asks each once cold and once warm. Needs nothing but Python.
"""

import http.client
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time

PASSWORD = "a lectern stands still"
CONFIG = '[tenants]\nidle = "2 s"\nmost_open = 16\n'


class Api:
    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def rest(self, seconds):
        """Waits; the server closes connections that nobody uses, so the next call makes a new one."""
        self.connection.close()
        time.sleep(seconds)

    def call(self, method, path, body=None, bearer=None, cookie=None, csrf=None):
        headers = {"content-type": "application/json"}
        if bearer:
            headers["authorization"] = f"Bearer {bearer}"
        if cookie:
            headers["cookie"] = cookie
            headers["x-csrf-token"] = csrf
        self.connection.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {text.decode()}")
        set_cookie = answer.getheader("set-cookie")
        return (json.loads(text) if text else None), (set_cookie or "").split(";")[0]


def memory(process):
    """Private memory in MB."""
    with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as file:
        sizes = re.findall(r"Private_(?:Clean|Dirty): +(\d+) kB", file.read())
    return sum(map(int, sizes)) / 1024


def start(binary, folder, config=""):
    """Starts the program; its process, its address, and the code of the set-up."""
    with open(f"{folder}/lectern.toml", "w", encoding="ascii") as file:
        file.write(config)
    process = subprocess.Popen(
        [binary, "serve", "--data", folder, "--listen", "127.0.0.1:0", "--insecure-http"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    address = code = None
    for line in process.stdout:
        if "is running: " in line:
            address = line.split("//")[1].strip().rstrip("/")
        if line.startswith("setup code: "):
            code = line.split(": ")[1].strip()
            break
    return process, address, code


def owner_key(api, operator, number):
    new = {"id": f"t{number}", "name": f"Tenant {number}", "owner_email": f"owner@t{number}.example"}
    made, _ = api.call("POST", "/tenants", new, bearer=operator)
    accept = {"token": made["invitation"], "name": "Owner", "password": PASSWORD}
    session, cookie = api.call("POST", "/invitations/accept", accept)
    key, _ = api.call("POST", "/keys", {"name": "bench"}, cookie=cookie, csrf=session["csrf_token"])
    return key["secret"]


def wait_closed(api, operator, most):
    for _ in range(240):
        tenants, _ = api.call("GET", "/tenants", bearer=operator)
        if sum(tenant["open"] for tenant in tenants) <= most:
            return
        time.sleep(0.5)
    sys.exit("tenants are not closed")


def ask(api, keys):
    times = []
    for key in keys:
        begun = time.perf_counter()
        api.call("GET", "/documents", bearer=key)
        times.append((time.perf_counter() - begun) * 1000)
    return times


def told(name, times):
    times = sorted(times)
    p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
    print(f"{name}: p50 {statistics.median(times):.1f} ms, p99 {p99:.1f} ms, worst {times[-1]:.1f} ms")


def main():
    binary, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200
    with tempfile.TemporaryDirectory() as folder:
        process, address, code = start(binary, folder, CONFIG)
        try:
            api = Api(address)
            first = {"code": code, "name": "Ada", "email": "ada@example.org", "password": PASSWORD}
            session, cookie = api.call("POST", "/setup", first)
            scopes = {"name": "operator", "scopes": ["*", "appliance.tenants"]}
            key, _ = api.call("POST", "/keys", scopes, cookie=cookie, csrf=session["csrf_token"])
            operator = key["secret"]
            warm_up = owner_key(api, operator, 0)
            ask(api, [warm_up])
            api.rest(15)
            wait_closed(api, operator, 1)
            before = memory(process)
            begun = time.perf_counter()
            keys = [owner_key(api, operator, number) for number in range(1, count + 1)]
            print(f"{count} tenants made, {(time.perf_counter() - begun) / count * 1000:.0f} ms each with owner and key")
            api.rest(15)
            wait_closed(api, operator, 1)
            after = memory(process)
            print(f"private memory {before:.0f} MB before, {after:.0f} MB with {count} idle tenants: "
                  f"{(after - before) / count * 1024:.0f} kB each")
            told("first answer of a cold tenant", ask(api, keys))
            told("of a warm one", [t for key in keys[-8:] for t in ask(api, [key] * 20)])
        finally:
            process.terminate()
            process.wait(60)


if __name__ == "__main__":
    main()
