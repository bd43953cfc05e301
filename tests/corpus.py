"""Where the corpus of real manifests lies: beside the checkout, never in it."""

from __future__ import annotations

from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
CORPUS_DIRS = sorted(path.parent for path in CORPUS.glob("*/manifest.json.gz"))

needs_corpus = pytest.mark.skipif(not CORPUS_DIRS, reason="the corpus of real manifests is not beside this checkout")
