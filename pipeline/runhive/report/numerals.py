"""Numbers as the pages show them: one rule for each kind."""

from datetime import UTC, datetime
from math import floor, log10

from runhive.report.text import clip

THIN = "\N{NARROW NO-BREAK SPACE}"
TIMES = "\N{MULTIPLICATION SIGN}"
MINUS = "\N{MINUS SIGN}"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LARGEST = 1e300  # NaN is not below it either
NOTHING = "\N{EM DASH}"


def percent(share: float) -> str:
    """0.954 as `95.4 %`; a dash for what is no number."""
    if not abs(share) < LARGEST:
        return NOTHING
    return f"{100 * share:.1f}{THIN}%"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return signed(100 * difference, f"{abs(100 * difference):.1f}")


def signed(value: float, digits: str) -> str:
    """*digits*, the absolute value's, behind the sign of *value*."""
    if not float(digits):
        return digits
    return f"{MINUS if value < 0 else '+'}{digits}"


def number(value: float) -> str:
    """Four significant digits; whole numbers in full, in groups of three."""
    if not abs(value) < LARGEST:
        return NOTHING
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}".replace(",", THIN).replace("-", MINUS)
    mantissa, _, exponent = f"{value:.4g}".replace("-", MINUS, 1 if value < 0 else 0).partition("e")
    return f"{mantissa} {TIMES} 10{str(int(exponent)).translate(RAISED)}" if exponent else mantissa


def seconds(value: float | None) -> str:
    """A duration: `0.8 s`, `42 s`, `3 min 05 s`, `2 h 07 min`."""
    if value is None or not 0 <= value < 1e9:
        return NOTHING
    if value < 9.95:
        return f"{value:.1f}{THIN}s"
    whole = round(value)
    if whole < 60:
        return f"{whole}{THIN}s"
    if whole < 3600:
        return f"{whole // 60}{THIN}min {whole % 60:02}{THIN}s"
    return f"{whole // 3600}{THIN}h {whole % 3600 // 60:02}{THIN}min"


def size(count: int) -> str:
    """Bytes in powers of 1000."""
    if not 0 <= count < LARGEST:
        return NOTHING
    if count < 1000:
        return f"{count}{THIN}B"
    power = min(3, floor(log10(count) / 3))
    scaled = count / 1000**power
    return f"{scaled:.{1 if scaled < 100 else 0}f}{THIN}{'kMG'[power - 1]}B"


def p_value(p: float) -> str:
    """`p = 0.29`, or `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}" if p < 0.995 else "p = 1"


def digest(value: object) -> str:
    """The first twelve characters of a digest."""
    return str(value)[:12]


def when(time: object) -> str:
    """An ISO time as UTC to the second; what is no time stays as it is."""
    moment = _moment(time)
    return clip(time, 40) if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def epoch_of(time: object) -> float | None:
    """An ISO time as seconds since 1970, or None."""
    moment = _moment(time)
    return None if moment is None else moment.timestamp()


def _moment(time: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(time))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
