"""Of an app with several stacks all are there, and one is what the tests are about."""

from __future__ import annotations

import pytest

from tidemark.errors import NotStartedError
from tidemark.host.deployment import Deployment
from tidemark.testing.apps import DeployedApp


def app_of(name: str, wanted: str | None = None, **api_urls: str) -> DeployedApp:
    return DeployedApp(
        name,
        tuple(
            Deployment("embedded", "http://127.0.0.1:1", "us-east-1", stack, api_url, "0", {})
            for stack, api_url in api_urls.items()
        ),
        wanted,
    )


def test_the_only_stack_is_the_one_whatever_it_outputs() -> None:
    assert app_of("Tidemark", Data="").deployment.stack_name == "Data"


def test_of_several_it_is_the_only_one_with_an_api() -> None:
    app = app_of("Tidemark", Data="", Api="http://api", Alarms="")

    assert app.deployment.stack_name == "Api"


@pytest.mark.parametrize("api_url", ["", "http://api"])
def test_where_none_or_several_have_an_api_the_sentence_names_them_all(api_url: str) -> None:
    app = app_of("Tidemark", Shop=api_url, Depot=api_url)

    with pytest.raises(NotStartedError, match=r"\(Shop, Depot\).*--tidemark-stack"):
        _ = app.deployment


def test_the_named_one_is_taken() -> None:
    app = app_of("Tidemark", "Depot", Shop="http://shop", Depot="http://depot")
    other = app_of("Tidemark", "Attic", Shop="http://shop", Depot="http://depot")

    assert app.deployment.stack_name == "Depot"
    with pytest.raises(NotStartedError, match="has no stack Attic: it has Shop, Depot"):
        _ = other.deployment


def test_a_name_counts_within_the_sessions_own_prefix() -> None:
    names = {"Tidemark-1a2b-Shop": "", "Tidemark-1a2b-Depot": ""}

    assert app_of("Tidemark-1a2b", "Depot", **names).deployment.stack_name == "Tidemark-1a2b-Depot"
