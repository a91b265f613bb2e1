from django.apps import AppConfig
from django.db.models.signals import post_migrate

from policies import builtin


def _load_built_in_policies(sender: AppConfig, **kwargs: object) -> None:
    builtin.load(sender.get_model("ManagedPolicy"), sender.get_model("PolicyVersion"))


class PoliciesConfig(AppConfig):
    name = "policies"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # After every migration the built-in policies are as this release ships them.
        post_migrate.connect(_load_built_in_policies, sender=self)
