"""How the database is asked: what Django's ORM does not do, or not fast enough for what every call asks. No app of
Django's and no models of its own; every app may use it. The backend that keeps PostgreSQL's plans is
`iamconsole.postgres`; without it the same statements go through Django's cursor."""
