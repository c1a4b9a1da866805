"""Jobs that wait for each other: the longest chain of them, and how long all take on so many processors."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter


@dataclass(frozen=True)
class Job:
    """One job: its rule, what it makes, how long it takes (s, 0 or more), and what must be there before.

    It computes on `gpus` GPUs (0 or more), or if on none, on one core.
    """

    rule: str
    artefact: str
    seconds: float
    gpus: int = 0
    after: tuple[str, ...] = ()
    """What other jobs make."""


Jobs = Mapping[str, Job]
"""Jobs by what they make."""


def in_order(jobs: Jobs) -> list[Job]:
    """Return the jobs, each after those that it waits for."""
    graph = {name: job.after for name, job in jobs.items()}
    return [jobs[name] for name in TopologicalSorter(graph).static_order()]


def critical_path(jobs: Jobs) -> list[Job]:
    """Return the chain of jobs that takes longest, in order: so long all take with processors without end."""
    followers, rest = _followers(jobs), seconds_to_end(jobs)
    chain: list[Job] = []
    ready: Iterable[str] = jobs
    # Of equally long ones, the first by name.
    while name := min(ready, key=lambda name: (-rest[name], name), default=None):
        chain.append(jobs[name])
        ready = followers[name]
    return chain


def seconds_to_end(jobs: Jobs) -> dict[str, float]:
    """Return, for each job, how long (s) the longest chain takes that begins with it."""
    followers, rest = _followers(jobs), dict[str, float]()
    for job in reversed(in_order(jobs)):
        after = (rest[name] for name in followers[job.artefact])
        rest[job.artefact] = job.seconds + max(after, default=0.0)
    return rest


def seconds_with(jobs: Jobs, gpus: int, cores: int) -> float:
    """Return how long (s) all jobs take on so many GPUs (0 or more) and cores (1 or more).

    A job starts as soon as what it waits for is there and its GPUs, or its core, are free; of several, that
    from which the longest chain leads on. Raises ValueError if a job needs more GPUs than there are.
    """
    if any(job.gpus > gpus for job in jobs.values()):
        raise ValueError(f"a job needs more than {gpus} GPUs")
    followers, rest = _followers(jobs), seconds_to_end(jobs)
    missing = {name: len(set(job.after)) for name, job in jobs.items()}
    ready = [name for name, count in missing.items() if not count]
    free = {"gpus": gpus, "cores": cores}
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        for name in sorted(ready, key=lambda name: (-rest[name], name)):
            kind, count = _takes(jobs[name])
            if free[kind] >= count:
                free[kind] -= count
                ready.remove(name)
                heapq.heappush(running, (now + jobs[name].seconds, name))
        now = running[0][0]
        # All that end now, before the next one starts.
        while running and running[0][0] == now:
            _, name = heapq.heappop(running)
            kind, count = _takes(jobs[name])
            free[kind] += count
            for follower in followers[name]:
                missing[follower] -= 1
            ready += [follower for follower in followers[name] if not missing[follower]]
    return now


def _takes(job: Job) -> tuple[str, int]:
    return ("gpus", job.gpus) if job.gpus else ("cores", 1)


def _followers(jobs: Jobs) -> dict[str, list[str]]:
    """The jobs that wait for each."""
    followers: dict[str, list[str]] = {name: [] for name in jobs}
    for name, job in jobs.items():
        for before in set(job.after):
            followers[before].append(name)
    return followers
