from django.apps import AppConfig


class IamconsoleConfig(AppConfig):
    name = "iamconsole"

    def ready(self) -> None:
        from iamconsole import checks  # noqa: F401, PLC0415 # registers the checks once the registry is ready
