"""The application for a WSGI server. It refuses to start on settings that would not be safe."""

import os

from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from policies.engine.catalog import load_everything

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iamconsole.settings")

application = get_wsgi_application()

_problems = [problem for problem in run_checks(tags=["iamconsole"]) if problem.is_serious()]
if _problems:
    raise ImproperlyConfigured("\n".join(str(problem) for problem in _problems))

# Half a second now, so that nobody waits for the catalogue of actions later.
load_everything()
