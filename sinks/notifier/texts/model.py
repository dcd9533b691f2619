"""What a channel takes, and what it is given."""

from typing import Final, Literal

from msgspec import Struct

Markup = Literal["plain", "html", "telegram", "discord", "slack", "mattermost", "markdown"]
"""What the reader's program does with the text it is given.

| markup | the text is for |
|---|---|
| `plain` | programs that show each character as it is: SMS, push messages, the log |
| `html` | mail: `body` is the plain part and `html` is the document |
| `telegram` | Telegram's `parse_mode=HTML`, and other programs that read a text as HTML |
| `discord` | Discord's Markdown: `@everyone`, `<@id>`, `||spoiler||` |
| `slack` | Slack's mrkdwn: `<!channel>`, `&amp;` |
| `mattermost` | Mattermost, Rocket.Chat, Zulip and others: Markdown, in which `@name` mentions |
| `markdown` | Markdown without mentions, or of an unknown kind: Teams, Matrix, Google Chat |
"""

Units = Literal["characters", "utf16", "bytes", "sms"]
"""What a channel counts: code points; UTF-16 code units (Telegram); bytes of UTF-8; septets of an
SMS. A text for `sms` is in the alphabet of GSM-7: letters without their marks, no emoji."""

SHORT: Final = 160
SUBJECT_LENGTH: Final = 250
ONE_LINE: Final = 300
"""Bodies below this limit, and those that replace a refused text, are one line of at most this."""


class Budget(Struct, frozen=True, kw_only=True):
    """What one message of a channel may hold, in `units`.

    `title_in_body`, or a `title` of 0: the channel has no title of its own. Then the subject is the
    first line of the body, where it counts, and `Text.subject` is empty. A title that is too short
    to name the place leaves it to the first line of the body, too. `short` is the limit of
    `Text.short`.
    """

    title: int
    body: int
    markup: Markup = "plain"
    title_in_body: bool = False
    units: Units = "characters"
    short: int = SHORT


class Text(Struct, frozen=True, kw_only=True):
    """A message that fits its budget, escaped for its markup.

    `subject` and `body` go out as they are: whoever sends them adds no escaping. `html` is a whole
    document for the markup `html`, None for others. `short` is one line for an SMS, in its
    alphabet, 160 septets at most. `line` is the subject as plain text, 250 characters at most: for
    the send log and for a mail's header. `problem`: why the templates of the route were not used,
    empty if they were or there are none.
    """

    subject: str
    body: str
    html: str | None
    short: str
    line: str
    problem: str = ""
