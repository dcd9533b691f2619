"""HTML files that need nothing else: no script, font or picture of another place.

A page is a Jinja2 template in the package of its own that extends `base.html` of this one.
"""

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from schemas.plain_text import plain


def render(package: str, **values: object) -> str:
    """The template `page.html` of `package` with `values`.

    All values are escaped; control characters and marks that turn the direction of text are
    replaced.

    Raises:
        jinja2.UndefinedError: the template uses a value that is not there.
    """
    return plain(_environment(package).get_template("page.html").render(values))


@cache
def _environment(package: str) -> Environment:
    return Environment(
        loader=ChoiceLoader([PackageLoader(name, ".") for name in (package, __package__)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
