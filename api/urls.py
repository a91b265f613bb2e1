from django.urls import path

from api import service_views, views

app_name = "api"

urlpatterns = [
    path("", views.endpoint, name="endpoint"),
    path("authorize", service_views.authorize, name="authorize"),
    path("authorize/forward", service_views.authorize_forward, name="authorize-forward"),
    path("authorize/envoy/<path:path>", service_views.authorize_envoy, name="authorize-envoy"),
    path("authorize/envoy/", service_views.authorize_envoy, {"path": ""}, name="authorize-envoy-root"),
    path("authorize/minio", service_views.authorize_minio, name="authorize-minio"),
]
