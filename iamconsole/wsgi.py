"""The application for a WSGI server. It refuses to start on settings that would not be safe."""

import gc
import os

from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from api import shapes
from policies.engine.catalog import load_everything

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iamconsole.settings")

_pages = get_wsgi_application()

from iamconsole.programs import ProgramsFirst  # noqa: E402 # its models can be read only now

application = ProgramsFirst(_pages)

_problems = [problem for problem in run_checks(tags=["iamconsole"]) if problem.is_serious()]
if _problems:
    raise ImproperlyConfigured("\n".join(str(problem) for problem in _problems))

# Half a second now, so that nobody waits for the catalogue of actions, or for the API's own models, later.
load_everything()
shapes.load_models()

# What is there now stays for good: the collector need not look at it again and again, and the workers go on sharing
# its memory. Of what a call makes almost everything goes by itself; to look every 700 things cost a call a tenth.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
