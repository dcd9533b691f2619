"""Reports are sent in their order, and the last one for as long as it is worth."""

import threading

import pytest

from portquorum.beat.posting import post as post_once
from portquorum.beat.sender import Sender
from portquorum.beat.sent import Sent
from tests.unit.portquorum.beat.takers import taker

BEGIN, END = Sent("http://x/start"), Sent("http://x/0", b"words")


class Post:
    """Answers with what it is told, and remembers."""

    def __init__(self, *answers: int | OSError) -> None:
        self.answers = list(answers)
        self.seen: list[Sent] = []
        self.free = threading.Event()
        self.free.set()

    def __call__(self, report: Sent, _within_s: float) -> tuple[int, float]:
        self.seen.append(report)
        self.free.wait(60)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, OSError):
            raise answer
        return answer, 0.0


def test_the_begin_goes_before_the_end() -> None:
    post = Post(200)
    post.free.clear()
    sender = Sender(post)
    sender.send(BEGIN)
    while not post.seen:
        pass
    ending = threading.Thread(target=sender.finish, args=(END,))
    ending.start()
    post.free.set()
    ending.join(60)
    assert post.seen == [BEGIN, END]
    assert sender.problem == ""


def test_a_begin_that_nobody_took_is_left_out_when_the_end_is_there() -> None:
    post = Post(OSError("away"), 200)
    sender = Sender(post)
    sender.send(BEGIN)
    while not post.seen:
        pass
    assert sender.finish(END)
    assert post.seen == [BEGIN, END]


def test_a_begin_that_is_refused_does_not_hold_up_the_end() -> None:
    post = Post(404, 200)
    sender = Sender(post)
    sender.send(BEGIN)
    while not post.seen:
        pass
    assert sender.finish(END)
    assert post.seen == [BEGIN, END]


def test_the_end_is_given_up_after_its_time() -> None:
    sender = Sender(Post(503))
    assert not sender.finish(END, within_s=0.2)
    assert sender.problem == "the receiver answered 503"


def test_what_is_wrong_for_ever_is_not_tried_again() -> None:
    post = Post(404)
    assert not Sender(post).finish(END)
    assert post.seen == [END]


def test_a_page_of_somebody_else_has_taken_nothing() -> None:
    """A proxy that wants a sign-in first answers 200 with its form, often behind a redirect."""
    with taker() as found:
        assert post_once(Sent(f"{found.url}/ping/x", b"words"), 10.0) == (200, 0.0)
        found.text = b"<html><title>Sign in</title>"
        with pytest.raises(OSError, match="no receiver"):
            post_once(Sent(f"{found.url}/ping/x", b"words"), 10.0)
