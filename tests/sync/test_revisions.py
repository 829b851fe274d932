"""The revision tree: the same winner on every replica, the same ids as CouchDB."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from towpath.frontend.sync.revision_ids import revision_id
from towpath.frontend.sync.revisions import Tree


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[list[str], bool]]:
    """Revisions of one document, each with all its ancestors, the newest first."""
    made: list[tuple[list[str], bool]] = [(["1-a"], False)]
    for number in range(draw(st.integers(0, 12))):
        parent, _ = draw(st.sampled_from(made))
        rev = f"{len(parent) + 1}-{draw(st.sampled_from('abcdef'))}{number}"
        made.append(([rev, *parent], draw(st.booleans())))
    return made


@given(histories(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_leaves_and_winner(
    made: list[tuple[list[str], bool]], random: object
) -> None:
    trees = []
    for _ in range(3):
        order = list(made)
        random.shuffle(order)  # type: ignore[attr-defined]
        tree = Tree()
        for history, deleted in order:
            tree.merge(history, deleted=deleted)
        trees.append(Tree.decode(tree.encode()))
    assert len({tuple(tree.leaves()) for tree in trees}) == 1
    alive = [rev for rev in trees[0].leaves() if not trees[0].deleted(rev)]
    assert not alive or trees[0].leaves()[0] == alive[0]


def test_the_id_of_an_edit_is_couchdbs() -> None:
    assert revision_id(parent=None, deleted=False, body={}) == "1-967a00dff5e02add41819138abb3284d"


def test_stemming_forgets_old_ancestors_and_keeps_every_leaf() -> None:
    tree = Tree()
    tree.merge([f"{n}-x" for n in range(20, 0, -1)], deleted=False)
    tree.merge(["20-y", *(f"{n}-x" for n in range(19, 0, -1))], deleted=False)
    tree.stem(5)
    assert tree.leaves() == ["20-y", "20-x"]
    assert list(tree.history("20-x")) == [f"{n}-x" for n in range(20, 15, -1)]
