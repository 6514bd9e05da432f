"""Settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from workbench.config import Settings, get_settings
from workbench.errors import InvalidInput


def test_the_database_lies_in_the_home_folder(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=None)
    assert settings.url == f"sqlite:///{tmp_path / 'workbench.db'}"
    assert settings.models_dir == tmp_path / "models"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgresql_urls_get_the_psycopg_driver(scheme: str) -> None:
    assert Settings(database_url=f"{scheme}://u@h/d").url == "postgresql+psycopg://u@h/d"


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("WORKBENCH_STALE_SECONDS", "5")
    settings = Settings()
    assert settings.home == tmp_path / "elsewhere"
    assert settings.stale_seconds == 5


def test_a_senseless_value_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings(stale_seconds=0)


def test_a_senseless_variable_is_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    get_settings.cache_clear()
    monkeypatch.setenv("WORKBENCH_STALE_SECONDS", "soon")
    with pytest.raises(InvalidInput) as caught:
        get_settings()
    assert str(caught.value).startswith("WORKBENCH_STALE_SECONDS: 'soon' can't be used (")
    assert "Correct or unset the variable" in str(caught.value)
