"""Which experiments use which sources and metrics, and through what: the one place that follows these links.

An experiment names some sources itself; it reads metric sources through the metrics that it watches: by name, by one
of their tags, and as a component of one that it watches. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.vocabulary.experiments import Experiment, Metric, MetricRef, SourceRead
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Use(Struct, frozen=True, kw_only=True):
    """One way in which an experiment uses a source, or (kind `METRIC`) a metric.

    `metric` is the metric that reads the source, `watched` the one that the experiment watches: the same, or one that
    combines it; both are None where the experiment names the source itself.
    """

    experiment: Experiment
    read: SourceRead
    metric: Metric | None = None
    watched: Metric | None = None


class Uses:
    """The links between experiments, metrics and sources, in both directions, in the order of the lists."""

    def __init__(self, experiments: Iterable[Experiment], metrics: Iterable[Metric]) -> None:
        self.experiments = tuple(experiments)
        self.metrics = tuple(metrics)
        self._named: dict[str, list[int]] = defaultdict(list)
        self._tagged: dict[str, list[int]] = defaultdict(list)
        self._readers: dict[tuple[Kind, str], list[tuple[int, SourceRead]]] = defaultdict(list)
        self._combined_in: dict[int, list[int]] = defaultdict(list)
        self._direct: dict[tuple[Kind, str], list[Use]] = defaultdict(list)
        self._watching: dict[int, list[tuple[Experiment, str]]] = defaultdict(list)
        self._watching_tag: dict[str, list[tuple[Experiment, str]]] = defaultdict(list)
        self._index_metrics()
        self._index_experiments()

    def of(self, kind: Kind, name: str) -> Iterator[Use]:
        """Each use of one source or metric by an experiment."""
        if kind is Kind.METRIC:
            for place in self._named.get(name, ()):
                yield from self._through(place, None)
            return
        yield from self._direct.get((kind, name), ())
        for place, read in self._readers.get((kind, name), ()):
            yield from self._through(place, read)

    def readers(self, kind: Kind, name: str) -> Iterator[tuple[Metric, SourceRead]]:
        """Each metric that reads a source, whether an experiment watches it or not."""
        for place, read in self._readers.get((kind, name), ()):
            yield self.metrics[place], read

    def by(self, experiment: Experiment) -> Iterator[Use]:
        """Each use of a source by one experiment."""
        for read in experiment.reads:
            yield Use(experiment=experiment, read=read)
        seen: set[int] = set()
        for watched in self._watched(experiment):
            for place in self._whole(watched):
                if place not in seen:
                    seen.add(place)
                    metric = self.metrics[place]
                    for read in metric.reads:
                        yield Use(experiment=experiment, read=read, metric=metric, watched=self.metrics[watched])

    def metrics_of(self, experiment: Experiment) -> tuple[Metric, ...]:
        """The metrics that it watches, by name and by tag, with all that they combine; each once."""
        places = dict.fromkeys(place for one in self._watched(experiment) for place in self._whole(one))
        return tuple(self.metrics[place] for place in places)

    def unknown(self, experiment: Experiment) -> tuple[MetricRef, ...]:
        """The metrics that it names and no listed one is: which sources they read is not known."""
        return tuple(ref for ref in experiment.metrics if not self._meant(ref))

    def _index_metrics(self) -> None:
        for index, metric in enumerate(self.metrics):
            self._named[metric.name].append(index)
            for tag in metric.tags:
                self._tagged[tag].append(index)
            for read in metric.reads:
                self._readers[read.kind, read.name].append((index, read))
        for index, metric in enumerate(self.metrics):
            for part in self._parts(metric):
                self._combined_in[part].append(index)

    def _index_experiments(self) -> None:
        for experiment in self.experiments:
            for read in experiment.reads:
                self._direct[read.kind, read.name].append(Use(experiment=experiment, read=read))
            for ref in experiment.metrics:
                for place in self._meant(ref):
                    self._watching[place].append((experiment, ref.use))
            for tag in experiment.metric_tags:
                self._watching_tag[tag.name].append((experiment, tag.use))

    def _through(self, place: int, read: SourceRead | None) -> Iterator[Use]:
        """What uses the metric at `place`, itself and as a part of others, each experiment once for each of them."""
        metric = self.metrics[place]
        for one in (place, *self._combined_in.get(place, ())):
            watched = self.metrics[one]
            seen: set[str] = set()
            tagged = (pair for tag in watched.tags for pair in self._watching_tag.get(tag, ()))
            for experiment, use in (*self._watching.get(one, ()), *tagged):
                if experiment.id not in seen:
                    seen.add(experiment.id)
                    itself = read or SourceRead(kind=Kind.METRIC, name=metric.name, use=use)
                    yield Use(experiment=experiment, read=itself, metric=metric, watched=watched)

    def _watched(self, experiment: Experiment) -> Iterable[int]:
        named = [place for ref in experiment.metrics for place in self._meant(ref)]
        tagged = [place for tag in experiment.metric_tags for place in self._tagged.get(tag.name, ())]
        return dict.fromkeys([*named, *tagged])

    def _meant(self, ref: MetricRef) -> Sequence[int]:
        return [place for place in self._named.get(ref.name, ()) if self.metrics[place].is_meant_by(ref)]

    def _whole(self, place: int) -> tuple[int, ...]:
        return (place, *self._parts(self.metrics[place]))

    def _parts(self, metric: Metric) -> tuple[int, ...]:
        """All that a metric combines, and what those combine; not itself."""
        found: dict[int, None] = {}
        todo = list(metric.components)
        while todo:
            for place in self._meant(todo.pop()):
                if place not in found and self.metrics[place] is not metric:
                    found[place] = None
                    todo += self.metrics[place].components
        return tuple(found)
