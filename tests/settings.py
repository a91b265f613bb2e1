"""The console's own settings, in an environment made for tests."""

import tests.rig.environment  # noqa: F401 - must come first: it makes what the settings read

# isort: split
import os
from pathlib import Path

from iamconsole.settings import *  # noqa: F403 - this module is those settings with a few changes
from iamconsole.settings import DATABASES, STORAGES

# A file, not memory: threads and the live server then meet the same locks as in real life.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(Path(os.environ["DATA_DIR"]) / "test.sqlite3")}

# Straight from the source folders: a test never sees yesterday's collected files.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

# The live server of the browser tests gets its files there, too; looked for when asked, not at every start.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
