"""``workbench train`` and ``workbench score``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from workbench.cli.base import JsonOption, app, emit, err, out, workbench
from workbench.cli.following import follow
from workbench.cli.seeds import finish_seeds
from workbench.domain import Run, TrainParameters
from workbench.errors import InvalidInput, UnknownName
from workbench.services import Workbench
from workbench.services.training import PRESETS, SCHEDULES

DetachOption = Annotated[
    bool, typer.Option("--detach", help="Queue the run and return; it goes on by itself.")
]
DEFAULTS = TrainParameters()


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="The project.")],
    preset: Annotated[
        str | None, typer.Option(help=f"{', '.join(PRESETS)}: a choice that other options refine.")
    ] = None,
    base_model: Annotated[
        str | None, typer.Option(help="minilm, a name on the Hugging Face hub, or a folder.")
    ] = None,
    from_version: Annotated[
        int | None, typer.Option(help="Continue from this model version instead.")
    ] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the training examples.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Its peak; without it the base model's own default.")
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(help=f"The learning rate after its peak: {', '.join(SCHEDULES)}.")
    ] = None,
    warmup: Annotated[
        float | None, typer.Option(help="Share of the steps over which the learning rate rises, 0 to 1.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Examples per optimizer step.")] = None,
    max_length: Annotated[int | None, typer.Option(help="Sub-words per window.")] = None,
    stride: Annotated[int | None, typer.Option(help="Sub-words that neighbouring windows share.")] = None,
    context: Annotated[
        int | None,
        typer.Option(
            help="Sub-words of its document that are read before a sentence, and as many behind it (NER, POS); 0 none."
        ),
    ] = None,
    min_steps: Annotated[int | None, typer.Option(help="Train at least so many steps.")] = None,
    label_all_subwords: Annotated[
        bool | None,
        typer.Option(
            "--label-all-subwords/--label-first-subword", help="Which sub-words carry a word's label."
        ),
    ] = None,
    freeze_embeddings: Annotated[
        bool | None,
        typer.Option(
            "--freeze-embeddings/--train-embeddings", help="Keep the embeddings, or train them too."
        ),
    ] = None,
    freeze_layers: Annotated[
        int | None, typer.Option(help="Keep so many of the lowest encoder layers as they are.")
    ] = None,
    rest_layers: Annotated[
        bool | None,
        typer.Option(
            "--rest-layers/--no-rest-layers",
            help="Let layers stop learning one by one towards the end, the lowest first.",
        ),
    ] = None,
    lora_rank: Annotated[
        int | None,
        typer.Option(help="LoRA: train matrices of this width beside the encoder's weights; 0 trains those."),
    ] = None,
    adapt_epochs: Annotated[
        float | None,
        typer.Option(
            help="Let the encoder read the texts of pool and train so many times before it learns labels."
        ),
    ] = None,
    class_weights: Annotated[
        bool | None,
        typer.Option("--class-weights/--no-class-weights", help="Let rare labels weigh more."),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Stop after so many evaluations without a better one, and keep the best; 0 never."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of initialisation, order and held-out examples.")] = None,
    seeds: Annotated[
        int, typer.Option(help="So many runs that differ in the seed alone, with their mean and spread.")
    ] = 1,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that share each batch, such as one for each GPU.")
    ] = None,
    again: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Train version N once more: the same examples, parameters and seed. Takes no other choice.",
        ),
    ] = None,
    detach: DetachOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a new model version on every accepted label."""
    given = {
        "base_model": base_model,
        "from_version": from_version,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "warmup": warmup,
        "batch_size": batch_size,
        "max_length": max_length,
        "stride": stride,
        "context": context,
        "min_steps": min_steps,
        "label_all_subwords": label_all_subwords,
        "freeze_embeddings": freeze_embeddings,
        "freeze_layers": freeze_layers,
        "rest_layers": rest_layers,
        "lora_rank": lora_rank,
        "adapt_epochs": adapt_epochs,
        "class_weights": class_weights,
        "patience": patience,
        "seed": seed,
        "device": device,
        "workers": workers,
    }
    parameters = training_parameters(preset, given)
    with workbench() as wb:
        project = wb.projects.get(name)
        if again is not None:
            chosen = [key for key, value in {"preset": preset, **given}.items() if value is not None]
            if chosen or seeds != 1:
                raise InvalidInput(
                    f"--again takes everything from version {again}",
                    remedy=f"leave out {', '.join(_flag(key) for key in chosen or ['seeds'])}",
                )
            _finish(wb, wb.training.again(project, again), detach, as_json, _show_trained)
        elif seeds == 1:
            _finish(wb, wb.training.launch(project, parameters), detach, as_json, _show_trained)
        else:
            runs = wb.training.launch_seeds(project, parameters, seeds)
            finish_seeds(wb, project, runs, detach, as_json)


@app.command()
def score(
    name: Annotated[str, typer.Argument(help="The project.")],
    model_version: Annotated[str, typer.Option(help="Number of the model version, best or latest.")],
    strategies: Annotated[
        str | None, typer.Option(help="Comma-separated; without it every one that a single pass gives.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None,
    precision: Annotated[str, typer.Option(help="auto, fp32 or int8.")] = "auto",
    again: Annotated[
        bool, typer.Option("--again", help="Score what the version has scored before, too.")
    ] = False,
    detach: DetachOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a model version predict and score the unlabeled examples of the pool that it has not scored yet."""
    names = [part.strip() for part in (strategies or "").split(",") if part.strip()]
    with workbench() as wb:
        project = wb.projects.get(name)
        version = wb.models.resolve(project, model_version)
        run = wb.scoring.launch(
            project, version.number, names or None, device=device, precision=precision, again=again
        )
        _finish(wb, run, detach, as_json, _show_scored)


@app.command()
def embed(
    name: Annotated[str, typer.Argument(help="The project.")],
    base_model: Annotated[
        str, typer.Option(help="minilm, a name on the Hugging Face hub, or a folder.")
    ] = DEFAULTS.base_model,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None,
    precision: Annotated[str, typer.Option(help="auto, fp32 or int8.")] = "auto",
    detach: DetachOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a base model read the pool, so that a first batch can be chosen by what the texts are like.

    The strategies typiclust, kmeans and coreset go by it until a model version has scored the pool.
    """
    with workbench() as wb:
        run = wb.scoring.embed(wb.projects.get(name), base_model, device=device, precision=precision)
        _finish(wb, run, detach, as_json, _show_embedded)


def training_parameters(preset: str | None, given: dict[str, Any]) -> TrainParameters:
    """The defaults, changed by a preset, changed by what was given. Raises UnknownName."""
    if preset is not None and preset not in PRESETS:
        raise UnknownName("preset", preset, PRESETS)
    chosen = replace(DEFAULTS, **(PRESETS[preset].changes if preset else {}))
    return replace(chosen, **{key: value for key, value in given.items() if value is not None})


def _flag(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _finish(wb: Workbench, run: Run, detach: bool, as_json: bool, show: Any) -> None:
    if detach:
        data = {"run": run.id, "state": str(run.state)}
        emit(
            as_json,
            data,
            lambda: out.print(f"Run {run.id} is queued. `workbench runs show {run.id} --follow` follows it."),
        )
        return
    if not as_json:
        err.print(
            f"Run {run.id} is queued on {run.device}; Ctrl-C stops following, not the run.", markup=False
        )
    done = follow(wb, run)
    emit(as_json, done.result, lambda: show(done))


def _show_trained(run: Run) -> None:
    result = run.result
    out.print(
        f"Version {result['model_version']}: {result['examples']:,} examples in {result['seconds']:.0f} s "
        f"on {result['device']}.",
        markup=False,
    )
    for key, value in result["metrics"].get("validation", {}).items():
        if isinstance(value, (int, float)):
            out.print(f"  validation {key:20} {value:.4f}", markup=False)


def _show_scored(run: Run) -> None:
    result = run.result
    out.print(
        f"Scored {result['examples']:,} examples ({result['tokens']:,} words) in {result['seconds']:.0f} s, "
        f"{result['examples_per_second']:.0f} a second.",
        markup=False,
    )
    if result.get("scored_before"):
        out.print(f"{result['scored_before']:,} had been scored by it before.", markup=False)


def _show_embedded(run: Run) -> None:
    result = run.result
    out.print(
        f"{result['base_model']} read {result['examples']:,} examples in {result['seconds']:.0f} s.",
        markup=False,
    )
