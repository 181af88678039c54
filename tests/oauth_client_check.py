"""The authorization server as a client library sees it. Use: oauth_client_check.py URL SESSION CSRF [CA]

URL is where the appliance answers, as in https://127.0.0.1:8443. SESSION is the value of the cookie `lectern_session`
of somebody who may manage apps and read documents, CSRF the `csrf_token` of GET /api/v1/session: they register the apps
and stand for the person who consents. CA is a PEM file that the appliance's certificate is checked with.

Needs the packages `authlib` and `requests`. Prints one line a check and ends with 1 when one fails. The apps that it
registers are removed at the end.
"""

import os
import sys
import time
from urllib.parse import parse_qs, urlsplit

if sys.argv[1].startswith("http://"):
    # Only ever this machine; without it the library talks to HTTPS alone.
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

URL, SESSION, CSRF = sys.argv[1].rstrip("/"), sys.argv[2], sys.argv[3]
VERIFY = sys.argv[4] if len(sys.argv) > 4 else True
BACK = "http://127.0.0.1/back"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "documents.read"


class Site:
    """The appliance, the person at the browser, and the apps that were registered."""

    def __init__(self):
        self.browser = requests.Session()
        self.browser.verify = VERIFY
        self.browser.headers["X-CSRF-Token"] = CSRF
        self.browser.headers["Cookie"] = f"lectern_session={SESSION}"
        self.made = []
        self.server = {}

    def api(self, method, path, status, **more):
        answer = self.browser.request(method, f"{URL}/api/v1{path}", timeout=60, **more)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def register(self, kind, grants):
        new = {
            "name": f"Check of {kind} apps",
            "kind": kind,
            "redirect_uris": [BACK],
            "scopes": [SCOPE],
            "grants": grants,
        }
        app = self.api("POST", "/apps", 201, json=new)
        self.made.append(app["id"])
        return app

    def client(self, app, method):
        session = OAuth2Session(
            app["client_id"],
            app.get("client_secret"),
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            scope=SCOPE,
            redirect_uri=BACK.replace("127.0.0.1", "127.0.0.1:49321"),
            code_challenge_method="S256",
        )
        session.verify = VERIFY
        return session

    def consent(self, address):
        """What the console's page does with the app's request: where the browser goes."""
        query = urlsplit(address).query
        asked = self.api("GET", f"/oauth/authorize?{query}", 200)
        assert asked["outcome"] == "ask" and asked["scopes"] == [{"name": SCOPE, "held": True}], asked
        decision = {"query": query, "allow": True}
        back = self.api("POST", "/oauth/authorize", 200, json=decision)["redirect_to"]
        assert parse_qs(urlsplit(back).query)["iss"] == [self.server["issuer"]], back
        return back

    def signed_in(self, client):
        verifier = generate_token(48)
        address, state = client.create_authorization_url(
            self.server["authorization_endpoint"], code_verifier=verifier
        )
        back = self.consent(address)
        token = client.fetch_token(
            self.server["token_endpoint"],
            authorization_response=back,
            code_verifier=verifier,
            state=state,
        )
        return token, back, verifier

    def reads(self, token):
        answer = requests.get(
            f"{URL}/api/v1/documents",
            headers={"Authorization": f"Bearer {token}"},
            verify=VERIFY,
            timeout=60,
        )
        return answer.status_code


def refused(error, call, *arguments, **more):
    try:
        call(*arguments, **more)
    except OAuthError as told:
        assert told.error == error, (told.error, told.description)
        return
    raise AssertionError(f"{error} was expected")


def check_metadata(site):
    answer = requests.get(f"{URL}/.well-known/oauth-authorization-server", verify=VERIFY, timeout=60)
    answer.raise_for_status()
    site.server = AuthorizationServerMetadata(answer.json())
    site.server.validate()
    assert site.server["code_challenge_methods_supported"] == ["S256"]
    assert SCOPE in site.server["scopes_supported"]
    return site.server["issuer"]


def check_code(site):
    ways = [("confidential", "client_secret_basic"), ("confidential", "client_secret_post"), ("public", "none")]
    for kind, method in ways:
        app = site.register(kind, ["authorization_code", "refresh_token"])
        client = site.client(app, method)
        token, back, verifier = site.signed_in(client)
        assert token["token_type"] == "Bearer" and token["scope"] == SCOPE and token["refresh_token"]
        assert site.reads(token["access_token"]) == 200
        assert client.get(f"{URL}/api/v1/documents", timeout=60).status_code == 200
        again = site.client(app, method)
        arguments = {"authorization_response": back, "code_verifier": verifier}
        refused("invalid_grant", again.fetch_token, site.server["token_endpoint"], **arguments)
        assert site.reads(token["access_token"]) == 401, "a replayed code ends its tokens"
    return ", ".join(method for _, method in ways)


def check_verifier(site):
    app = site.register("public", ["authorization_code"])
    client = site.client(app, "none")
    address, _ = client.create_authorization_url(
        site.server["authorization_endpoint"], code_verifier=generate_token(48)
    )
    arguments = {"authorization_response": site.consent(address), "code_verifier": generate_token(48)}
    refused("invalid_grant", client.fetch_token, site.server["token_endpoint"], **arguments)


def check_refresh(site):
    app = site.register("public", ["authorization_code", "refresh_token"])
    client = site.client(app, "none")
    first, _, _ = site.signed_in(client)
    endpoint = site.server["token_endpoint"]
    second = client.refresh_token(endpoint, refresh_token=first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert site.reads(second["access_token"]) == 200
    refused("invalid_grant", client.refresh_token, endpoint, refresh_token=first["refresh_token"])
    assert site.reads(second["access_token"]) == 401, "a replayed refresh token ends its family"
    refused("invalid_grant", client.refresh_token, endpoint, refresh_token=second["refresh_token"])


def check_itself(site):
    app = site.register("confidential", ["client_credentials"])
    client = site.client(app, "client_secret_basic")
    token = client.fetch_token(site.server["token_endpoint"], grant_type="client_credentials")
    assert token["scope"] == SCOPE and "refresh_token" not in token
    assert site.reads(token["access_token"]) == 200
    arguments = {"grant_type": "client_credentials", "scope": "people.manage"}
    refused("invalid_scope", client.fetch_token, site.server["token_endpoint"], **arguments)
    arguments = {"grant_type": "password", "username": "a", "password": "b"}
    refused("unsupported_grant_type", client.fetch_token, site.server["token_endpoint"], **arguments)


def check_device(site):
    app = site.register("public", [DEVICE, "refresh_token"])
    form = {"client_id": app["client_id"], "scope": SCOPE}
    told = requests.post(
        site.server["device_authorization_endpoint"], data=form, verify=VERIFY, timeout=60
    ).json()
    client = site.client(app, "none")
    arguments = {"grant_type": DEVICE, "device_code": told["device_code"]}
    refused("authorization_pending", client.fetch_token, site.server["token_endpoint"], **arguments)
    refused("slow_down", client.fetch_token, site.server["token_endpoint"], **arguments)
    asked = site.api("GET", f"/oauth/device?user_code={told['user_code']}", 200)
    assert asked["app"]["client_id"] == app["client_id"], asked
    site.api("POST", "/oauth/device", 204, json={"user_code": told["user_code"], "allow": True})
    time.sleep(told["interval"])
    token = client.fetch_token(site.server["token_endpoint"], **arguments)
    assert site.reads(token["access_token"]) == 200
    return told["verification_uri"]


def check_introspection(site):
    app = site.register("confidential", ["authorization_code", "refresh_token"])
    client = site.client(app, "client_secret_basic")
    token, _, _ = site.signed_in(client)
    endpoint = site.server["introspection_endpoint"]
    told = client.introspect_token(endpoint, token=token["access_token"]).json()
    assert told["active"] and told["client_id"] == app["client_id"] and told["scope"] == SCOPE, told
    assert told["iss"] == site.server["issuer"] and told["exp"] - told["iat"] == 3600, told
    other = site.register("confidential", ["client_credentials"])
    foreign = site.client(other, "client_secret_basic")
    told = foreign.introspect_token(endpoint, token=token["access_token"]).json()
    assert told == {"active": False}, told


def check_revocation(site):
    app = site.register("public", ["authorization_code", "refresh_token"])
    client = site.client(app, "none")
    token, _, _ = site.signed_in(client)
    endpoint = site.server["revocation_endpoint"]
    answer = client.revoke_token(endpoint, token=token["refresh_token"], token_type_hint="refresh_token")
    assert answer.status_code == 200, answer.text
    assert site.reads(token["access_token"]) == 401
    token, _, _ = site.signed_in(client)
    listed = {allowed["id"] for allowed in site.api("GET", "/me/apps", 200)}
    assert app["id"] in listed
    site.api("DELETE", f"/me/apps/{app['id']}", 204)
    assert site.reads(token["access_token"]) == 401


def main():
    site = Site()
    checks = [
        check_metadata,
        check_code,
        check_verifier,
        check_refresh,
        check_itself,
        check_device,
        check_introspection,
        check_revocation,
    ]
    try:
        for check in checks:
            print(f"ok {check.__name__} {check(site) or ''}".rstrip(), flush=True)
    finally:
        for app in site.made:
            site.api("DELETE", f"/apps/{app}", 204)


main()
