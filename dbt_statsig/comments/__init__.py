"""The comment of a pull request on GitHub, in GitLab and in Azure Repos: where it goes, found again, kept."""
