"""Recipes of docs/recipes.md at servers that are too heavy for every run."""

import pytest

from tests.integration.recipes.page import recipes
from tests.integration.recipes.trying import tried_at
from tests.wide.recipes import HELD
from tests.wide.server import Pems

RECIPES = recipes()


@pytest.mark.wide
@pytest.mark.parametrize("name", HELD)
async def test_the_recipe_is_up_at_its_server(name: str, pems: Pems) -> None:
    for outcome in await tried_at(RECIPES[name], HELD[name], pems):
        assert (outcome.status, outcome.reason) == ("up", None), outcome
