"""What of Snakemake's internals is reached into, so that records decide what is made again.

Snakemake asks the times of files and what it remembers of past calls; both stay in one clone, and the
times are whatever a checkout left. So here no file is ever newer than another, each rule has an input
function that forces what is stale by its record, and a job that runs has those run that need its output,
as in any workflow of Snakemake's.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import snakemake.api  # noqa: F401  (modules of Snakemake import each other, and this must be first)
from snakemake.dag import DAG
from snakemake.io import _IOFile

from twostream import paths
from twostream.files import UserError, atomic_write
from twostream.plan.gpus import check_gpus, gpus_here
from twostream.plan.outputs import leave_to_jobs
from twostream.plan.plan import Plan
from twostream.plan.pull_guard import PullGuard
from twostream.plan.settings import hold_settings
from twostream.plan.signals import pass_sigterm_on
from twostream.provenance.environment import told_of_other_versions
from twostream.provenance.explanation import is_cause, some_of, why_stale
from twostream.provenance.records import read_record
from twostream.provenance.staleness import Seen, is_current, record_digest
from twostream.provenance.steps import Step

# The version that this was tried with; with another one run the tests, and then change this.
TRIED_WITH = "9.27.1"

# So many artefacts that are stale for the same reason are named, and the others counted.
NAMED = 3

# Said of what is current by its record and made again all the same.
REDONE = "current, but made again: what it is made from is, or you ask for it"

InputFunction = Callable[[Any], list[str]]


class Wire:
    """Tells one call of Snakemake what is stale, and looks over what it has planned."""

    def __init__(self, workflow: Any, plan: Plan) -> None:
        """`workflow` is the variable of that name in a Snakefile."""
        self._workflow, self._plan = workflow, plan
        self._seen = Seen()
        _IOFile.is_newer = _never
        hold_settings(Path(workflow.snakemake_tmp_dir, "persistence"))
        leave_to_jobs(lambda output: plan.step_of(output) is not None)
        if not workflow.is_main_process:
            pass_sigterm_on()
        _after_planning(self._look_over)

    def remade_if_stale(self, rule: str) -> InputFunction:
        """Return an input function that adds no input, but has an artefact made again that is stale."""

        def input_function(wildcards: Any) -> list[str]:
            # A job that runs as a call of its own was asked for by one that has looked.
            if self._workflow.is_main_process:
                with _told(rule, wildcards):
                    self._force_if_stale(rule, wildcards)
            return []

        return input_function

    def spec_file(self, rule: str) -> Callable[[Any], str]:
        """Return a function of wildcards that gives the file with the spec that a job is handed."""

        def parameter(wildcards: Any) -> str:
            with _told(rule, wildcards):
                return _spec_file(_artefact(rule, wildcards), self._plan.step(rule, wildcards))

        return parameter

    def limit_gpus(self) -> None:
        """Let no more jobs run than this machine has GPUs for, if it runs them and the user set no limit.

        To be called when the call begins: earlier Snakemake would cut down to the limit what jobs ask for.
        Raises UserError if a job asks for more GPUs than are here.
        """
        workflow = self._workflow
        jobs = workflow.dag.needrun_jobs()
        asked = max((job.scheduler_resources.get("gpu", 0) for job in jobs), default=0)
        given = "gpu" in workflow.resource_settings.resources
        if asked and workflow.local_exec and not workflow.touch and not given:
            here = gpus_here()
            check_gpus(asked, here)
            workflow.register_resource("gpu", here)
            workflow.scheduler.global_resources["gpu"] = here

    def steps_to_run(self) -> dict[int, Step]:
        """Return the steps whose jobs are to run, by the jobs' numbers; several jobs may be of one step."""
        return self._steps_of(self._workflow.dag.needrun_jobs())

    def steps_made(self) -> dict[int, Step]:
        """Return the steps whose jobs were to run and have ended well, by the jobs' numbers."""
        dag = self._workflow.dag
        return self._steps_of(filter(dag.finished, dag.needrun_jobs(exclude_finished=False)))

    def _steps_of(self, jobs: Iterable[Any]) -> dict[int, Step]:
        artefacts = {job.jobid: dict(self._artefacts_of([job])) for job in jobs}
        return {number: step for number, planned in artefacts.items() for step in list(planned.values())[:1]}

    def _force_if_stale(self, rule: str, wildcards: Any) -> None:
        artefact, step = _artefact(rule, wildcards), self._plan.step(rule, wildcards)
        if not Path(artefact).exists():
            # What is missing is made if something needs it, and not for its own sake.
            return
        _refuse_unknown(artefact)
        # Also if it is stale: nothing that somebody has put in its place is overwritten.
        self._seen.check(artefact)
        if not is_current(artefact, step.spec) or self._plan.videos.are_replaced(artefact, step):
            self._workflow.dag.forcefiles.add(artefact)

    def _look_over(self, dag: Any) -> None:
        if not self._workflow.is_main_process:
            return
        with _told():
            self._seen.save()
            _say(told_of_other_versions())
            _say("\n".join(self._plan.config.told_left_out))
            planned = dict(self._artefacts_of(dag.needrun_jobs()))
            guard = PullGuard(named=self._workflow.dag_settings.targets)
            for artefact, step in planned.items():
                guard.check(artefact, step)
            self._check_inputs(planned)
            _tell_why(planned)
            if not self._workflow.dryrun:
                for artefact, step in planned.items():
                    _write_spec(artefact, step)

    def _check_inputs(self, planned: Mapping[str, Step]) -> None:
        """Raise UserError if a job would read what is stale and no job makes anew (see --allowed-rules)."""
        steps = {step.spec: step for step in planned.values()}.values()
        read = {file: upstream for step in steps for upstream in step.made_from for file in upstream.outputs}
        for file, upstream in read.items():
            if file not in planned and Path(file).exists():
                if not is_current(file, upstream.spec):
                    raise UserError(
                        f"{file}: is stale, and this call does not make it anew, though others are made from"
                        " it; call snakemake without --allowed-rules and the like"
                    )
                self._seen.check(file)

    def _artefacts_of(self, jobs: Iterable[Any]) -> Iterator[tuple[str, Step]]:
        for job in jobs:
            for output in map(str, job.output):
                if step := self._plan.step_of(output):
                    yield output, step


async def _never(file: Any, *_: Any) -> bool:
    return False


def _after_planning(look_over: Callable[[Any], None]) -> None:
    """Have a function called with each DAG that is laid out, before anything of it is run or shown."""
    postprocess = DAG.postprocess

    async def postprocess_and_look(dag: Any, *args: Any, check_initial: bool = False, **kwargs: Any) -> None:
        await postprocess(dag, *args, check_initial=check_initial, **kwargs)
        if check_initial:
            look_over(dag)

    DAG.postprocess = postprocess_and_look


@contextmanager
def _told(rule: str = "", wildcards: Any = None) -> Iterator[None]:
    """Show what goes wrong as a message, and end the call.

    Of an Exception Snakemake would show a traceback; or take an artefact for a file that no rule makes.
    """
    try:
        yield
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
    except Exception as error:  # noqa: BLE001  (whatever it is, the call must not go on as if nothing were)
        where = _artefact(rule, wildcards) if rule else "the plan"
        kind = "" if isinstance(error, OSError) else f"{type(error).__name__}: "
        raise SystemExit(f"error: {where}: cannot be read or prepared: {kind}{error}") from None


def _artefact(rule: str, wildcards: Any) -> str:
    return paths.ARTEFACTS[rule].format(**dict(wildcards.items()))


def _spec_file(artefact: str, step: Step) -> str:
    return paths.SPEC.format(artefact=artefact, spec=step.spec)


def _refuse_unknown(artefact: str) -> None:
    """Raise UserError if an artefact lies here without a record, and no job of this folder's has begun it."""
    begun = Path(paths.SPEC.format(artefact=artefact, spec="")).parent
    if read_record(artefact) is None and not begun.is_dir():
        raise UserError(
            f"{artefact}: is here without its record, so nothing says what it is; get the record"
            f" (`dvc checkout`), or move the file away to have {artefact} made"
        )


def _write_spec(artefact: str, step: Step) -> None:
    with atomic_write(_spec_file(artefact, step)) as part:
        spec = step.whole_spec.model_copy(update={"replaces": record_digest(artefact)})
        part.write_text(spec.model_dump_json(indent=2))


def _say(text: str) -> None:
    if text:
        print(text, file=sys.stderr, flush=True)


def _tell_why(planned: Mapping[str, Step]) -> None:
    """Say what is made again by reason; what is only downstream of it is not told."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for artefact, step in planned.items():
        if Path(artefact).exists():
            reasons = why_stale(artefact, step)
            if not reasons:
                by_reason[REDONE].append(artefact)
            elif is_cause(reasons):
                by_reason[f"stale: {'; '.join(reasons)}"].append(artefact)
    for reason, artefacts in by_reason.items():
        _say(f"{some_of(artefacts, NAMED)}: {reason}")
