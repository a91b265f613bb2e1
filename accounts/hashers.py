from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id with the cost that OWASP's cheat sheet asks for (19 MiB, two passes, one lane) as the least."""

    memory_cost = 32 * 1024
    time_cost = 2
    parallelism = 1
