"""YAML as every file of this program is read and written.

A scalar means what it means on the command line: numbers, booleans and null are those of Hydra's
override grammar, which are nearly those of YAML 1.2. YAML 1.1, which PyYAML reads by default,
takes 010 for 8, 1:30 for 90, off for false and 1e6 for text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import yaml

from experiments.errors import UsageError

MAX_BYTES = 1 << 20  # the largest file of configs/ has a fiftieth of that
DEEPEST = 100  # collections in each other that libyaml reads; a config has a few
MAX_VALUES = 200_000  # with each alias counted as what it stands for

WHOLE = r"(?:0|[1-9](?:_?[0-9])*)"
POINT = rf"(?:{WHOLE}\.|{WHOLE}?\.[0-9](?:_?[0-9])*)"
EXPONENT = rf"(?:(?:{WHOLE}|{POINT})[eE][+-]?[0-9](?:_?[0-9])*)"
# By the last part of the tag: how such a scalar is written, and what it is in Python.
SCALARS: dict[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    "null": (re.compile(r"(?i:null|~|)\Z"), lambda _: None),
    "bool": (re.compile(r"(?i:true|false)\Z"), lambda text: text.lower() == "true"),
    "int": (re.compile(rf"[+-]?{WHOLE}\Z"), int),
    "float": (re.compile(rf"[+-]?(?:{POINT}|{EXPONENT}|(?i:inf|nan))\Z"), float),
}  # fmt: skip
PREFIX = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """Mappings, lists, text and the scalars above. Every other tag is an error."""

    yaml_constructors: ClassVar = {
        f"{PREFIX}str": yaml.SafeLoader.construct_yaml_str,
        f"{PREFIX}seq": yaml.SafeLoader.construct_yaml_seq,
        f"{PREFIX}map": yaml.SafeLoader.construct_yaml_map,
        None: yaml.SafeLoader.construct_undefined,
    }


class _Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.1 or `_Loader` would take for something else."""


def _constructor(read: Callable[[str], Any]) -> Callable[[_Loader, yaml.ScalarNode], Any]:
    def construct(loader: _Loader, node: yaml.ScalarNode) -> Any:
        text = str(loader.construct_scalar(node))
        try:
            return read(text)
        except ValueError as error:
            raise _problem(f"not a number: {text[:80]!r}", node) from error

    return construct


_Loader.yaml_implicit_resolvers = {}  # none of YAML 1.1
for _name, (_pattern, _read) in SCALARS.items():
    _Loader.add_implicit_resolver(PREFIX + _name, _pattern, None)
    _Loader.add_constructor(PREFIX + _name, _constructor(_read))
    _Dumper.add_implicit_resolver(PREFIX + _name, _pattern, None)
_Loader.add_implicit_resolver(f"{PREFIX}merge", re.compile(r"<<\Z"), ["<"])


class _FastLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same with libyaml, where PyYAML has it: ten times as fast."""

    yaml_constructors = _Loader.yaml_constructors
    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def read_yaml(path: Path) -> Any:
    """The content of a YAML file.

    Raises UsageError, in one line with the place, where it cannot be read, is not valid YAML,
    gives a key twice, or is too large to be a config.
    """
    try:
        return _parse(_text(path), path)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UsageError(f"{path}{place}: not valid YAML: {problem}") from error


def dump_yaml(content: Any, **layout: Any) -> str:
    """`content` as YAML that reads back as the same values; keys stay in their order.

    `layout` is for PyYAML: width, allow_unicode.
    """
    text: str = yaml.dump(content, Dumper=_Dumper, sort_keys=False, **layout)
    return text


def _text(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise UsageError(f"{path}: expected at most {MAX_BYTES:,} bytes of YAML, found more")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error


def _parse(text: str, path: Path) -> Any:
    loader: Any = (_FastLoader if _is_plain(text) else _Loader)(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        for key, first, second in _keys_given_twice(loader, node, "", set()):
            raise UsageError(
                f"{path}, line {second}: {key}: given on line {first} and again on line {second}; "
                "expected once"
            )
        _check_size(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _is_plain(text: str) -> bool:
    """Whether libyaml can read the text: valid YAML, and not so deep that it would crash.

    What is wrong with other text is told by PyYAML's own parser, and so is what only that accepts.
    """
    depth = 0
    try:
        for event in yaml.parse(text, _FastLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                return False
    except yaml.YAMLError:
        return False
    return True


def _keys_given_twice(
    loader: Any, node: yaml.Node, path: str, seen: set[int]
) -> Iterator[tuple[str, int, int]]:
    """Each key that a mapping gives again: dotted, with the lines of the first and the second."""
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for place, each in enumerate(node.value):
            yield from _keys_given_twice(loader, each, f"{path}{place}.", seen)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[Any, int] = {}
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            is_merge = key.tag == f"{PREFIX}merge"  # <<, which stands for no value of its own
            name = "<<" if is_merge else loader.construct_object(key)
            line = key.start_mark.line + 1
            if name in lines:
                yield f"{path}{name}", lines[name], line
            lines[name] = line
            yield from _keys_given_twice(loader, value, f"{path}{name}.", seen)


def _check_size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """The number of values in a node, as a program sees them that does not know of aliases.

    A few lines of aliases of aliases can stand for billions of values. Raises YAMLError for too
    many, and for a node that holds itself.
    """
    if id(node) in sizes:
        if not sizes[id(node)]:
            raise _problem("an alias stands inside of what it stands for", node)
        return sizes[id(node)]
    sizes[id(node)] = 0  # until it is counted
    parts = node.value if isinstance(node, yaml.CollectionNode) else ()
    each = (part for pair in parts for part in (pair if isinstance(pair, tuple) else (pair,)))
    size = 1 + sum(_check_size(part, sizes) for part in each)
    if size > MAX_VALUES:
        raise _problem(f"expected at most {MAX_VALUES:,} values, aliases included", node)
    sizes[id(node)] = size
    return size


def _problem(text: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, text, node.start_mark)
