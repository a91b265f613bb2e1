from django.urls import path

from identities.views import server_certificates as views

_ONE = "server-certificate/<str:certificate_name>/"

urlpatterns = [
    path("server-certificates/", views.list_server_certificates, name="list-server-certificates"),
    path("server-certificates/upload/", views.upload_server_certificate, name="upload-server-certificate"),
    path(_ONE, views.get_server_certificate, name="get-server-certificate"),
    path(f"{_ONE}update/", views.update_server_certificate, name="update-server-certificate"),
    path(f"{_ONE}delete/", views.delete_server_certificate, name="delete-server-certificate"),
    path(f"{_ONE}tags/set/", views.tag_server_certificate, name="tag-server-certificate"),
    path(f"{_ONE}tags/remove/", views.untag_server_certificate, name="untag-server-certificate"),
]
