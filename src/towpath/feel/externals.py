"""External functions (DMN 1.5, 10.3.2.13.3): no Java is run, a table serves what models use.

The table holds static methods of ``java.lang`` by class and name; the types of the signature say how
the arguments are read. Anything else is a function that answers null.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from .errors import Unanswerable
from .functions import DefinedFunction
from .types import Type
from .values import DECIMAL, number_text, text, whole

# -- arguments, by the types of the signature -------------------------------------------------------

_WHOLE_BITS = {"byte": 8, "short": 16, "int": 32, "Integer": 32, "long": 64}


def _whole(bits: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = int(_number(value))  # Java cuts off what is behind the point
        if not -(1 << bits - 1) <= number < 1 << bits - 1:
            raise Unanswerable(f"{value} does not fit {bits} bits")
        return number

    return read


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unanswerable("an argument is no number")
    return value


def _double(value: Any) -> float:
    return float(_number(value))


def _character(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 1:
        raise Unanswerable("an argument is no string of one character")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise Unanswerable("an argument is no string")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unanswerable("an argument is no boolean")
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    **{name: _whole(bits) for name, bits in _WHOLE_BITS.items()},
    **{name.capitalize(): _whole(bits) for name, bits in _WHOLE_BITS.items() if name != "Integer"},
    **dict.fromkeys(("float", "double", "Float", "Double"), _double),
    **dict.fromkeys(("BigDecimal", "Number"), _number),
    **dict.fromkeys(("char", "Character"), _character),
    **dict.fromkeys(("String", "CharSequence"), _string),
    **dict.fromkeys(("boolean", "Boolean"), _boolean),
}


def _read(value: Any, java_type: str) -> Any:
    """An argument as the method wants it; a type that is not known takes any."""
    if java_type.startswith("["):  # [Ljava.lang.Object;
        java_type = java_type.lstrip("[").removeprefix("L").rstrip(";") + "[]"
    element = java_type.removesuffix("...").removesuffix("[]")
    reader = _READERS.get(element.rpartition(".")[2], lambda argument: argument)
    if element == java_type:
        return reader(value)
    return [reader(item) for item in (value if isinstance(value, list) else [value])]


# -- results ------------------------------------------------------------------------------------------


def _result(value: Any) -> Any:
    """A FEEL value of what a method answers: a double by its shortest text."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unanswerable("the external function's result is no number")
        return whole(DECIMAL.create_decimal(repr(value)))
    return whole(value) if isinstance(value, Decimal) else value


def _parsed(kind: str) -> Callable[[Any], Any]:
    """``valueOf`` and ``parse...`` of a class of numbers, of text or of a number."""
    bits = _WHOLE_BITS.get(kind)
    pattern = re.compile(r"[+-]?\d{1,19}" if bits else r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

    def parse(value: Any) -> Any:
        if isinstance(value, str):
            if not pattern.fullmatch(value) or len(value) > _LONGEST_NUMBER:
                raise Unanswerable(f"{value[:_LONGEST_NUMBER]!r} is no number of the kind {kind}")
            value = Decimal(value)
        return _whole(bits)(value) if bits else DECIMAL.create_decimal(value)

    return parse


_LONGEST_NUMBER = 100  # characters
_PLACEHOLDER = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(]*)(\d*)(?:\.(\d+))?([a-zA-Z%])")
_WIDE = Context(prec=8_000)
_WIDEST = 1_000  # characters of one placeholder


def _formatted(template: str, arguments: list[Any]) -> str:
    """``String.format``: the placeholders %s %d %f %e %x %o %c %b %n %%, with flags, width and index."""
    position = 0

    def filled(found: re.Match[str]) -> str:
        nonlocal position
        index, flags, width, precision, conversion = found.groups()
        if conversion in "n%":
            return "\n" if conversion == "n" else "%"
        if index is None:
            position += 1
        place = int(index or position)
        if not 1 <= place <= len(arguments):
            raise Unanswerable(f"the format asks for argument {place} of {len(arguments)}")
        if int(width or 0) > _WIDEST or int(precision or 0) > _WIDEST:
            raise Unanswerable(f"the format asks for more than {_WIDEST} characters")
        written = _placed(arguments[place - 1], conversion.lower(), flags, precision)
        if "0" in flags and conversion in "dfeox":
            sign, digits = re.fullmatch(r"([-+ ]?)(.*)", written).groups()  # type: ignore[union-attr]
            written = sign + digits.rjust(int(width or 0) - len(sign), "0")
        written = written.ljust(int(width or 0)) if "-" in flags else written.rjust(int(width or 0))
        return written.upper() if conversion.isupper() else written

    return _PLACEHOLDER.sub(filled, template)


def _placed(value: Any, conversion: str, flags: str, precision: str | None) -> str:
    if conversion == "s":
        written = "null" if value is None else text(value)
        return written if precision is None else written[: int(precision)]
    if conversion == "b":
        return "true" if value is True or (value is not None and value is not False) else "false"
    if conversion == "c":
        return _character(value)
    sign = "+" if "+" in flags else " " if " " in flags else ""
    comma = "," if "," in flags else ""
    if conversion in "dxo":
        if _number(value) != int(value):
            raise Unanswerable(f"%{conversion} takes whole numbers, not {number_text(value)}")
        return format(int(value), f"{sign}{comma if conversion == 'd' else ''}{conversion}")
    places = 6 if precision is None else int(precision)
    if conversion == "f":  # Java rounds halves up
        number = Decimal(_number(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _WIDE)
        return format(number, f"{sign}{comma}f")
    if conversion == "e":
        return format(_double(value), f"{sign}.{places}e")
    raise Unanswerable(f"%{conversion} is no placeholder that is known")


def _java_text(value: Any) -> str:
    return repr(value) if isinstance(value, float) else text(value)


_OF_DOUBLES = (
    *("cos", "sin", "tan", "acos", "asin", "atan", "atan2", "cosh", "sinh", "tanh"),
    *("cbrt", "exp", "expm1", "hypot", "log", "log10", "log1p", "pow", "sqrt"),
)
_MATH: dict[str, Callable[..., Any]] = {
    **{name: getattr(math, name) for name in _OF_DOUBLES},
    "toDegrees": math.degrees,
    "toRadians": math.radians,
    "abs": abs,
    "max": max,
    "min": min,
    "ceil": math.ceil,
    "floor": math.floor,
    "floorDiv": lambda a, b: a // b,
    "floorMod": lambda a, b: a % b,
    "round": lambda value: math.floor(value + 0.5),
    "signum": lambda value: (value > 0) - (value < 0),
}
_NUMBERS = {
    "Byte": "byte",
    "Short": "short",
    "Integer": "int",
    "Long": "long",
    "Float": "float",
    "Double": "double",
}

_TABLE: dict[tuple[str, str], Callable[..., Any]] = {
    **{("java.lang.Math", name): function for name, function in _MATH.items()},
    **{(f"java.lang.{name}", "valueOf"): _parsed(kind) for name, kind in _NUMBERS.items()},
    **{(f"java.lang.{name}", f"parse{kind.capitalize()}"): _parsed(kind) for name, kind in _NUMBERS.items()},
    **{(f"java.lang.{name}", "toString"): _java_text for name in (*_NUMBERS, "Boolean", "Character")},
    **{(f"java.lang.{name}", "max"): max for name in _NUMBERS},
    **{(f"java.lang.{name}", "min"): min for name in _NUMBERS},
    ("java.lang.Boolean", "valueOf"): lambda value: value is True or str(value).lower() == "true",
    ("java.lang.Character", "valueOf"): lambda value: value,
    ("java.math.BigDecimal", "valueOf"): lambda value: value,
    ("java.lang.String", "valueOf"): _java_text,
    ("java.lang.String", "format"): _formatted,
    ("java.lang.String", "join"): lambda delimiter, parts: delimiter.join(parts),
}


def external_function(parameters: tuple[tuple[str, Type], ...], context: dict[str, Any]) -> DefinedFunction:
    """The function that ``{java: {class: ..., method signature: ...}}`` names."""
    java = context.get("java")
    described = java if isinstance(java, dict) else {}
    class_name = str(described.get("class")).strip()
    method, _, rest = str(described.get("method signature")).partition("(")
    types = [part.strip() for part in rest.rstrip(") ").split(",") if part.strip()]
    body = _TABLE.get((class_name, method.strip()))

    def call(_: Any, arguments: Sequence[Any]) -> Any:
        if body is None:
            raise Unanswerable(f"there is no external function {class_name}.{method}")
        if any(argument is None for argument in arguments):
            raise Unanswerable("an argument is null")
        fitted = arguments
        if types and types[-1].endswith("...") and len(arguments) >= len(types):
            last = len(types) - 1
            fitted = [
                *arguments[:last],
                arguments[last] if len(arguments) == len(types) else arguments[last:],
            ]
        if len(fitted) != len(types):
            raise Unanswerable("the method's signature has another number of parameters")
        read = [_read(argument, java_type) for argument, java_type in zip(fitted, types, strict=True)]
        try:
            return _result(body(*read))
        except (TypeError, ValueError, ArithmeticError) as error:
            raise Unanswerable(f"the external function has no result: {error}") from error

    return DefinedFunction(parameters, call, name=method.strip() or "external")
