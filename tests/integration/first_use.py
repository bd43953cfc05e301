"""Threads that all decode for the first time at the same moment. A program of its own, as a crash ends the process.

`python -m tests.integration.first_use ROUNDS` puts fresh payload types in force in each round, of which msgspec knows
nothing yet, and prints how many rounds it has lived through.
"""

from __future__ import annotations

import importlib
import sys
import threading

import httpx
import msgspec

from dbt_statsig.console.client import ConsoleClient
from dbt_statsig.console.key import ApiKey
from dbt_statsig.vocabulary import sources
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS
from tests.unit.console.service import UNPACED

THREADS = 8


def fresh_types() -> None:
    """Put types in force of which msgspec knows nothing yet: those of each kind's module, run once more."""
    for kind, spec in SPECS.items():
        again = importlib.reload(sys.modules[spec.payload.__module__])
        SPECS[kind] = msgspec.structs.replace(spec, payload=getattr(again, spec.payload.__name__))


def one_round() -> None:
    """A first sync, as far as threads go: all of them create an object of each kind, and all are answered at once."""
    fresh_types()
    together = threading.Barrier(THREADS)

    def answer(request: httpx.Request) -> httpx.Response:
        content = {"message": "Created.", "data": msgspec.json.decode(request.read())}
        together.wait()
        return httpx.Response(201, json=content)

    read = []
    key = ApiKey("console-first-use", origin="here")
    # Types of another round are never equal: whether the echo holds what was sent is no question here.
    transport = httpx.MockTransport(answer)
    with ConsoleClient(key, transport=transport, rates=UNPACED, same=lambda _payload, _live: True) as client:

        def work(turn: int) -> None:
            for kind in BLOCK_KINDS:
                payload = SPECS[kind].payload(
                    name=f"{kind.value} {turn}",
                    sql="select 1",
                    id_type_mapping=(sources.IdType(statsig_unit_id="userID", column="user_id"),),
                    owner=sources.Owner(owner_id="1"),
                )
                read.append(client.create(kind, payload).live)

        threads = [threading.Thread(target=work, args=(turn,)) for turn in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len([live for live in read if live is not None]) == THREADS * len(BLOCK_KINDS)


if __name__ == "__main__":
    sys.setswitchinterval(1e-6)
    for _ in range(int(sys.argv[1])):
        one_round()
    print(sys.argv[1], "rounds")  # noqa: T201 - what the test reads
