"""Writes ``for``, quantifiers and filters as Python loops.

They spend the same steps as the closures do; only which of two limits is named first may differ.
"""

from __future__ import annotations

from .. import syntax as ast
from ..compilation import mentions
from ..iteration import fixed_index
from .source import NULL, Source, Truth, Value, is_a


class Iterations(Source):
    """The part of the generator that knows loops."""

    def _domain(self, source: ast.Node, end: ast.Node | None) -> str:
        """Write what an iterator goes over: the name of something with a length."""
        start = self.value(source)
        if end is not None:
            return self.assigned(f"steps(R, {start.atom}, {self.value(end).atom}, downwards=True)").atom
        is_list = is_a(start, list)
        return self.assigned(self.chosen(is_list, start.atom, f"domain(R, {start.atom})")).atom

    def _for(self, node: ast.For) -> Value:
        depth, level = len(self.scope), self.depth
        result = self.fresh()
        reads_partial = mentions(node.body, "partial")
        simple = len(node.iterators) == 1 and node.iterators[0][2] is None and not reads_partial
        self.line(f"{result} = []")
        self.line("try:")
        self.depth += 1
        for index, (name, source, end) in enumerate(node.iterators, 1):
            items, item = self._domain(source, end), self.fresh()
            innermost = index == len(node.iterators)
            if innermost:
                self.line(f"R.spend(len({items}))")
            self.line(f"for {item} in {items}:")
            self.depth += 1
            if not innermost:
                self.line("R.spend(1)")
            self.scope.append((name, Value(item)))
        if reads_partial:
            self.line(f"R.spend(len({result}) // 64)")
            self.scope.append(("partial", self.assigned(f"{result}.copy()", list)))
        else:
            self.scope.append(("partial", NULL))
        self.line(f"{result}.append({self.value(node.body).atom})")
        if not simple:
            self.line(f"if len({result}) > R.limits.items: R.check_items(len({result}))")
        self.scope.leave(depth)
        self.depth = level
        self._given_up(node.at, result)
        return Value(result)

    def _given_up(self, at: int, result: str) -> None:
        with self.block("except Unanswerable as e"):
            self.line(f"R.warn(T, {at}, str(e))")
            self.line(f"{result} = None")

    def _quantified(self, node: ast.Quantified) -> Value:
        """Steps are counted in the innermost loop and spent after it, for it may end early."""
        depth, level = len(self.scope), self.depth
        result, count, deciding = self.fresh(), self.fresh(), not node.every
        ends = []
        self.line(f"{result} = {not deciding}")
        self.line("try:")
        self.depth += 1
        for index, (name, source, end) in enumerate(node.iterators, 1):
            items, item = self._domain(source, end), self.fresh()
            if index == len(node.iterators):
                self.line(f"{count} = 0")
            self.line(f"for {item} in {items}:")
            ends.append(self.depth)
            self.depth += 1
            self.line("R.spend(1)" if index < len(node.iterators) else f"{count} += 1")
            self.scope.append((name, Value(item)))
        condition = self.value(node.condition)
        with self.block(f"if {condition.atom} is {deciding}"):
            self.line(f"{result} = {deciding}")
            self.line("break")
        self.line(f"if {condition.atom} is not {not deciding}: {result} = None")
        self.scope.leave(depth)
        self.depth = ends.pop()
        self.line(f"R.spend({count})")
        while ends:
            self.line(f"if {result} is {deciding}: break")
            self.depth = ends.pop()
        self.depth = level
        self._given_up(node.at, result)
        return Value(result, Truth)

    def _filter(self, node: ast.Filter) -> Value:
        source, at = self.value(node.source), node.at
        result, items = self.fresh(), self.fresh()
        with self.block(f"if {source.atom} is None"):
            self.line(f"{result} = None")
        with self.block("else"):
            self.line(f"{items} = {self.chosen(is_a(source, list), source.atom, f'[{source.atom}]')}")
            index = fixed_index(node.predicate)
            if index is not None:
                self.line(f"{result} = at_index(R, T, {at}, {items}, {self.bind(index)})")
            elif _harmless(node.predicate):
                with self.block(f"if {items}"):
                    self.line(f"R.spend(len({items}))")
                    self._kept(node, items, result, "")
                self.line(f"else: {result} = []")
            else:
                # Whether a filter of nothing is an index only the predicate's value tells.
                empty = self.assigned(f"not {items}").atom
                self.line(f"if {empty}: {items} = NOTHING; R.muted += 1")
                self.line(f"else: R.spend(len({items}))")
                with self.block("try"):
                    self._kept(node, items, result, empty)
                with self.block("finally"):
                    self.line(f"if {empty}: R.muted -= 1")
        return Value(result)

    def _kept(self, node: ast.Filter, items: str, result: str, empty: str) -> None:
        """Write the loop of a filter; ``empty`` is the name that tells that there are no real items."""
        item = self.fresh()
        depth = len(self.scope)
        self.line(f"{result} = []")
        with self.block(f"for {item} in {items}"):
            self.scope.append(("item", Value(item)))
            self.scope.append((None, Value(item)))
            outcome = self.value(node.predicate)
            self.scope.leave(depth)
            kept = outcome.atom
            if empty:
                with self.block(f"if {empty}"):
                    self.line(f"if type({kept}) is int or type({kept}) is Decimal: {result} = None")
                    self.line("break")
            self.line(f"if {kept} is True: {result}.append({item})")
            if outcome.kind is not Truth:
                with self.block(f"elif {kept} is not False and {kept} is not None"):
                    self.line(f"{result} = unfiltered(R, T, {node.at}, {items}, {kept})")
                    self.line("break")


def _harmless(node: ast.Node) -> bool:
    """Whether a predicate is surely no number, takes no steps and reaches no limit, whatever the item is."""
    if isinstance(node, ast.Logic):
        return all(map(_harmless, node.operands))
    if isinstance(node, ast.Comparison):
        literal = isinstance(node.left, ast.Literal) or isinstance(node.right, ast.Literal)
        ordered = node.operator not in ("=", "!=")
        return (literal or ordered) and _plain(node.left) and _plain(node.right)
    if isinstance(node, ast.Between):
        return all(map(_plain, (node.value, node.low, node.high)))
    return isinstance(node, ast.InstanceOf) and _plain(node.value)


def _plain(node: ast.Node) -> bool:
    """Whether a node only reads something."""
    while isinstance(node, ast.Path):
        node = node.source
    return isinstance(node, ast.Literal | ast.Name)
