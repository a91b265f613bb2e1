import pytest
from tests.cast import *
def test_x(client, acme, alice):
    r = client.post("/signin/", {"account": "acme", "user_name": "ALICE", "password": PASSWORD})
    for u in ("/dashboard/","/sessions/","/account/","/account/password-policy/","/account/alias/delete/","/account/password-policy/delete/","/user/alice/sessions/","/confirm/","/signin/", "/signin/acme/","/forgot-password/"):
        r = client.get(u); assert r.status_code == 200, (u, r.content)
    r = client.post("/root-signin/", {"email": "Root@acme.example"}, follow=True)
    r = client.post("/root-signin/password/", {"password": ROOT_PASSWORD}, follow=True)
    assert b"What to do next" in r.content
    for u in ("/dashboard/","/account/"):
        r = client.get(u); assert r.status_code == 200, (u, r.content)
