"""Templates: what can be said of them before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from towpath.faults import Faulty
from towpath.frontend.notify import load_templates
from towpath.frontend.notify.email import as_html
from towpath.frontend.notify.templates import RenderError, Template


def test_every_fault_is_told_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text('title = "T"\nbody = "B"\n')
    (tmp_path / "no-toml.toml").write_text("title = \n")
    (tmp_path / "no-body.toml").write_text('title = "T"\ncolour = "red"\n')
    (tmp_path / "syntax.toml").write_text('title = "T"\nbody = """\nfine\n{{ broken\n"""\n')
    (tmp_path / "channel.toml").write_text('title = "T"\nbody = "B"\nchannels = ["pigeon"]\n')
    with pytest.raises(Faulty) as caught:
        load_templates(tmp_path)
    found = {(Path(f.file or "").name, f.rule, f.line) for f in caught.value.faults}
    assert found == {
        ("no-toml.toml", "notify.template-toml", None),
        ("no-body.toml", "notify.template-field", None),
        ("no-body.toml", "notify.template-text", None),
        ("syntax.toml", "notify.template-syntax", 4),
        ("channel.toml", "notify.template-channel", None),
    }


def test_no_folder_is_no_templates(tmp_path: Path) -> None:
    assert load_templates(tmp_path / "absent") == {}


def test_a_missing_value_leaves_no_hole_in_a_letter() -> None:
    with pytest.raises(RenderError, match="'shop' is undefined"):
        Template("t", "Hello", "{{ shop }}").render({})
    assert Template("t", "Hello", "{{ note or 'none' }}").render({}) == ("Hello", "none")


@pytest.mark.parametrize(
    "text", ["{{ x.__class__.__mro__ }}", "{% for i in range(10**9) %}{% endfor %}", "{{ x.clear() }}"]
)
def test_a_template_is_confined_to_its_sandbox(text: str) -> None:
    with pytest.raises(RenderError):
        Template("t", text, "").render({"x": {"a": 1}})


def test_a_text_becomes_html_in_which_nothing_is_markup() -> None:
    html = as_html("Hello <b>,\n\nsee https://x.example/a?b=1&c=2.\nBye")
    assert html == (
        "<p>Hello &lt;b&gt;,</p>\n"
        '<p>see <a href="https://x.example/a?b=1&amp;c=2">https://x.example/a?b=1&amp;c=2</a>.<br>Bye</p>'
    )


def test_a_moment_is_told_as_people_say_it() -> None:
    template = Template("t", "Hello", "{{ at | date_time }}")
    assert template.render({"at": "2026-11-24T12:30:00+00:00"})[1] == "Tuesday, 24 November 2026, 12:30"
    assert template.render({"at": "next week"})[1] == "next week"
