from django.contrib.staticfiles.apps import StaticFilesConfig


class ConsoleStaticFilesConfig(StaticFilesConfig):
    """Collects what pages use: Tabler's styles, not its whole kit with source maps that point nowhere."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        # Matched against names inside each source folder, before the prefix "tabler" is put in front.
        "libs",
        "types",
        "flags",
        "payments",
        "social",
        "tabler-*",
        "*.esm.*",
        "*.rtl.*",
        "tabler.css",
        "tabler.js",
        "tabler.min.js*",
        "tabler-theme.*",
        "tabler.css.map",
        "tabler.js.map",
        # Of the editor's 200 languages, the one of policies; of htmx, the generation that pages use.
        "snippets",
        "mode-[!j]*",
        "worker-[!j]*",
        "htmx-4*",
        "htmax-4*",
        "hx-*-4.*",
    ]
