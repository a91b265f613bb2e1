import pytest
from django.db import connection
from django.test import Client, override_settings

from identities.sealed import box


@pytest.mark.django_db
def test_it_is_ready_when_database_migrations_and_keys_are(client: Client) -> None:
    assert client.get("/healthz").json() == client.get("/readyz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_it_is_not_ready_before_the_migrations(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'access'")
    reply = client.get("/readyz")
    assert (reply.status_code, reply.json()) == (503, {"status": "migrations"})


@pytest.mark.django_db
def test_it_is_not_ready_without_keys(client: Client) -> None:
    box.cache_clear()
    with override_settings(ENCRYPTION_KEYS=()):
        reply = client.get("/readyz")
    assert (reply.status_code, reply.json()) == (503, {"status": "keys"})
    assert client.get("/readyz").status_code == 200
