"""Setting and removing tags on pages, the same for everything that bears them.

Conditions on request tags make sense only with the tag that is meant. So the views of both declare `creates`, and ask
the gate through `permitted` when the form was read: it gets the condition keys and returns the row, or raises.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.form_fields import TEXT_INPUT
from accounts.tags import request_tag_keys
from audit.errors import ServiceError

Row = TypeVar("Row")


class TagForm(forms.Form):
    key = forms.CharField(label="Key", max_length=128, widget=forms.TextInput(TEXT_INPUT))
    value = forms.CharField(label="Value", required=False, max_length=256, widget=forms.TextInput(TEXT_INPUT))


class UntagForm(forms.Form):
    key = forms.CharField(max_length=128, strip=False, widget=forms.HiddenInput)


def tag(
    request: HttpRequest,
    *,
    permitted: Callable[[Mapping[str, Any]], Row],
    put: Callable[[Row, Mapping[str, str]], None],
    back: Callable[[Row], str],
    page: Callable[[Row, TagForm], HttpResponse],
) -> HttpResponse:
    """Add a tag or change its value, then go back; `page` shows a form with what is wrong."""
    form = TagForm(request.POST)
    tags = {form.cleaned_data["key"]: form.cleaned_data["value"]} if form.is_valid() else {}
    row = permitted(request_tag_keys(tags))
    if tags:
        try:
            put(row, tags)
        except ServiceError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, f"The tag {form.cleaned_data['key']} is set.")
            return redirect(back(row))
    return page(row, form)


def untag(
    request: HttpRequest,
    *,
    permitted: Callable[[Mapping[str, Any]], Row],
    drop: Callable[[Row, tuple[str, ...]], None],
    back: Callable[[Row], str],
) -> HttpResponse:
    """Remove a tag, then go back."""
    form = UntagForm(request.POST)
    keys = (form.cleaned_data["key"],) if form.is_valid() else ()
    row = permitted({"aws:TagKeys": keys} if keys else {})
    if keys:
        drop(row, keys)
        messages.success(request, f"The tag {keys[0]} is removed.")
    return redirect(back(row))


def shown(
    tags: Mapping[str, str], request: HttpRequest, *, limit: int, form: TagForm | None = None, **more: Any
) -> dict[str, Any]:
    """What `components/tags.html` needs. “Change” is a link that puts key and value into the form."""
    key = request.GET.get("key", "")
    form = form or TagForm(initial={"key": key, "value": tags.get(key, "")})
    return {"tags": tags, "tag_form": form, "tag_limit": limit, **more}
