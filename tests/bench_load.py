#!/usr/bin/env python3
"""A crowd of people who read: their answers' times, with pauses between their questions and without.

Usage: tests/bench_load.py LECTERN [PEOPLE]

Starts the program on a temporary folder with 40 documents, makes 400 keys, opens a connection for each of PEOPLE (default
1,000), and asks for documents, searches, collections, conversations and usage in turn. Needs wrk, which Debian has; wrk
takes most of a core, as it measures on the same machine.
"""

import http.client
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time

from bench_tenants import PASSWORD, start

SECONDS = 20
WORDS = "pump valve bearing motor belt filter gauge switch cable sensor hours weekly yearly oil grease water steam pressure".split()
SCRIPT = """
local paths = {"/api/v1/documents?limit=20", "/api/v1/search?q=feed+pump", "/api/v1/collections",
  "/api/v1/search?q=bearing+hours", "/api/v1/conversations", "/api/v1/usage"}
local keys = {%s}
local asked, failed = 0, 0
request = function()
  asked = asked + 1
  local key = keys[asked %% #keys + 1]
  return wrk.format("GET", paths[(asked + math.floor(asked / #keys)) %% #paths + 1], {["Authorization"] = "Bearer " .. key})
end
%s
"""
PAUSE = "delay = function() return 500 + math.random(0, 500) end"


def document(number):
    lines = [f"# Machine {number}"]
    for line in range(60):
        chosen = [WORDS[(number * 7 + line * step + step) % len(WORDS)] for step in (1, 3, 5, 7)]
        first, second, third, fourth = chosen
        lines.append(f"The feed pump {number}.{line} has a {first} with {second}; check {third} and {fourth} after {line} hours.")
    return "\n\n".join(lines)


class Api:
    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=60)
        self.headers = {}

    def call(self, method, path, body=None, kind="application/json"):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        self.connection.request(method, f"/api/v1{path}", data, {"content-type": kind} | self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {text.decode()}")
        if cookie := answer.getheader("set-cookie"):
            self.headers["cookie"] = cookie.split(";")[0]
        return json.loads(text) if text else None

    def upload(self, name, text):
        part = f'--part\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n\r\n{text}\r\n--part--\r\n'
        self.call("POST", "/documents", part.encode(), "multipart/form-data; boundary=part")


def fill(api, code):
    first = {"code": code, "name": "Ada", "email": "ada@example.org", "password": PASSWORD}
    api.headers["x-csrf-token"] = api.call("POST", "/setup", first)["csrf_token"]
    for number in range(40):
        api.upload(f"machine-{number}.md", document(number))
    while any(found["status"] not in ("ready", "failed") for found in api.call("GET", "/documents?limit=100")["items"]):
        time.sleep(0.5)
    return [api.call("POST", "/keys", {"name": f"person {number}"})["secret"] for number in range(400)]


def wrk(address, keys, connections, pause):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % (",".join(f'"{key}"' for key in keys), pause))
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--timeout", "10s", "--latency", "-s", script.name]
        said = subprocess.run([*command, f"http://{address}"], capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec: +([\d.]+)", said).group(1)
    times = dict(re.findall(r"^ +(50|90|99)% +(\S+)$", said, re.MULTILINE))
    worst = re.search(r"Latency +\S+ +\S+ +(\S+)", said).group(1)
    errors = re.findall(r"(?:Socket errors|Non-2xx).*", said)
    spread = f"p50 {times['50']}, p90 {times['90']}, p99 {times['99']}, worst {worst}"
    return f"{float(rate):,.0f} requests/s, {spread}, errors: {errors or 0}"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not shutil.which("wrk"):
        sys.exit("wrk is missing: apt-get install wrk")
    binary, people = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with tempfile.TemporaryDirectory() as folder:
        process, address, code = start(binary, folder)
        try:
            keys = fill(Api(address), code)
            print(f"{people} people with pauses of 0.5-1 s: {wrk(address, keys, people, PAUSE)}")
            print(f"{people} people without pauses: {wrk(address, keys, people, '')}")
            print(f"one alone: {wrk(address, keys, 1, '')}")
        finally:
            process.terminate()
            process.wait(60)


if __name__ == "__main__":
    main()
