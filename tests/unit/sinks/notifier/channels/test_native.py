"""Addresses as they are pasted: the same channel as the URL with a scheme."""

import apprise
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portquorum.delivery.channel_facts import facts_of
from sinks.notifier.channels.advice import advice
from sinks.notifier.channels.budgets import budget_of
from sinks.notifier.channels.classes import class_of, scheme_of, usable
from sinks.notifier.channels.native import canonical
from sinks.notifier.channels.problem import problem
from sinks.notifier.channels.send import send
from sinks.notifier.model import Channel
from sinks.notifier.secrets import scrub
from tests.unit.sinks.notifier.channels.deliveries import delivery

_UUID = "9a0a7c54-7d1b-4c1e-8a52-1f0e6a8d3b21"
_HEX = "0123456789abcdef0123456789abcdef"
_DISCORD = "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
_SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
_LOGIC = "https://prod-59.westeurope.logic.azure.com:443/workflows/"
_FLOW = (
    "0a1b2c3d/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=Ab-9_x"
)
_POWER = "https://abc.de.environment.api.powerplatform.com:443/powerautomate/automations/direct"

PASTED = {
    _DISCORD: "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    f"{_DISCORD}/?tts=yes": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?tts=yes",
    _SLACK: "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    f"{_SLACK}/?footer=no": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ?footer=no",
    "https://hooks.slack.com/workflows/T01AB/A02CD/1234567/aBcDeF": None,
    "https://hooks.slack.com/triggers/T01AB/1234567/abcdef0123": None,
    f"{_LOGIC}{_FLOW}": None,
    f"{_POWER}/workflows/{_FLOW}": None,
    f"{_POWER}/cu/12/workflows/{_FLOW}": None,
    "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=aKey-1&token=aToken_2%3D": (
        "gchat://AAAA/aKey-1/aToken_2%3D"
    ),
    "https://ntfy.sh/mytopic": "ntfys://mytopic",
    "https://ntfy.sh/mytopic?priority=high": "ntfys://mytopic?priority=high",
    f"https://webexapis.com/v1/webhooks/incoming/{'a' * 80}": None,
    f"https://media.guilded.gg/webhooks/{_UUID}/AbcDef_123": None,
    "https://api.fluxer.app/v1/webhooks/1234567890/AbcDef_1234567890": None,
    "https://api.flock.com/hooks/sendMessage/0123456789abcdef01234567": None,
    "https://inbots.zoom.us/incoming/hook/AbC-12_3?token=xyz&mode=full": None,
    f"https://webhooks.t2bot.io/api/v1/matrix/hook/{_HEX}{_HEX}": None,
    "https://acme.ryver.com/application/webhook/ckhrjW8w672m6HG": None,
    f"https://www.stackfield.com/apiwh/{_UUID}": None,
    "https://www.kookapp.cn/api/v3/incoming/abcDEF123=": None,
    f"https://open.larksuite.com/open-apis/bot/v2/hook/{_UUID}": None,
    f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={_UUID}": None,
    f"https://qmsg.zendee.cn/send/{_HEX}": None,
    f"https://push.spug.dev/send/{_HEX}": None,
    f"https://www.pushplus.plus/send/{_HEX}?topic=abc": None,
    f"https://www.pushplus.plus/send?token={_HEX}&topic=abc": None,
    f"https://api.wpush.cn/api/v1/send?apikey=WPUSH{_HEX[:27]}": None,
    f"https://youlmk.com/k/k_{_HEX[:14]}": None,
    "https://push.getnotifyapp.com/notify/Device1?token=abcdef123456": None,
    "https://notica.us/?abc123": None,
    "https://n.tkte.ch/h/2144/uJmKaBW9WFk42miB146ci3Kj": None,
    "https://maker.ifttt.com/use/WebHookID/event1/event2": None,
    f"https://api.lfg.gm/horn/{_HEX}": None,
    "https://developer.lametric.com/api/v1/dev/widget/update/com.lametric.0123456789abcdef/1"
    f"?token={'b' * 90}==": None,
    "https://cliq.zoho.eu/company/12345/api/v2/bots/thebot/message?zapikey=1001.abc.def": None,
    "https://cliq.zoho.com/api/v2/channelsbyname/alerts/message?zapikey=1001.abc.def": None,
    "https://user:pw@api.46elks.com/a1/sms?to=%2B15551234567&from=Acme": None,
    f"https://alert.victorops.com/integrations/generic/20131114/alert/{_UUID}/db": None,
    f"https://signals.firehydrant.com/v1/process/{_HEX}": None,
    "https://api.incident.io/v2/alert_events/http/01GW2G3V0S59R238FAHPDS1R66?token=abc123": None,
    f"https://api.spike.sh/v1/alerts/{_HEX}": None,
    f"https://api.squadcast.com/v2/incidents/api/{_HEX}": None,
    f"https://api.eu.squadcast.com/v2/incidents/api/{_HEX}": None,
    f"https://acme.xmatters.com/api/integration/1/functions/{_UUID}/triggers?apiKey=abc": None,
}
"""Pasted addresses that Apprise reads too, with the canonical form where it is worth reading."""

OURS = {
    "https://ptb.discord.com/api/v10/webhooks/1/a-b/slack": "discord://1/a-b",
    "https://discordapp.com/api/webhooks/1/a-b?wait=true&thread_id=99": "discord://1/a-b?thread=99",
    "https://api.telegram.org/bot123456789:abcdefg_hijklmnop/sendMessage?chat_id=-100123": (
        "tgram://123456789:abcdefg_hijklmnop/-100123"
    ),
    "https://api.telegram.org/bot1:a/sendMessage?chat_id=@chan&message_thread_id=7": (
        "tgram://1:a/@chan?topic=7"
    ),
    f"https://open.feishu.cn/open-apis/bot/v2/hook/{_UUID}": f"feishu://{_UUID}",
    f"https://oapi.dingtalk.com/robot/send?access_token={_HEX}": f"dingtalk://{_HEX}",
    "https://api.day.app/theKey123/": "barks://api.day.app/theKey123",
    "https://sctapi.ftqq.com/SCT1abc.send": "schan://SCT1abc",
    "https://api.pagertree.com/integration/int_0123456789": "pagertree://int_0123456789",
    "https://connect.signl4.com/webhook/team1secret": "signl4://team1secret",
}
"""Those that Apprise does not read."""


@pytest.mark.parametrize("url", PASTED)
def test_it_is_the_channel_that_apprise_takes_it_for(url: str) -> None:
    theirs = apprise.Apprise.instantiate(url)
    if theirs is None:
        assert apprise.__version__.startswith("1.")
        pytest.skip("this version of Apprise does not know the service")
    ours = apprise.Apprise.instantiate(canonical(url))
    assert type(ours) is type(theirs)
    assert ours.url() == theirs.url()


@pytest.mark.parametrize(("url", "form"), [*PASTED.items(), *OURS.items()])
def test_the_canonical_form(url: str, form: str | None) -> None:
    made = canonical(url)
    assert not made.startswith("http")
    assert canonical(made) == made
    if form is not None:
        assert made == form
    assert class_of(Channel("r", url)) == class_of(Channel("r", made))
    assert scheme_of(url) == made.partition("://")[0]


@pytest.mark.parametrize("url", OURS)
def test_what_apprise_does_not_read_can_be_used(url: str) -> None:
    assert problem(url) is None


def test_every_service_that_apprise_knows_by_its_address_is_in_the_table() -> None:
    manager = apprise.manager_plugins.NotificationManager()
    manager.load_modules()
    known = {scheme_of(url) for url in PASTED}
    missing = {
        plugin.__name__
        for plugin in manager.plugins()
        if "parse_native_url" in vars(plugin) and not known & set(_schemes(plugin))
    }
    # Apprise's own plugin for WeChat reads none.
    assert missing <= {"NotifyWeChat"}


def _schemes(plugin: type) -> list[str]:
    found: list[str] = []
    for written in (getattr(plugin, "protocol", None), getattr(plugin, "secure_protocol", None)):
        found += [written] if isinstance(written, str) else list(written or ())
    return found


@pytest.mark.parametrize("url", PASTED)
def test_what_is_pasted_can_be_used(url: str) -> None:
    if apprise.Apprise.instantiate(canonical(url)) is not None:
        assert problem(url) is None


@pytest.mark.parametrize(
    ("written", "env", "form"),
    [
        (
            "https://discord.com/api/webhooks/${ID}/${TOKEN}",
            {"ID": "12", "TOKEN": "abcdef"},
            "discord://12/abcdef",
        ),
        ("https://discord.com/api/webhooks/${BOTH}", {"BOTH": "12/abcdef"}, "discord://12/abcdef"),
        ("https://discord.com/${PATH}", {"PATH": "api/webhooks/12/abcdef"}, "discord://12/abcdef"),
        (
            "https://${PLACE}",
            {"PLACE": "discord.com/api/webhooks/12/abcdef"},
            "discord://12/abcdef",
        ),
        (
            "${HOOK}",
            {"HOOK": "https://discord.com/api/webhooks/12/abcdef"},
            "discord://12/abcdef",
        ),
        (
            "https://hooks.slack.com/services/${SLACK}",
            {"SLACK": "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"},
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        ),
        (
            "https://api.telegram.org/bot${TG}/sendMessage?chat_id=${CHAT}",
            {"TG": "123456789:abcdefg_hijklmnop", "CHAT": "-1001"},
            "tgram://123456789:abcdefg_hijklmnop/-1001",
        ),
    ],
)
def test_secrets_as_parts_or_the_whole(written: str, env: dict[str, str], form: str) -> None:
    assert problem(written) is None
    assert problem(written, env) is None
    assert usable(written, env) == form
    assert budget_of(written, env) == budget_of(form)
    assert facts_of(Channel("r", written), env) == facts_of(Channel("r", form), env)


def test_a_missing_secret_is_named() -> None:
    assert "HOOK" in (problem("https://discord.com/api/webhooks/${HOOK}", {}) or "")


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("https://acme.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d", "workflow of Teams"),
        ("https://api.telegram.org/bot1:a/getMe", "tgram://"),
        ("https://events.pagerduty.com/v2/enqueue", "pagerduty://"),
        ("https://api.opsgenie.com/v2/alerts", "opsgenie://"),
        ("https://api.pushover.net/1/messages.json", "pover://"),
        ("https://chat.example.com/hooks/abcdefgh", "mmosts://"),
        ("https://chat.example.com/hooks/abcdefgh/ijklmnop", "rockets://"),
        ("https://matrix.example.com/_matrix/client/v3/rooms", "matrixs://"),
        ("https://example.com/hook?token=s3cr3ttoken", "webhook+https://"),
        ("https://example.com/${HOOK}", "webhook+https://"),
        ("https://discord.com/channels/1/2", "webhook+https://"),
    ],
)
def test_another_address_is_refused_with_what_to_write(url: str, word: str) -> None:
    said = problem(url)
    assert said is not None
    assert word in said
    assert said.startswith("expected ")
    assert "s3cr3ttoken" not in said
    assert "abcdefgh" not in said


def test_secrets_are_removed_as_of_the_url_with_the_scheme() -> None:
    env = {"HOOK": "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV"}
    said = (
        "HTTPSConnectionPool(host='discord.com'): Max retries exceeded with url: "
        "/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV?wait=1"
    )
    for written in (
        "${HOOK}",
        "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV",
    ):
        left = scrub(said, usable(written, env), written, env)
        assert "JHMHI8" not in left
        assert "4174216298" not in left
        assert "host='discord.com'" in left


def test_a_pasted_address_that_is_unknown_is_not_sent_to() -> None:
    one = delivery(url="https://example.com/hook/s3cr3ttoken")
    outcome = send(one, may_send=lambda: pytest.fail("asked for leave to send"))
    assert outcome.kind == "misconfigured"
    assert "s3cr3ttoken" not in (outcome.error or "")


def test_many_slashes_cost_nothing() -> None:
    canonical(f"https://discord.com/api/webhooks/{'/' * 100_000}x ")
    canonical(f"https://hooks.slack.com/services/{'/' * 8_000}x ")


@settings(max_examples=40)
@given(
    st.sampled_from([*PASTED, *OURS]),
    st.text(alphabet="${}A/:?#&=@%. \n\u202e", max_size=12),
    st.integers(0, 60),
)
def test_no_text_is_too_strange(url: str, more: str, at: int) -> None:
    written = url[:at] + more + url[at:]
    canonical(canonical(written))
    advice(written)
    problem(written)
