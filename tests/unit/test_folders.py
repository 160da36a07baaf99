"""The folders that variables of the environment name."""

from pathlib import Path

from vae import folders


def test_folders_lie_below_the_users_folder_unless_they_are_named(monkeypatch, tmp_path):
    for name in ("VAE_RUNS", "VAE_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VAE_HOME", str(tmp_path))
    assert (folders.home(), folders.runs(), folders.data()) == (tmp_path, tmp_path / "runs", tmp_path / "data")
    monkeypatch.setenv("VAE_RUNS", "~/runs")
    assert folders.runs() == Path.home() / "runs"
    monkeypatch.delenv("VAE_HOME")
    assert folders.home().is_absolute() and folders.home().name == "latent-space-explorer"


def test_a_child_in_another_folder_finds_what_a_relative_name_means_here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAE_HOME", "mine")
    monkeypatch.delenv("VAE_RUNS", raising=False)
    found = folders.environment()
    assert found["VAE_HOME"] == str(tmp_path / "mine") and "VAE_RUNS" not in found
