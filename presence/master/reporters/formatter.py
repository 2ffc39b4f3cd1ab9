"""The text of notices: Jinja2 templates, as those of Buildbot's reporters."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from buildbot import config
from buildbot.reporters.message import MessageFormatterBaseJinja
from twisted.internet.defer import inlineCallbacks

from presence.calendar.zones import localZone, zoneFor

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred

PLAIN = """\
{% for notice in notices -%}
* {{ notice.text }}{% if notice.since %}, since {{ when(notice.since) }}{% endif %}{% if notice.until %}, until {{ when(notice.until) }}{% endif %}
{% if notice.url %}  {{ notice.url }}
{% endif %}{% endfor %}{% if left_out %}* and {{ left_out }} more, which are left out
{% endif %}
{{ buildbot_title }}: {{ buildbot_url }}#/presence
"""

HTML = """\
<ul>
{% for notice in notices -%}
<li>{% if notice.url %}<a href="{{ notice.url|e }}">{% endif %}{{ notice.text|e }}{% if notice.url %}</a>{% endif %}\
{% if notice.since %}, since {{ when(notice.since)|e }}{% endif %}{% if notice.until %}, until {{ when(notice.until)|e }}{% endif %}</li>
{% endfor %}{% if left_out %}<li>and {{ left_out }} more, which are left out</li>
{% endif %}</ul>
<p><a href="{{ buildbot_url|e }}#/presence">{{ buildbot_title|e }}</a></p>
"""

SUBJECT = """\
{% if notices|length == 1 %}{{ notices[0].text|truncate(120) }}{% else %}\
{{ buildbot_title }}: {{ notices|length + left_out }} notices about workers and builders{% endif %}"""

_TEMPLATES = {"plain": PLAIN, "html": HTML, "json": "", "chat": PLAIN}


class PresenceMessageFormatter(MessageFormatterBaseJinja):
    """Makes a message of notices. `template`, `subject` and `template_type` (``plain`` or ``html``) are those of Buildbot's formatters.

    The templates have `notices` (a list: each with `kind`, `text`, `workers`, `builder`, `since`, `until`, `url`), `left_out` (how many more there
    were), `digest` (whether it is that of a day), `when(instant)`, `buildbot_title` and `buildbot_url`. With ``json`` the body is all that but
    `when`, as data: for `HttpStatusPush`. With ``chat`` it is ``{"text": …}``, as the incoming webhooks of chats take it, and what people
    have written calls nobody there.
    """

    def __init__(
        self,
        template: str | None = None,
        subject: str | None = None,
        template_type: str = "plain",
        **kwargs: Any,
    ) -> None:
        if template_type not in _TEMPLATES:
            config.error(
                f"PresenceMessageFormatter: template_type={template_type!r} is not right: give one of {', '.join(_TEMPLATES)}"
            )
            template_type = "plain"
        super().__init__(
            template=_TEMPLATES[template_type] if template is None else template,
            subject=SUBJECT if subject is None else subject,
            template_type=template_type,
            **kwargs,
        )
        # Buildbot compares the templates, to know whether a reporter has changed: those of one text are one
        for name, text in (("body_template", template), ("subject_template", subject)):
            made = _TEMPLATES_OF.setdefault((name, template_type, text), getattr(self, name))
            setattr(self, name, made)

    @inlineCallbacks
    def formatNotices(
        self, master: Any, message: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, dict[str, Any]]:
        """The message, as Buildbot's formatters make it, of an event."""
        told = {
            "notices": message["notices"],
            "left_out": message["left_out"],
            "digest": message["digest"],
            "buildbot_title": master.config.title,
            "buildbot_url": master.config.buildbotURL,
        }
        if self.template_type == "chat":
            told["notices"] = [{**each, "text": _calling_nobody(each["text"])} for each in told["notices"]]
        made = yield self.render_message_dict(master, {**told, "when": _when})
        made["subject"] = " ".join((made["subject"] or "").split())
        if self.template_type == "json":
            return {**made, "body": told}
        return {**made, "body": {"text": made["body"]}} if self.template_type == "chat" else made


# {(what it is, the type, its text): the template that was made first}.
_TEMPLATES_OF: dict[tuple[str, str, str | None], Any] = {}


def _calling_nobody(text: str) -> str:
    """The text so that it is no markup of Slack's, and mentions nobody."""
    for sign, instead in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("@", "@\N{ZERO WIDTH SPACE}")):
        text = text.replace(sign, instead)
    return text


def _when(at: float) -> str:
    """An instant on the clocks of the master's zone, with the name of that: it is read elsewhere."""
    return f"{datetime.fromtimestamp(at, zoneFor(localZone())):%Y-%m-%d %H:%M %Z}"
