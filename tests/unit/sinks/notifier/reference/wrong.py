"""What a notifier did against the rules."""


class Wrong(AssertionError):  # noqa: N818 - a judge says it, nobody handles it
    """The rule that was broken, and the delivery that broke it."""

    def __init__(self, rule: str, found: object = None) -> None:
        super().__init__(rule if found is None else f"{rule}\n  {found}")
        self.rule = rule
