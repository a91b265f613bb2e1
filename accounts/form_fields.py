"""What the forms of all apps share: how text fields look, and what a name or a path has to be."""

from django.core.exceptions import ValidationError

from accounts import rules

# The attributes of inputs for names and codes, in which a browser should neither guess nor correct.
TEXT_INPUT = {"class": "form-control", "autocomplete": "off", "spellcheck": "false"}


def cleaned_name(name: str, limit: int, what: str) -> str:
    """The name, if AWS takes it and its page can be opened. `what` says whose. Raises ValidationError."""
    problem = rules.name_problem(name, limit, what)
    # A browser takes dots alone for folders, so that the page of such a name could never be opened.
    if not problem and not name.strip("."):
        problem = f"The {what} needs more than dots."
    if problem:
        raise ValidationError(problem)
    return name


def cleaned_path(path: str, *, for_policy: bool = False) -> str:
    """The path, `/` where none was typed. Raises Django's ValidationError."""
    path = path or "/"
    if problem := rules.path_problem(path, for_policy=for_policy):
        raise ValidationError(problem)
    return path
