from django.urls import path

from audit import views

app_name = "audit"

urlpatterns = [
    path("", views.lookup_events, name="lookup-events"),
    path("<uuid:event_id>/", views.lookup_events_entry, name="lookup-events-entry"),
]
