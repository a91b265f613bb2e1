from django.urls import path

from access.views import route_tables

urlpatterns = [
    path("route-tables/", route_tables.list_route_tables, name="list-route-tables"),
    path("route-tables/create/", route_tables.create_route_table, name="create-route-table"),
    path("route-table/<str:table_name>/", route_tables.get_route_table, name="get-route-table"),
    path("route-table/<str:table_name>/update/", route_tables.update_route_table, name="update-route-table"),
    path("route-table/<str:table_name>/token/", route_tables.rotate_route_table_token, name="rotate-route-table-token"),
    path("route-table/<str:table_name>/delete/", route_tables.delete_route_table, name="delete-route-table"),
]
