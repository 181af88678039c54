"""SCIM 2.0 as scim2-tester's checks of compliance see it. Use: scim_check.py URL KEY

URL is where SCIM answers, as in https://lectern.example/api/v1/scim/v2. KEY is an API key of a tenant whose people may
come and go: the checks make people and groups of every role, and remove them again.

Needs the package `scim2-tester` with its extra `httpx2`. Prints a line for each kind of check and all that failed, and
ends with 1 when one did.
"""

import sys
from collections import Counter

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

GOOD = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE, Status.SKIPPED}


def main(url, key):
    headers = {"Authorization": f"Bearer {key}"}
    with Client(base_url=url, headers=headers, timeout=60) as http:
        results = check_server(SyncSCIMClient(http))
    counts, bad = Counter(), []
    for result in results:
        counts[(result.resource_type or "service", result.title, result.status.name)] += 1
        if result.status not in GOOD:
            bad.append(result)
    for (kind, title, status), count in sorted(counts.items(), key=str):
        print(f"{kind}: {title}: {count} {status.lower()}")
    for result in bad:
        print(f"FAILED {result.resource_type or 'service'} {result.title}: {result.reason}\n  {result.data!r}"[:2000])
    print(f"{len(results) - len(bad)} passed, {len(bad)} failed")
    return 1 if bad or len(results) < 50 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/"), sys.argv[2]))
