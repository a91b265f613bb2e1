"""The console's own settings, but that no file is compressed when they are collected, which takes twenty seconds."""

from iamconsole.settings import *  # noqa: F403 - this module is those settings with one change
from iamconsole.settings import STORAGES

STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
