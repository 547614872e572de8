"""Where a run's time went, and what happened to it when."""

from collections import Counter
from dataclasses import dataclass

from runhive.report import numerals
from runhive.report.text import clip
from runhive.tracking.ledger.run import Event, Run

MOST_MOMENTS = 200
TONES = 7  # .rh-phase--0 and on in runhive.css
NOT_ADDED = ("queued",)
ADDED_UP = ("used", "filed")


@dataclass(frozen=True)
class Phase:
    """`start` and `width` are percent of the bar; `tone` tells neighbours apart."""

    name: str
    seconds: float
    start: float
    width: float
    tone: int


@dataclass(frozen=True)
class Moment:
    """`times` counts the events of the same type that it stands for."""

    time: str
    type: str
    note: str
    seconds: float | None
    times: int = 1


def timed(run: Run) -> dict[str, float]:
    """The phases that have a duration and add up: waiting is no work."""
    return {name: spent for name, spent in run.phases.items() if name not in NOT_ADDED and _is_duration(spent)}


def phases(run: Run) -> list[Phase]:
    """The phases side by side, in the order in which they were run."""
    spent = timed(run)
    total = sum(spent.values())
    if not total:
        return []
    starts = [sum(list(spent.values())[:index]) for index in range(len(spent))]
    return [
        Phase(name, seconds, 100 * start / total, 100 * seconds / total, index % TONES)
        for index, ((name, seconds), start) in enumerate(zip(spent.items(), starts, strict=True))
    ]


def moments(run: Run) -> list[Moment]:
    """The run's first events by time; those that add up are one, at the place of the last."""
    shown = run.events[:MOST_MOMENTS]
    times = Counter(event.type for event in shown)
    last = {event.type: index for index, event in enumerate(shown)}
    found = [
        _moment(event, run, times[event.type] if event.type in ADDED_UP else 1)
        for index, event in enumerate(shown)
        if event.type not in ADDED_UP or index == last[event.type]
    ]
    return sorted(found, key=lambda moment: moment.time)


def _moment(event: Event, run: Run, times: int) -> Moment:
    told = {"used": _usage(run.used), "filed": _count(len(run.files))}.get(event.type)
    spent = event.seconds if _is_duration(event.seconds) else None
    return Moment(str(event.time), str(event.type), _note(event) if told is None else told, spent, times)


def _usage(used: dict[str, float]) -> str:
    """Processor time and the most memory that the run took, as far as they can be told."""
    told = (
        [f"{numerals.seconds(used.get('cpu_seconds'))} of processor time"]
        if _is_duration(used.get("cpu_seconds"))
        else []
    )
    peaks = {"memory": used.get("peak_memory_bytes"), "GPU memory": used.get("peak_gpu_memory_bytes")}
    told += [f"{numerals.size(int(peak))} of {name}" for name, peak in peaks.items() if peak and 0 < peak < 1e15]
    return ", ".join(told)


def _note(event: Event) -> str:
    match event.type:
        case "started" | "resumed":
            return f"attempt {clip(event.data.get('attempt', 1), 10)}"
        case "finished":
            cause = event.data.get("cause")
            return clip(event.data.get("state", ""), 20) + (f": {clip(cause, 160)}" if cause else "")
        case "trained":
            return f"{clip(event.data.get('epochs', '?'), 10)} epochs"
        case "compared":
            return clip(event.data.get("reason", ""), 160)
        case "named":
            return clip(event.data.get("name", ""), 160)
        case "tagged":
            words = [f"{sign}{tag}" for sign, key in (("+", "add"), ("-", "remove")) for tag in event.data.get(key, ())]
            return clip(" ".join(words), 160)
        case "enclosed":
            return clip(", ".join(event.data.get("files", ())), 160)
        case "archived":
            return "" if event.data.get("archived") else "taken back"
        case "reproduced":
            return f"{clip(event.data.get('verdict', ''), 20)}, by {clip(event.data.get('run_id', ''), 30)}"
    return ""


def _count(files: int) -> str:
    return f"{files} file{'' if files == 1 else 's'}"


def _is_duration(seconds: object) -> bool:
    return isinstance(seconds, int | float) and 0 <= seconds < 1e9
