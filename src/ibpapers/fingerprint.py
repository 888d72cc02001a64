"""What a job's code is: a hash of the modules it can import, as parsed.

Comments, docstrings, layout and modification times do not count; every other edit does, in any
module of this package that the job's modules import, directly or through others.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = __name__.partition(".")[0]


@cache
def code_hash(*modules: str) -> str:
    """SHA-256 (64 hexadecimal digits) of the import closure of `modules` within this package.

    Imports are followed wherever they stand, also inside functions. A package's ``__init__``
    counts where a name of its own is imported, not where a module merely lies below it: one more
    line in a listing such as `ibpapers.papers.PAPERS` is no change of what a paper trains.
    Modules imported by a computed name are not seen; they have to be among `modules`.

    Raises:
        ModuleNotFoundError: one of `modules` does not exist.
    """
    lines = [f"{name} {own}\n" for name, own in module_hashes(*modules).items()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def module_hashes(*modules: str) -> dict[str, str]:
    """The hash of each module in the import closure of `modules`, by name."""
    return {name: _parse(name)[0] for name in sorted(closure(*modules))}


def closure(*modules: str) -> set[str]:
    """Names of `modules` and of all modules of this package that they import."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _parse(name)[1]
    return found


@cache
def _parse(module: str) -> tuple[str, tuple[str, ...]]:
    """A module's own hash, and the modules of this package that it names in imports."""
    path = _file(module)
    if path is None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    tree = ast.parse(path.read_bytes(), filename=str(path))
    imports = _imports(tree, module if path.stem == "__init__" else module.rpartition(".")[0])
    text: list[str] = []
    _dump(tree, text.append)
    own = hashlib.sha256("".join(text).encode()).hexdigest()
    return own, tuple(dict.fromkeys(imports))


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names = [_module_of(base, alias.name) for alias in node.names]
        else:
            continue
        yield from (name for name in names if _file(name))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below `node`, and what holds statements; no expressions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
            yield child
            yield from _statements(child)


def _module_of(base: str, name: str) -> str:
    """Where ``from base import name`` finds `name`: a module below `base`, or `base` itself."""
    return f"{base}.{name}" if _file(f"{base}.{name}") else base


@cache
def _file(module: str) -> Path | None:
    """The source file of a module of this package; None for anything else."""
    package, *parts = module.split(".")
    if package != PACKAGE:
        return None
    path = Path(__file__).parent.joinpath(*parts)
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in candidates if file.is_file()), None)


def _dump(node: object, write: Callable[[str], object]) -> None:
    """Write `node` as text: without positions and docstrings, the same under every Python version.

    Empty fields are left out because new versions of Python add some (`ast.dump` shows them).
    """
    if isinstance(node, list):
        write("[")
        for item in node:
            _dump(item, write)
        write("]")
    elif isinstance(node, ast.Constant):
        write(f"{type(node.value).__name__}:{node.value!r} ")
    elif isinstance(node, ast.AST):
        write(f"{type(node).__name__}(")
        for name in node._fields:
            value = getattr(node, name, None)
            if name == "body" and _has_docstring(node):
                value = value[1:]
            if value is not None and value != []:
                write(f"{name}=")
                _dump(value, write)
        write(")")
    else:
        write(f"{node!r} ")


def _has_docstring(node: ast.AST) -> bool:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None
