"""How numbers are written: counts, shares, money. Exact integers in, text out, halves to even."""

from tasks.reports.words import Text

NOTHING = "–"
_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "SGD": "S$", "AUD": "A$", "JPY": "JP¥"}
_MINUS = "−"
_ZH_UNITS = ((10**10, "亿"), (10**6, "万"))
_EN_UNITS = ((10**11, "bn"), (10**8, "M"))


def divide_half_even(part: int, whole: int) -> int:
    """Divide integers, halves to even: 5 / 2 is 2, 7 / 2 is 4."""
    quotient, rest = divmod(part, whole)
    is_up = 2 * rest > whole or (2 * rest == whole and quotient % 2 == 1)
    return quotient + is_up


def basis_points(part: int, whole: int) -> int:
    """A share in hundredths of a percent; 0 of 0 is 0."""
    return divide_half_even(part * 10_000, whole) if whole else 0


def percent(part: int, whole: int) -> str:
    """A share with two digits, such as `54.51%`; a dash where there is no whole."""
    if not whole:
        return NOTHING
    points = basis_points(part, whole)
    sign = _MINUS if points < 0 else ""
    return f"{sign}{abs(points) // 100}.{abs(points) % 100:02d}%"


def count(number: int | None) -> str:
    """A count with thousands apart; a dash where it is not known."""
    if number is None:
        return NOTHING
    return f"{_MINUS}{-number:,}" if number < 0 else f"{number:,}"


def signed(number: int) -> str:
    """A change: `+12`, `−3`, `±0`."""
    return f"+{number:,}" if number > 0 else count(number) if number else "±0"


def symbol(currency: str) -> str:
    """The sign printed before an amount; an unusual currency keeps its code."""
    return _SYMBOLS.get(currency, f"{currency} ")


def money(fen: int | None, currency: str) -> str:
    """An exact amount: `¥1,234.50`."""
    if fen is None:
        return NOTHING
    sign = _MINUS if fen < 0 else ""
    return f"{sign}{symbol(currency)}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def whole_money(fen: int | None, currency: str) -> str:
    """An amount without the fen: `¥1,234`."""
    if fen is None:
        return NOTHING
    sign = _MINUS if fen < 0 else ""
    return f"{sign}{symbol(currency)}{divide_half_even(abs(fen), 100):,}"


def short_money(fen: int, currency: str) -> Text:
    """An amount for a headline: `¥459.60 万`, `¥4.60 M`; a small one is whole."""
    return Text(_scaled(fen, currency, _ZH_UNITS), _scaled(fen, currency, _EN_UNITS))


def _scaled(fen: int, currency: str, units: tuple[tuple[int, str], ...]) -> str:
    unit, name = next((pair for pair in units if abs(fen) >= pair[0]), (0, ""))
    if not unit:
        return whole_money(fen, currency)
    hundredths = divide_half_even(abs(fen), unit // 100)
    sign = _MINUS if fen < 0 else ""
    return f"{sign}{symbol(currency)}{hundredths // 100:,}.{hundredths % 100:02d} {name}"
