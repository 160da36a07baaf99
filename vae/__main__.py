"""vae list | app | train NAME | sweep NAME ... | adopt NAME | evaluate NAME | map NAME | memory NAME
| portable NAME | handout NAME ... | export NAME | import FILE | score CODES FACTORS | figure KIND NAME
| traversals NAME | gallery DATA | classifier DATA | data add NAME FOLDER | data list | data remove NAME"""

from __future__ import annotations

import argparse
import logging
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from joblib.externals.loky.process_executor import BrokenProcessPool
from tqdm import tqdm

from . import cards, folders, lessons, pipeline, project, store
from .data import DATASETS, archives, own
from .evaluation import figures, report
from .evaluation.judge import fit_classifier
from .live import replay
from .training import candidates, sweep
from .training.loop import Stopped
from .training.recipes import RECIPES

CHECKING = (
    "With --check nothing is written: figures are measured again and compared with the card. The status is 1 where "
    "one differs by more than its tolerance. The tolerance is 0.001 of the value, or of 1 for smaller values; 0.01 "
    "for the rates of attribute_flips; 0.02 for accuracies of classifiers that the measurement trains."
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="vae", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="shipped models, their figures, and recipes not yet trained")
    command = commands.add_parser("app", help="start the pages in a browser")
    command.add_argument(
        "options", nargs=argparse.REMAINDER, metavar="...", help="passed on to `streamlit run`: --server.port 8080"
    )
    command = commands.add_parser(
        "train", help="train a shipped model again by its recipe (resumes), save it, measure all but DCI; or a new one"
    )
    command.add_argument("name", metavar="NAME", nargs="?", help="a shipped model")
    _runs(command)
    replay.add_options(command)
    _add_sweep(commands)
    command = commands.add_parser(
        "adopt", help="ship the best finished run of a sweep: weights, figures, map, traversals"
    )
    command.add_argument("name", metavar="NAME")
    _runs(command)
    command = commands.add_parser("evaluate", help="measure on the test split, write the card", description=CHECKING)
    _name_or_all(command)
    command.add_argument(
        "--check", action="store_true", help="write nothing; report figures that differ from the card"
    )
    command.add_argument("--dci", action="store_true", help="check DCI too: minutes a model")
    command.add_argument(
        "--add", default="", metavar="MEASURES", help="run these measures only, and add figures that the card lacks"
    )
    command = commands.add_parser("map", help="encode test images, fit their maps, write map.npz")
    _name_or_all(command)
    command.add_argument("--seed", type=int, default=0)
    command = commands.add_parser("memory", help="find the nearest training images of samples, write memory.npz")
    command.add_argument("name", metavar="NAME")
    command = commands.add_parser("portable", help="export the networks for a browser, write network.json")
    _name_or_all(command)
    command = commands.add_parser("handout", help="write the explorer as one HTML file, or as a static site")
    command.add_argument("names", nargs="+", metavar="NAME")
    command.add_argument("-o", "--output", type=Path, help="the file (default: NAME.html)")
    command.add_argument("--app", default="", metavar="URL", help="the address of the full app, to link to")
    command.add_argument("--site", type=Path, metavar="FOLDER", help="write a folder for any web server instead")
    command.add_argument(
        "--lesson", action="append", default=[], choices=sorted(lessons.read()[0]), dest="lessons",
        help="add a lesson; may be given several times",
    )  # fmt: skip
    _add_project_files(commands)
    _add_score(commands)
    _add_figure(commands)
    command = commands.add_parser("traversals", help="write a picture of the traversal of every dimension")
    _name_or_all(command)
    command = commands.add_parser("gallery", help="write the images of a data set that ship with the project")
    command.add_argument("name", choices=DATASETS, metavar="DATA")
    command = commands.add_parser("classifier", help="train the classifier that judges a data set's models")
    command.add_argument("name", choices=DATASETS, metavar="DATA")
    _add_data(commands)
    args = parser.parse_args(arguments)
    logging.basicConfig(format="note: %(message)s", level=logging.WARNING)
    try:
        if args.command == "list":
            list_models()
        elif args.command == "app":
            return run_app(args.options)
        elif args.command == "train" and not args.name:
            if not (args.card or args.data):
                raise ValueError("name a shipped model, or give --card FILE or --data DATA")
            with Bar() as bar:
                line = replay.run(args, bar)
            print(line)
        elif args.command == "train":
            with Bar() as bar:
                card = pipeline.train_and_save(args.name, args.runs, bar)
            if card is not None:
                print(f"{card.name}: {report.summary(card)}")
        elif args.command == "sweep":
            return run_sweep(args)
        elif args.command == "adopt":
            with Bar() as bar:
                card = pipeline.adopt(args.name, args.runs, bar)
            print(f"{card.name}: seed {card.recipe['seed']}, {report.selection_sentence(card.selection)}")
        elif args.command == "evaluate" and args.check:
            return check_models(args)
        elif args.command == "evaluate":
            for name in _names(args):
                with Bar() as bar:
                    if args.add:
                        card = pipeline.add_figures(name, tuple(args.add.split(",")), bar)
                    else:
                        card = pipeline.evaluate_and_save(name, bar)
                print(f"{name}: {report.summary(card)}")
            if args.all:
                report.write_model_zoo()
        elif args.command == "map":
            for name in _names(args):
                with Bar() as bar:
                    card = pipeline.map_and_save(name, args.seed, bar)
                print(f"{name}: {card.map}")
        elif args.command == "memory":
            with Bar() as bar:
                print_memory(args.name, pipeline.memory_and_save(args.name, bar))
        elif args.command == "portable":
            for name in _names(args):
                pipeline.write_network(name)
        elif args.command == "handout":
            write_handout(args)
        elif args.command == "data":
            return run_data(args)
        elif args.command == "export":
            export_model(args)
        elif args.command == "score":
            print_scores(args)
        elif args.command == "figure":
            write_figure(args)
        elif args.command == "import":
            import_model(args)
        elif args.command == "traversals":
            for name in _names(args):
                pipeline.traversals_and_save(name)
            if args.all:
                report.write_model_zoo()
        elif args.command == "classifier":
            with Bar() as bar:
                accuracy = fit_classifier(args.name, progress=bar).accuracy
            print(f"{args.name}: test accuracy " + ", ".join(f"{value:.4f}" for value in accuracy))
        else:
            for path, n in pipeline.write_gallery(args.name).items():
                print(f"{path}: {n} images, {path.stat().st_size / 1e6:.1f} MB")
    except BrokenProcessPool:
        print("error: a process of the sweep died; the same command resumes from the checkpoints", file=sys.stderr)
        return 1
    except Stopped as error:
        print(f"{error}: the same command resumes", file=sys.stderr)
        return 130
    except (OSError, ValueError, FloatingPointError, store.ModelUnavailable) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: the same command resumes", file=sys.stderr)
        return 130
    return 0


def write_handout(args: argparse.Namespace) -> None:
    from .browser import handout

    chosen = {key: lesson for key, lesson in lessons.read()[0].items() if key in args.lessons}
    if args.site:
        paths = handout.site(args.names, args.site, chosen, args.app)
    else:
        paths = [args.output or Path(f"{args.names[0]}.html")]
        store.write_atomically(paths[0], handout.handout(args.names, chosen, args.app).encode())
    for path in paths:
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


def _add_project_files(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "export", help="write a model with its figures, map and test images as one file, or in formats of others"
    )
    command.add_argument("name", metavar="NAME")
    which = command.add_mutually_exclusive_group()
    which.add_argument("--onnx", action="store_true", help="its encoder and decoder as ONNX: two files")
    which.add_argument("--parquet", action="store_true", help="its encoded test images, which Embedding Atlas opens")
    command.add_argument(
        "-o", "--output", type=Path, metavar="FILE",
        help=f"default: NAME{project.SUFFIX}, NAME.parquet, or NAME.onnx for NAME-encoder.onnx and NAME-decoder.onnx",
    )  # fmt: skip
    command = commands.add_parser(
        "import", help="add the model of such a file, or a checkpoint of another project, to your own models",
        description="FILE is a project file (.vae.zip), a folder with a checkpoint, or one file of weights in it. "
        "Folders of disentangling-vae, pythae and diffusers (AutoencoderKL) are read as they are. The state dict of a "
        "family here needs a config.json with its family and config. A pickle (.pt, .bin) is read with weights_only; "
        "code in it is never run.",
    )  # fmt: skip
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--as", default="", dest="name", metavar="NAME", help="of a checkpoint (default: its folder)")
    command.add_argument(
        "--data", default="", metavar="DATA",
        help="a data set or a folder of images, to measure a checkpoint on (default: samples from its prior)",
    )  # fmt: skip


def export_model(args: argparse.Namespace) -> None:
    from . import export

    if args.onnx:
        path, model = args.output or Path(f"{args.name}.onnx"), store.load(args.name)
        files = {path.with_stem(f"{path.stem}-{part}"): export.onnx_network(model, part) for part in export.NETWORKS}
    elif args.parquet:
        files = {args.output or Path(f"{args.name}.parquet"): export.parquet(store.Store(), args.name)}
    else:
        files = {args.output or Path(args.name + project.SUFFIX): project.write(store.Store(), args.name)}
    for path, content in files.items():
        store.write_atomically(path, content)
        print(f"{path}: {len(content) / 1e6:.2f} MB")


def _add_score(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "score", help="print every disentanglement metric of two arrays, with errors, chance baselines and protocols",
        description="CODES and FACTORS are files .npy, .npz or .csv with a row for each image. Codes are posterior "
        "means, or whole numbers if they are discrete. A factor with many values is divided into equal-width bins.",
    )  # fmt: skip
    command.add_argument("codes", type=Path, metavar="CODES")
    command.add_argument("factors", type=Path, metavar="FACTORS")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--latex", action="store_true", help="print a table for LaTeX with booktabs")
    kind = command.add_mutually_exclusive_group()
    kind.add_argument("--discrete", action="store_true", default=None, help="each value of a code is a class")
    kind.add_argument("--continuous", action="store_false", dest="discrete", help="whole numbers are no classes")
    command.add_argument("--bins", type=int, default=20, help="of codes and of continuous factors (default: 20)")
    command.add_argument("--seeds", default="0:3", help="of votes, pairs and random codes (default: 0:3)")
    command.add_argument("--bootstrap", type=int, default=20, metavar="N", help="half-samples (default: 20)")
    command.add_argument(
        "--without", action="append", default=[], metavar="METRIC", help="leave out a metric; dci takes minutes"
    )


def print_scores(args: argparse.Namespace) -> None:
    from .data import arrays
    from .metrics import report as score

    codes, factors = arrays.read(args.codes, "codes"), arrays.read(args.factors, "factors")
    with Bar() as bar:
        found = score(
            codes.values, factors.values, factors.names, discrete=args.discrete, seeds=sweep.parse_seeds(args.seeds),
            bootstrap=args.bootstrap, bins=args.bins, without=args.without, progress=bar,
        )  # fmt: skip
    print(found.json() if args.json else found.latex() if args.latex else found.text(), end="")


def _add_figure(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from . import figures as paper

    command = commands.add_parser("figure", help="write a figure for a paper as PDF or SVG, and print its caption")
    command.add_argument("kind", choices=paper.KINDS, metavar="KIND", help=", ".join(paper.KINDS))
    command.add_argument("name", metavar="NAME")
    command.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="a .pdf or .svg (default: NAME-KIND.pdf)"
    )
    command.add_argument(
        "--width", choices=paper.WIDTHS, default="column",
        help="; ".join(f"{name}: {inches} inches" for name, inches in paper.WIDTHS.items()),
    )  # fmt: skip
    command.add_argument("--steps", type=int, help="pictures in a row of a traversal or an interpolation")
    command.add_argument("--dims", type=int, nargs="+", default=[], metavar="D", help="latent dimensions to show")
    command.add_argument("--rows", type=int, nargs="+", default=[], metavar="ROW", help="test images to start from")
    command.add_argument("--layout", default="umap", help="of a map: umap, umap_again, pca or codes (default: umap)")


def write_figure(args: argparse.Namespace) -> None:
    from . import figures as paper

    path = args.output or Path(f"{args.name}-{args.kind}.pdf")
    options = paper.Options(args.width, args.steps, tuple(args.dims), tuple(args.rows), args.layout)
    figure = paper.draw(args.kind, args.name, options)
    store.write_atomically(path, figure.file(path.suffix.lstrip(".").lower()))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB\n{figure.caption}")


def import_model(args: argparse.Namespace) -> None:
    """Add the model of a project file, or a checkpoint of another project, to the user's own folder."""
    from . import checkpoints, importing

    if not args.file.is_dir() and not args.file.is_file():  # a pipe or a device would be read without end
        raise ValueError(f"there is no file or folder {args.file}")
    if checkpoints.is_checkpoint(args.file):
        with Bar() as bar:
            card = importing.add(args.file, args.name, args.data, bar)
    elif args.name or args.data:
        raise ValueError("--as and --data are for checkpoints; a project file has its name and its images")
    else:
        card = project.read(args.file, folders.home())
    print(f"{card.name}: {card.title}, in {folders.home() / card.name}")
    if sentences := " ".join(filter(None, [card.description, card.note, report.summary(card)])):
        print(sentences)


def _runs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--runs", type=Path, help="folder for checkpoints (default: $VAE_RUNS, else one below the user's data folder)"
    )


def _add_sweep(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "sweep", help="train recipes x seeds x settings (resumes), measure on validation images"
    )
    command.add_argument("names", metavar="NAME", nargs="+")
    command.add_argument("--seeds", default="", help="0:3 or 0,2 (default: each recipe's own)")
    command.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="FIELD=VALUES",
        help="beta=4,6: one or more values of a recipe's field; may be repeated",
    )  # fmt: skip
    command.add_argument("--processes", type=int, default=1, help="runs at once on this machine (default: 1)")
    command.add_argument("--minutes", type=float, default=math.inf, help="stop at a checkpoint after so many minutes")
    command.add_argument("--backend", default="", help="dask or ray: run on an existing cluster")
    command.add_argument("--scheduler", default="", metavar="ADDRESS", help="address of the cluster")
    command.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="device to train on (default: cpu)")
    command.add_argument("--table", action="store_true", help="print the table without training")
    _runs(command)


def run_sweep(args: argparse.Namespace) -> int:
    """Train the requested runs and print a table for each recipe. Returns 0 if every run finished, else 1."""
    if args.processes < 1:
        raise ValueError(f"--processes must be 1 or more, not {args.processes}")
    if not args.minutes >= 0:
        raise ValueError(f"--minutes must be 0 or more, not {args.minutes}")
    seeds = sweep.parse_seeds(args.seeds) if args.seeds else ()
    todo = sweep.plan(args.names, seeds, sweep.parse_settings(args.settings))
    results = {}
    if not args.table:
        results = sweep.sweep(
            todo, args.processes, args.backend, args.scheduler, time.time() + 60 * args.minutes, args.device, args.runs
        )
    for name in dict.fromkeys(args.names):
        print(sweep.table(name, [run for run in todo if run.name == name], results, args.runs))
    return 0 if all(result.status == "finished" for result in results.values()) else 1


def _add_data(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = commands.add_parser("data", help="your own images as data sets").add_subparsers(
        dest="action", required=True
    )
    command = actions.add_parser(
        "add", help="make a data set of a folder of images, a zip or a known format",
        description="Subfolders are classes. A file factors.csv may give known factors: its first column is the path "
        "of an image, each other column a factor. The files of dSprites (.npz), 3D Shapes (.h5), MNIST (idx), "
        "CIFAR-10 (.bin, batches of Python, .tar.gz) and CelebA (a folder) are read as they are.",
    )  # fmt: skip
    command.add_argument("name", metavar="NAME", help="a-z, 0-9 and hyphens")
    command.add_argument("folder", metavar="FOLDER", type=Path)
    command.add_argument("--size", type=int, choices=own.SIZES, default=64, help="pixels of a side (default: 64)")
    command.add_argument("--title", default="", help="its name on pages (default: the folder's name)")
    command.add_argument("--grey", action="store_true", help="store images in colour as grey")
    actions.add_parser("list", help="your own data sets")
    command = actions.add_parser("remove", help="delete the stored images of one of your own data sets")
    command.add_argument("name", metavar="NAME")


def run_data(args: argparse.Namespace) -> int:
    """Add, list or remove the user's own data sets. Returns 0, or 1 where images cannot become a data set."""
    if args.action == "add":
        return add_data(args)
    if args.action == "remove":
        remove_data(args.name)
        return 0
    found, problems = store.Store().scan_datasets()
    for name, info in found.items():
        n = sum(len(info.load(split)) for split in ("train+validation", "test"))
        print(f"{name:18} {info.title:36} {n:,} images {info.image_shape}, {len(info.classes)} classes")
    for name, reason in problems.items():
        print(f"{name:18} unavailable: {reason}")
    if not found and not problems:
        print("There are no data sets of your own: add one with `vae data add NAME FOLDER`.")
    return 0


def add_data(args: argparse.Namespace) -> int:
    target = _data_folder(args.name)
    if args.name in store.Store().datasets() or target.exists():
        raise ValueError(f"there is a data set {args.name!r} already: choose another name or remove it first")
    target.parent.mkdir(parents=True, exist_ok=True)
    source = own.open_source(args.folder, args.title)
    with Bar() as bar:
        check = own.check(source, args.size, bar, colour=False if args.grey else None, scratch=target.parent)
    if check.refusal:
        print(f"error: {archives.unescaped(check.refusal)}", file=sys.stderr)
        return 1
    print("\n".join(map(archives.unescaped, check.sentences)))
    info = own.build(source, check, target, source.title, args.size)
    print(f"{info.name}: {target}")
    return 0


def remove_data(name: str) -> None:
    """Delete the folder of one of the user's own data sets. Raises ValueError where there is none of this name."""
    target = _data_folder(name)
    if not (target / "data.json").is_file():
        raise ValueError(f"there is no data set of your own named {name!r} in {target.parent}")
    shutil.rmtree(target)


def _data_folder(name: str) -> Path:
    if not cards.NAME.fullmatch(name):
        raise ValueError(f"a data set's name has a-z, 0-9 and hyphens only, not {name[:60]!r}")
    return folders.data() / name


def _name_or_all(command: argparse.ArgumentParser) -> None:
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", metavar="NAME")
    which.add_argument("--all", action="store_true", help="every shipped model")


def _names(args: argparse.Namespace) -> list[str]:
    return [card.name for card in store.shipped().available()] if args.all else [args.name]


def check_models(args: argparse.Namespace) -> int:
    """Measure models again and print the differences from their cards. Returns 0 if there are none, else 1."""
    cards, problems = store.Store().scan(check=figures.unknown)
    names = [*(card.name for card in cards), *problems] if args.all else [args.name]
    without = () if args.dci else ("dci",)
    wrong = 0
    for number, name in enumerate(names, 1):
        print(f"{name} ({number} of {len(names)})", flush=True)
        with Bar() as bar:
            found = [problems[name]] if name in problems else pipeline.check(name, without, bar)
        for sentence in found:
            print(f"  {sentence}", flush=True)
        wrong += bool(found)
    left_out = "" if args.dci else " DCI was left out; --dci measures it."
    print(f"{len(names) - wrong} of {len(names)} models have the figures of their cards.{left_out}")
    return 1 if wrong else 0


def run_app(options: list[str]) -> int:
    """Start the pages with options of `streamlit run`. Returns its exit status."""
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    return subprocess.call(command, cwd=folders.app(), env=folders.environment())


def list_models() -> None:
    cards, problems = store.Store().scan(check=figures.unknown)
    if not cards and not problems:
        print(store.no_models())
    for card in cards:
        print(f"{card.name:18} {card.title:36} {report.summary(card)}")
    for name, reason in problems.items():
        print(f"{name:18} unavailable: {reason}")
    for name in {**RECIPES, **candidates.CANDIDATES}:
        if name not in problems and name not in {card.name for card in cards}:
            print(f"{name:18} not trained yet: python -m vae {'train' if name in RECIPES else 'sweep'} {name}")


def print_memory(name: str, memory: store.Memory) -> None:
    samples, test = np.median(memory.samples), np.median(memory.held_out)
    print(f"{name}: median distance to the nearest of {memory.train_images:,} training images: {samples:.2f} for "
          f"samples, {test:.2f} for test images")  # fmt: skip


class Bar:
    """A progress bar in the terminal, which a call with (stage, share) shows and moves. share is 0 to 1."""

    def __init__(self) -> None:
        self.bar: tqdm | None = None

    def __call__(self, stage: str, share: float) -> None:
        if self.bar is None:
            shape = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
            others = int(os.environ.get("RANK", 0)) > 0  # of accelerate's processes the first one shows it
            self.bar = tqdm(total=1.0, bar_format=shape, mininterval=0.5, disable=others)
        self.bar.set_description_str(stage, refresh=False)
        self.bar.update(share - self.bar.n)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if self.bar is not None:
            if kind is None:
                self.bar.update(1 - self.bar.n)
            self.bar.close()


if __name__ == "__main__":
    sys.exit(main())
