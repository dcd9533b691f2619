"""Texts of Gatus' configuration: variables replaced, or turned into names of secrets."""

import re
from collections.abc import Mapping
from typing import Final

from portquorum.importing.environment import Variable, expand, parts, value_of
from portquorum.importing.model import Place
from portquorum.importing.secrets import Secrets, looks_secret

_TEMPLATE: Final = re.compile(r"\{\{-?\s*\.?(?:Values\.)?([A-Za-z_][A-Za-z0-9_]*)\s*-?\}\}")


class LeaveOutError(ValueError):
    """An entry can't be taken over; the text is the reason."""


class Texts:
    """Gatus replaces `$X` and `${X}` in the text of its files, and `$$` is a `$`.

    `{{ .X }}`, which others put in before Gatus, counts as `${X}`.
    """

    def __init__(self, variables: Mapping[str, str], secrets: Secrets) -> None:
        self.variables = variables
        self.secrets = secrets

    def known(self, text: str) -> str:
        """The text with values.

        Raises:
            MissingVariableError: a variable has none.
            LeaveOutError: it is a template that has to be filled in.
        """
        filled = expand(_without_templates(text), self.variables)
        if "{{" in filled:
            raise LeaveOutError("it has a template ({{ … }}), which has to be filled in first")
        return filled

    def shown(self, text: str) -> str:
        """The text with those values that there are, and the names of the other variables."""
        return "".join(
            one if isinstance(one, str) else value_of(one, self.variables) or one.name
            for one in parts(_without_templates(text))
        )

    def option(
        self,
        text: str,
        place: Place,
        what: str,
        *,
        secret: bool = False,
        defaults: bool = True,
    ) -> str:
        """The text for an option that may have secrets (`$` is `$$` there).

        A variable is a secret if it has no value, if its name is that of one, or if `secret`:
        `what` it is, for the operator. `defaults`: those that stand in the file (`${X:-d}`) may
        be copied.
        """
        found = ""
        for one in parts(_without_templates(text)):
            if isinstance(one, str):
                found += one.replace("$", "$$")
                continue
            hidden = secret or looks_secret(one.name)
            hidden |= not defaults and not self.variables.get(one.name)
            value = None if hidden else value_of(one, self.variables)
            if value is None:
                said = f"{what}: the variable {one.name} of Gatus"
                found += self.secrets.check(one.name, place, said, value=_key(one))
            else:
                found += value.replace("$", "$$")
        return found


def is_variable(text: str) -> bool:
    """Whether a text is one variable and nothing else."""
    found = parts(_without_templates(text))
    return len(found) == 1 and isinstance(found[0], Variable)


def _key(variable: Variable) -> str:
    """What is the same for uses of one variable; no value of a secret looks like it."""
    return f"\0{variable.name}\0{variable.default}"


def _without_templates(text: str) -> str:
    return _TEMPLATE.sub(r"${\1}", text)
