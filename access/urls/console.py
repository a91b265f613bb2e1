from django.urls import URLPattern, path

from access.views import (
    accept_finding,
    dashboard,
    lockdown,
    role_credentials,
    root_protection,
    security_findings,
    sessions,
    simulator,
    switch_role,
    who_needs_access,
    why,
)

urlpatterns: list[URLPattern] = [
    path("dashboard/", dashboard.dashboard, name="dashboard"),
    path("who-needs-access/", who_needs_access.who_needs_access, name="who-needs-access"),
    # Without the slash at its end: as AWS's own links have it.
    path("switchrole", switch_role.switch_role, name="switch-role"),
    path("switchrole/back/", switch_role.switch_back, name="switch-back"),
    path("switchrole/over/", switch_role.role_over, name="role-over"),
    path("temporary-credentials/", role_credentials.get_temporary_credentials, name="get-temporary-credentials"),
    path("protect-root/", root_protection.protect_root, name="protect-root"),
    path("protect-root/not-now/", root_protection.dismiss_mfa_demand, name="dismiss-mfa-demand"),
    path("sessions/", sessions.my_sessions, name="sessions"),
    path("sessions/<uuid:session_id>/end/", sessions.end_my_session, name="end-session"),
    path("sessions/end-others/", sessions.end_my_other_sessions, name="end-other-sessions"),
    path("user/<str:user_name>/sessions/", sessions.list_console_sessions, name="list-console-sessions"),
    path("user/<str:user_name>/sessions/end/", sessions.end_console_session, name="end-console-session"),
    path("user/<str:user_name>/lock-down/", lockdown.lock_down_user, name="lock-down-user"),
    path("user/<str:user_name>/lift-lockdown/", lockdown.lift_user_lockdown, name="lift-user-lockdown"),
    path("security-findings/", security_findings.security_findings, name="security-findings"),
    path("security-findings/count/", security_findings.count_security_findings, name="count-security-findings"),
    path("security-findings/file.csv", security_findings.security_findings_csv, name="security-findings-csv"),
    path("security-findings/file.json", security_findings.security_findings_json, name="security-findings-json"),
    path("security-findings/<slug:finding_id>/accept/", accept_finding.accept_finding, name="accept-finding"),
    path("security-findings/<slug:finding_id>/reopen/", accept_finding.reopen_finding, name="reopen-finding"),
    path("simulator/", simulator.simulate_principal_policy, name="simulate-principal-policy"),
    path("simulator/custom/", simulator.simulate_custom_policy, name="simulate-custom-policy"),
    path("why/", why.why_refused, name="why-refused"),
    path("why/<uuid:event_id>/", why.why, name="why"),
]
