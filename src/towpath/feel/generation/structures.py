"""Writes literals, names, lists, contexts, paths and conditions."""

from __future__ import annotations

from .. import syntax as ast
from ..answers import TWICE_IN_CONTEXT, not_temporal
from .source import Source, Value, is_a


class Structures(Source):
    """The part of the generator that knows what values are made of."""

    def _literal(self, node: ast.Literal) -> Value:
        return self.constant(node.value)

    def _unreadableliteral(self, node: ast.UnreadableLiteral) -> Value:
        return self.assigned(f"R.warn(T, {node.at}, {self.bind(not_temporal(node.text))})")

    def _name(self, node: ast.Name) -> Value:
        """The innermost binding; inside filters the item's own fields come first."""
        name = node.name
        outer, filtered = self.scope.find(name)
        if not filtered:
            return outer or self._variable(node)
        result, key = self.fresh(), self.bind(name)
        depth = self.depth
        for item in (value.atom for value in filtered):
            self.line(f"if type({item}) is dict and {key} in {item}: {result} = {item}[{key}]")
            if name != "item":
                own = f"({result} := property_of({item}, {key}, None)) is not None"
                self.line(f"elif type({item}) is not dict and {own}: pass")
            self.line("else:")
            self.depth += 1
        self.line(f"{result} = {(outer or self._variable(node)).atom}")
        self.depth = depth
        return Value(result)

    def _variable(self, node: ast.Name) -> Value:
        key, builtin, result = self.bind(node.name), self.builtins.get(node.name), self.fresh()
        self.line(f"try: {result} = V[{key}]")
        missing = f"absent(R, V, T, {node.at}, {key}, {self.constant(builtin).atom})"
        self.line(f"except KeyError: {result} = {missing}")
        return Value(result)

    def _listliteral(self, node: ast.ListLiteral) -> Value:
        values = [self.value(item) for item in node.items]
        if values and all(value.constant for value in values):
            return self.assigned(f"[*{self.bind(tuple(value.value for value in values))}]", list)
        return self.assigned(f"[{', '.join(value.atom for value in values)}]", list)

    def _contextliteral(self, node: ast.ContextLiteral) -> Value:
        keys = [key for key, _ in node.entries]
        if len(set(keys)) < len(keys):
            return self.assigned(f"R.warn(T, {node.at}, {self.bind(TWICE_IN_CONTEXT)})")
        depth = len(self.scope)
        entries = []
        for key, part in node.entries:
            value = self.function(part, key) if isinstance(part, ast.FunctionLiteral) else self.value(part)
            self.scope.append((key, value))
            entries.append(f"{self.bind(key)}: {value.atom}")
        self.scope.leave(depth)
        return self.assigned(f"{{{', '.join(entries)}}}", dict)

    def _path(self, node: ast.Path) -> Value:
        source, key = self.value(node.source), self.bind(node.name)
        is_context = is_a(source, dict)
        has = f"{key} in {source.atom}"
        condition = None if is_context is None else f"{is_context} and {has}" if is_context else has
        otherwise = f"entry(R, T, {node.at}, {source.atom}, {key})"
        return self.assigned(self.chosen(condition, f"{source.atom}[{key}]", otherwise))

    def _if(self, node: ast.If) -> Value:
        condition, result = self.value(node.condition).atom, self.fresh()
        with self.block(f"if {condition} is True"):
            then = self.value(node.then)
            self.line(f"{result} = {then.atom}")
        with self.block(f"elif {condition} is False or {condition} is None"):
            otherwise = self.value(node.otherwise)
            self.line(f"{result} = {otherwise.atom}")
        self.line(f"else: {result} = undecided(R, T, {node.at}, {condition})")
        return Value(result)
