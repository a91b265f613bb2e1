from django.urls import path

from api import machine_views, service_views, views
from identities.machine_proof import CREDENTIALS_PATH, JOIN_PATH

app_name = "api"

urlpatterns = [
    path("", views.endpoint, name="endpoint"),
    path(JOIN_PATH.removeprefix("/"), machine_views.join_machine, name="join-machine"),
    path(CREDENTIALS_PATH.removeprefix("/"), machine_views.machine_credentials, name="machine-credentials"),
    path("authorize", service_views.authorize, name="authorize"),
    path("authorize/forward", service_views.authorize_forward, name="authorize-forward"),
    path("authorize/envoy/<path:path>", service_views.authorize_envoy, name="authorize-envoy"),
    path("authorize/envoy/", service_views.authorize_envoy, {"path": ""}, name="authorize-envoy-root"),
    path("authorize/minio", service_views.authorize_minio, name="authorize-minio"),
]
