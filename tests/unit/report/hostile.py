"""The sample project with one hostile word in every place that a person, or the console, can fill."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st
from msgspec import structs

from dbt_statsig.report.subject import Subject
from dbt_statsig.vocabulary.changes import FieldChange, Plan
from dbt_statsig.vocabulary.findings import Location
from dbt_statsig.vocabulary.results import Binding, Lineage, Outcome, Planned, Skipped, Synced, Upstream, Validation
from tests.unit.report import samples

WORDS = (
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "javascript:window.hacked=1",
    "[click](javascript:window.hacked=1)",
    "<!-- dbt-statsig -->",
    "--> <b>x</b>",
    "a\n::set-env name=PATH::x",
    "::add-mask::x%0A::error::y",
    "| a | b |\n| --- | --- |",
    "@octocat #1 GH-1 https://example.com www.example.com",
    "```\n</details>\n# x",
    "`a` ~~b~~ **c** _d_ $e$ ![f](g)",
    "]]><x/>&amp;&#0;",
    "\x00\x1b[31m\x9b\u202e\ud800\ufffe\uffff\U0001f375",
    "[/foo] {{ 7 * 7 }} {% raw %}",
    "a\\|b\\",
    "  ",
)
ANY_WORD = st.one_of(st.sampled_from(WORDS), st.text(st.characters(exclude_categories=()), max_size=40))


def validation(word: str) -> Validation:
    """A validation full of the word."""
    nodes = (Upstream(unique_id=word + "x", name=word, resource_type=word, feeds=("model." + word,)),)
    source = structs.replace(
        samples.SOURCES[0],
        name=word,
        unique_id="model." + word,
        relation_name=word,
        location=Location(word, 1, 2),
        selected=(word,),
        hidden=(word,),
        columns=tuple(
            structs.replace(
                use, role=f"id_type_mapping.{word}", verdict=structs.replace(use.verdict, name=word, data_type=word)
            )
            for use in samples.SOURCES[1].columns
        ),
        lineage=Lineage(nodes=nodes, more=1),
        payload=structs.replace(samples.EXPOSURES, name=word, sql=word, description=word, tags=(word,), team=word),
    )
    finding = structs.replace(
        samples.FINDINGS[0], message=word, fix=word, key=word, source=word, location=Location(word, 1, 1)
    )
    own = structs.replace(finding, unique_id=source.unique_id, kind=source.kind.value)
    return Validation(
        project=word,
        adapter=word,
        dbt_version=word,
        manifest_path=word,
        sources=(source,),
        findings=(finding, own),
        unmatched=(word,),
    )


def synced(word: str) -> Synced:
    """A sync full of the word."""
    fields = (
        FieldChange(field="team", before=word, after=word + "x"),
        FieldChange(field="sql", before=word, after=f"select\t1\n{word}"),
        FieldChange(field="tags", before=(word,), after=("a-tag-of-no-word", word + "b")),
    )
    text = {"name": word, "unique_id": "model." + word, "live_name": word, "reason": word, "fix": word}
    update = structs.replace(samples.UPDATE, **text, fields=fields)
    rename = structs.replace(samples.RENAME, **{**text, "name": word + "2"})
    create = structs.replace(samples.CREATE, name=word, desired=structs.replace(samples.EXPOSURES, sql=word, team=word))
    foreign = structs.replace(samples.FOREIGN, **text)
    orphan = structs.replace(samples.ORPHAN, **{**text, "name": word + "3"}, live=samples.ORDERS)
    planned = Planned(
        validation=validation(word),
        plan=Plan(project=word, changes=(create, update, rename, foreign, orphan)),
        requests=1,
        warnings=(word,),
        notes=(word,),
        skipped=(Skipped(kind=samples.UPDATE.kind, name=word + "4", unique_id=word, reason=word),),
        binding=Binding(project=word, target=word, base_url=word, declared=(), settings=""),
    )
    objects = tuple(
        structs.replace(entry, change=change, message=word, fix=word, echo=fields[:1])
        for entry, change in zip(samples.OUTCOME.objects, (create, rename, update, orphan), strict=True)
    )
    return Synced(planned=planned, outcome=Outcome(objects=objects, stopped=word, notes=(word,)))


def subject(word: str) -> Subject:
    """That sync as a subject, in a folder of that name."""
    return Subject.of(synced(word), exit_code=1, root=word)


def is_unsafe(character: str) -> bool:
    """Whether a character can move, hide or reorder text where it is shown."""
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in "\u202e\u2066\ufeff"
