from django.urls import URLPattern, path

from access.views import dashboard, root_protection, sessions, simulator, why

urlpatterns: list[URLPattern] = [
    path("dashboard/", dashboard.dashboard, name="dashboard"),
    path("protect-root/", root_protection.protect_root, name="protect-root"),
    path("protect-root/not-now/", root_protection.dismiss_mfa_demand, name="dismiss-mfa-demand"),
    path("sessions/", sessions.my_sessions, name="sessions"),
    path("sessions/<uuid:session_id>/end/", sessions.end_my_session, name="end-session"),
    path("sessions/end-others/", sessions.end_my_other_sessions, name="end-other-sessions"),
    path("user/<str:user_name>/sessions/", sessions.list_console_sessions, name="list-console-sessions"),
    path("user/<str:user_name>/sessions/end/", sessions.end_console_session, name="end-console-session"),
    path("simulator/", simulator.simulate_principal_policy, name="simulate-principal-policy"),
    path("simulator/custom/", simulator.simulate_custom_policy, name="simulate-custom-policy"),
    path("why/", why.why_refused, name="why-refused"),
    path("why/<int:event_id>/", why.why, name="why"),
]
