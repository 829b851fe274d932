"""Reading documents as the editors of DMN 1.1 to 1.5 write them, and what is told of those with faults."""

from typing import Any

import pytest
from lxml import etree

from tests.dmn.documents import (
    DMN_1_3,
    DMN_1_5,
    boxed,
    context,
    decision,
    definitions,
    faults,
    function,
    input_data,
    invocation,
    knowledge,
    literal,
    output,
    reasons,
    service,
)
from towpath.dmn import read
from towpath.faults import Faulty

DMN_1_1 = "http://www.omg.org/spec/DMN/20151101/dmn.xsd"


def told(body: str | bytes, **options: Any) -> list[str]:
    return [f"{fault.severity} {fault.rule}" for fault in faults(body, **options)]


# -- as editors write them -------------------------------------------------------------------------


def test_a_model_as_camunda_s_modeler_writes_it() -> None:
    xml = f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="{DMN_1_3}" xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/"
    xmlns:dc="http://www.omg.org/spec/DMN/20180521/DC/" xmlns:camunda="http://camunda.org/schema/1.0/dmn"
    xmlns:biodi="http://bpmn.io/schema/dmn/biodi/2.0" id="dinner" name="Dinner"
    namespace="http://camunda.org/schema/1.0/dmn" exporter="Camunda Modeler" exporterVersion="5.0.0">
  <decision id="Dish" name="Dish">
    <extensionElements><camunda:thing value="1"/></extensionElements>
    <informationRequirement id="ir1"><requiredDecision href="#season"/></informationRequirement>
    <informationRequirement id="ir2"><requiredInput href="#InputData_1"/></informationRequirement>
    <decisionTable id="DecisionTable_1" hitPolicy="FIRST" biodi:annotationsWidth="240">
      <input id="Input_1" label="Season" biodi:width="192">
        <inputExpression id="e1" typeRef="string"><text>season</text></inputExpression>
        <inputValues id="v1"><text>"Winter","Summer"</text></inputValues></input>
      <input id="Input_2"><inputExpression id="e2" typeRef="integer" expressionLanguage="feel">
        <text>guests</text></inputExpression></input>
      <output id="Output_1" name="dish" typeRef="string"/>
      <rule id="r1"><description>cold</description>
        <inputEntry id="c1"><text>"Winter"</text></inputEntry>
        <inputEntry id="c2"><text>&lt;= 8</text></inputEntry>
        <outputEntry id="c3"><text>"Roast"</text></outputEntry>
        <annotationEntry><text>hearty</text></annotationEntry></rule>
      <rule id="r2"><inputEntry id="c4"><text></text></inputEntry><inputEntry id="c5"><text/></inputEntry>
        <outputEntry id="c6"><text>"Salad"</text></outputEntry></rule>
    </decisionTable>
  </decision>
  <decision id="season" name="Which season is it?">
    <variable id="v2" name="seasonName" typeRef="string"/>
    <literalExpression id="l1" expressionLanguage="feel">
      <text>if temperature &lt; 10 then "Winter" else "Summer"</text></literalExpression></decision>
  <inputData id="InputData_1" name="Number of guests"/>
  <dmndi:DMNDI><dmndi:DMNDiagram id="Dish"><dmndi:DMNShape dmnElementRef="Dish" id="s1">
    <dc:Bounds height="80" width="180" x="1" y="1"/></dmndi:DMNShape></dmndi:DMNDiagram></dmndi:DMNDI>
</definitions>""".encode()
    model = read(xml)
    # The result of a required decision is known by its id, too.
    assert model.evaluate("Dish", {"temperature": 5, "guests": 8}).output == "Roast"
    assert model.evaluate("Dish", {"temperature": 25, "guests": 8}).output == "Salad"
    assert model.evaluate("Which season is it?", {"temperature": 5}).output == "Winter"
    assert {decision.id: decision.name for decision in model.decisions.values()} == {
        "Dish": "Dish",
        "season": "Which season is it?",
    }


def test_a_model_of_dmn_1_1_with_prefixes() -> None:
    xml = f"""<dmn:definitions xmlns:dmn="{DMN_1_1}" xmlns:feel="http://www.omg.org/spec/FEEL/20140401"
    xmlns:x="http://example.org/m" id="m" name="m" namespace="http://example.org/m"
    expressionLanguage="http://www.omg.org/spec/FEEL/20140401"
    typeLanguage="http://www.omg.org/spec/FEEL/20140401">
  <dmn:itemDefinition name="tAge" label="Age"><dmn:typeRef>feel:number</dmn:typeRef></dmn:itemDefinition>
  <dmn:inputData id="i" name="Age"><dmn:variable name="Age" typeRef="x:tAge"/></dmn:inputData>
  <dmn:decision id="d" name="Adult"><dmn:question>Is it?</dmn:question>
    <dmn:allowedAnswers>Yes/No</dmn:allowedAnswers>
    <dmn:variable name="Adult" typeRef="feel:boolean"/>
    <dmn:informationRequirement><dmn:requiredInput href="#i"/></dmn:informationRequirement>
    <dmn:authorityRequirement><dmn:requiredAuthority href="#law"/></dmn:authorityRequirement>
    <dmn:literalExpression><dmn:text><![CDATA[Age >= 18 and Age < 150]]></dmn:text></dmn:literalExpression>
  </dmn:decision>
  <dmn:knowledgeSource id="law" name="Law"><dmn:type>document</dmn:type></dmn:knowledgeSource>
  <dmn:performanceIndicator id="pi" name="PI"><dmn:impactingDecision href="#d"/></dmn:performanceIndicator>
  <dmn:organizationUnit id="ou" name="OU"/><dmn:businessContextElement id="bc" name="BC"/>
  <dmn:elementCollection id="ec" name="EC"><dmn:drgElement href="#d"/></dmn:elementCollection>
  <dmn:textAnnotation id="ta"><dmn:text>see =</dmn:text></dmn:textAnnotation><dmn:group id="g" name="G"/>
  <dmn:association id="as"><dmn:sourceRef href="#d"/><dmn:targetRef href="#ta"/></dmn:association>
</dmn:definitions>""".encode()
    model = read(xml)
    assert model.evaluate("Adult", {"Age": 20}).output is True
    assert model.warnings == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_documents_in_any_encoding_with_or_without_a_byte_order_mark(encoding: str) -> None:
    body = decision("d", '"größer"', name="Größe des Kunden")
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + definitions(body).decode()
    assert read(text.encode(encoding)).evaluate("Größe des Kunden", {}).output == "größer"
    if encoding == "utf-8":
        assert read(text.encode("utf-8-sig")).evaluate("d", {}).output == "größer"


def test_comments_and_processing_instructions_inside_texts_are_passed_over() -> None:
    xml = definitions(
        "<?tool x?><!-- c --><decision id='d' name='d'><literalExpression><text>1<!-- one --> + <?p?>2</text>"
        "</literalExpression></decision>"
    )
    assert read(xml).evaluate("d", {}).output == 3


@pytest.mark.parametrize(
    "language",
    [
        "http://www.omg.org/spec/FEEL/20140401",
        "https://www.omg.org/spec/DMN/20191111/FEEL/",
        "https://www.omg.org/spec/DMN/20230324/FEEL/",
        "feel",
        "FEEL",
        "S-FEEL",
    ],
)
def test_feel_has_many_names(language: str) -> None:
    assert output(decision("d", literal("1 + 1", f'expressionLanguage="{language}"'))) == 2


def test_another_expression_language_is_a_fault() -> None:
    body = decision("d", literal("1 + 1", 'expressionLanguage="juel"'))
    assert told(body) == ["error dmn.language"]
    cell = (
        "<decisionTable><input><inputExpression><text>1</text></inputExpression></input><output/>"
        '<rule><inputEntry expressionLanguage="groovy"><text>1</text></inputEntry>'
        "<outputEntry><text>1</text></outputEntry></rule></decisionTable>"
    )
    assert told(decision("d", cell)) == ["error dmn.language"]
    assert told(definitions(decision("d", "1"), attributes='expressionLanguage="javascript"')) == [
        "error dmn.language"
    ]
    assert told(decision("d", "<literalExpression><importedValues/></literalExpression>")) == [
        "error dmn.language"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "a-b",
        "it's",
        "a.b",
        "größe",
        "x+y",
        "sum",
        "count",
        "date",
        "loan amount/month",
        "名前",
        "a  b",
        "item",
    ],
)
def test_a_decision_may_be_called_almost_anything(name: str) -> None:
    body = input_data("i", f"{name}: number") + decision("d", f"{' '.join(name.split())} + 1", "input:#i")
    assert output(body, **{name: 1}) == 2
    body = decision("one", "1", name=name) + decision("d", f"{' '.join(name.split())} + 1", "decision:#one")
    assert output(body) == 2


def test_a_required_decision_is_known_by_its_variable_its_name_and_its_id() -> None:
    one = '<decision id="one" name="First one"><variable name="uno"/>' + literal("1") + "</decision>"
    assert output(one + decision("d", "[uno, First one, one]", "decision:#one")) == [1, 1, 1]


def test_an_id_is_no_name_where_something_else_has_it() -> None:
    body = decision("a", "1", name="b") + decision("b", "2", name="a")
    assert output(body + decision("d", "[a, b]", "decision:#a", "decision:#b")) == [2, 1]


def test_a_decision_without_logic_or_with_an_empty_one_is_null() -> None:
    assert output(decision("d")) is None
    assert output(decision("d", literal(" "))) is None
    assert output('<decision id="d" name="d"/>') is None


@pytest.mark.parametrize("kind", ['kind="FEEL"', "", 'xmlns:drools="http://www.drools.org" drools:kind="F"'])
def test_a_function_s_kind_is_feel_unless_it_says_otherwise(kind: str) -> None:
    assert output(decision("d", context({"f": function(["a"], "a + 1", kind)}, result="f(1)"))) == 2


# -- faults ----------------------------------------------------------------------------------------


def test_a_fault_in_a_text_is_told_with_its_line_and_column_in_the_file() -> None:
    xml = definitions(
        '<decision id="d" name="d">\n'
        '  <literalExpression id="e"><text>[1,\n'
        "    2 &lt; &amp; 3]</text></literalExpression></decision>\n"
        '<decision id="f" name="f"><literalExpression><text><![CDATA[1 + + * 2]]></text></literalExpression>'
        "</decision>"
    )
    lines = xml.decode().split("\n")
    found = faults(xml)
    assert [(fault.element, fault.line, fault.column) for fault in found] == [
        ("e", 4, lines[3].index("&amp;") + 1),
        ("f", 5, lines[4].index("+ *") + 1),
    ]
    assert found[0].file == "a.dmn"
    assert str(found[0]).startswith("a.dmn:4:12: e ")


def test_a_fault_in_a_document_of_windows_lines_and_other_letters_is_at_its_place() -> None:
    xml = (
        '<?xml version="1.0" encoding="utf-8"?>\r\n'
        + definitions(
            '<decision id="d" name="d">\r\n<literalExpression><text>"größe" +\r\n  )</text>'
            "</literalExpression></decision>"
        ).decode()
    )
    found = faults(xml.encode())
    assert [(fault.line, fault.column) for fault in found] == [(5, 3)]


def test_a_fault_in_allowed_values_is_at_its_place() -> None:
    xml = definitions(
        '<itemDefinition name="t"><typeRef>number</typeRef><allowedValues>\n<text>1, ,</text></allowedValues>'
        "</itemDefinition>"
    )
    assert [(fault.rule, fault.line, fault.column) for fault in faults(xml)] == [("dmn.feel", 3, 10)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (input_data("a") + decision("a", "1"), ["error dmn.duplicate-id"]),
        (
            decision("d", literal("1", 'id="x"')) + decision("e", literal("1", 'id="x"')),
            ["warning dmn.duplicate-id"],
        ),
        (decision("a", "1", name="x") + decision("b", "1", name="x"), ["warning dmn.duplicate-name"]),
        (decision("d", "1", "input:#gone"), ["error dmn.requirement"]),
        (knowledge("k", [], "1") + decision("d", "1", "input:#k"), ["error dmn.requirement"]),
        (decision("d", boxed("conditional", if_="true", then="1")), ["error dmn.expression"]),
        (decision("d", "<filter><in/><match/></filter>"), ["error dmn.expression"] * 2),
        (decision("d", boxed("for", in_="[1]", return_="1")), ["error dmn.iterator"]),
        (decision("d", context({"f": function(["a", "a"], "1")})), ["error dmn.function"]),
        (decision("d", context({"f": function([], "1", 'kind="Ruby"')})), ["error dmn.function"]),
        (
            knowledge("k", ["a", "b"], "1") + decision("d", invocation("k", a="1", c="2"), "knowledge:#k"),
            ["error dmn.binding", "warning dmn.binding"],
        ),
        (
            knowledge("k", ["a"], "1") + decision("d", invocation("k", a="1")),
            ["warning dmn.unbound"],
        ),
        (service("s"), ["warning dmn.service"]),
        (decision("d", "<decisionTable/>"), ["error dmn.output"]),
        (
            decision("d", '<decisionTable><output name="a"/><output/></decisionTable>'),
            ["error dmn.output"],
        ),
        (
            decision("d", "<decisionTable><input/><output/></decisionTable>"),
            ["error dmn.input"],
        ),
        (
            decision("d", '<decisionTable hitPolicy="COLLECT" aggregation="AVG"><output/></decisionTable>'),
            ["error dmn.aggregation"],
        ),
    ],
)
def test_what_is_wrong_with_a_model_is_told(body: str, expected: list[str]) -> None:
    assert told(body) == expected
    # And nobody falls over it who reads leniently.
    lenient = read(definitions(body), lenient=True)
    assert {fault.severity for fault in lenient.warnings} == {"warning"}
    for id in lenient.decisions:
        lenient.evaluate(id, {})


def test_expressions_that_are_nested_too_deeply_are_a_fault_and_no_crash() -> None:
    for depth, expected in ((50, []), (240, ["error dmn.depth"])):
        nested = "<list>" * depth + "</list>" * depth
        conditional = boxed("conditional", if_="true", then="1", else_="2")
        for _ in range(depth // 4):
            conditional = boxed("conditional", if_="true", then=conditional, else_="2")
        assert told(decision("d", nested)) in ([], expected)
        assert told(decision("d", conditional)) in ([], expected)
        read(definitions(decision("d", nested)), lenient=True).evaluate("d", {})
    with pytest.raises(Faulty):
        read(definitions(decision("d", "<list>" * 5000 + "</list>" * 5000)), lenient=True)


def test_of_very_many_faults_the_first_are_told() -> None:
    body = "".join(decision(f"d{n}", f"x{n} +", f"input:#i{n}") for n in range(1000))
    assert len(faults(body)) == 200
    read(definitions(body), lenient=True)


def test_what_is_told_says_what_to_do() -> None:
    assert all(
        fault.message.endswith(".") and fault.remedy for fault in faults(decision("d", "1", "input:#x"))
    )


@pytest.mark.parametrize(
    ("xml", "rule"),
    [
        (b"", "dmn.xml"),
        (b"no xml", "dmn.xml"),
        (b"<definitions", "dmn.xml"),
        (b"\x00\xff", "dmn.xml"),
        (b'<definitions xmlns="http://other"/>', "dmn.namespace"),
        (f'<decision xmlns="{DMN_1_5}"/>'.encode(), "dmn.namespace"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>', "dmn.doctype"),
        (
            b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
            + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(20))
            + b"]><a b='&u;'>&u;</a>",
            None,
        ),
        (b" " * 20_000_001, "dmn.size"),
    ],
)
def test_what_is_no_model_is_refused_with_a_reason(xml: bytes, rule: str | None) -> None:
    for lenient in (False, True):
        with pytest.raises(Faulty) as raised:
            read(xml, "a.dmn", lenient=lenient)
        (fault,) = raised.value.faults
        assert fault.file == "a.dmn"
        assert rule in (fault.rule, None)


# -- names that are read in vain -------------------------------------------------------------------


def unbound(body: str) -> list[str]:
    return [f"{fault.message} {fault.remedy}" for fault in faults(body) if fault.rule == "dmn.unbound"]


def test_a_variable_that_is_read_and_not_required_is_a_warning() -> None:
    body = input_data("i", "amount: number") + decision("d", "amount * 2")
    assert unbound(body) == [
        "'d' reads 'amount', which it does not require. Draw an information requirement from it."
    ]
    body = knowledge("k", ["n"], "n") + decision("d", "k(1)")
    assert unbound(body) == [
        "'d' reads 'k', which it does not require. Draw a knowledge requirement from it."
    ]


def test_a_misspelt_variable_is_a_warning_with_a_proposal() -> None:
    body = input_data("i", "amount: number") + decision("d", "amout * 2", "input:#i")
    assert unbound(body) == [
        "'d' reads 'amout', which nothing that it requires is called; did you mean 'amount'? "
        "Correct the name, or draw an information requirement."
    ]


@pytest.mark.parametrize(
    "part",
    [
        "for x in [1] return x + count(partial)",
        "some x in [1] satisfies x > 0",
        "(function(x) x)(1)",
        "{x: 1, y: x}.y",
        "[{x: 1}][x = 1]",
        "[{x: 1}][item.x = 1]",
        "given.x",
        'substring(string: "abc", start position: 2)',
        "given in (< 5, ? > 7)",
        "sort([1], function(x, y) x < y)",
        "today() = null",
        context({"x": "1", "f": function(["n"], "f(n) + x")}, result="f(x)"),
        boxed("filter", in_="[{x: 1}]", match="x = 1"),
        boxed("every", 'iteratorVariable="x"', in_="[1]", satisfies="x > 0"),
        invocation("abs", n="given"),
    ],
)
def test_names_that_are_bound_inside_are_no_matter(part: str) -> None:
    assert unbound(input_data("i", "given: number") + decision("d", part, "input:#i")) == []


def test_a_table_without_a_drawn_graph_reads_any_variable() -> None:
    assert unbound(decision("d", "amount * 2")) == []
    assert output(decision("d", "amount * 2"), amount=2) == 4


def test_a_cell_is_told_of_by_its_own_place() -> None:
    xml = definitions(
        input_data("i", "age")
        + decision(
            "d",
            "<decisionTable><input><inputExpression><text>age</text></inputExpression></input><output/>\n"
            '<rule><inputEntry id="cell"><text>&gt; aeg</text></inputEntry><outputEntry><text>1</text>'
            "</outputEntry></rule></decisionTable>",
            "input:#i",
        )
    )
    (fault,) = faults(xml)
    assert (fault.element, fault.line, fault.severity) == ("cell", 3, "warning")


def test_entries_and_columns_with_symbols_are_found_from_other_decisions() -> None:
    ann = literal('"Ann"')
    rows = f'<relation><column name="first-name"/><row>{ann}</row></relation>'
    body = (
        decision("a", context({"pre-score": "1"}))
        + decision("b", rows)
        + decision("d", "[a.pre-score, b[1].first-name, b.first-name]", "decision:#a", "decision:#b")
    )
    assert output(body) == [1, "Ann", ["Ann"]]


# -- reading leniently -----------------------------------------------------------------------------


def test_a_lenient_reader_makes_null_of_what_it_cannot_read() -> None:
    xml = definitions(
        decision("bad", "1 + ")
        + decision("d", "[bad, 5]", "decision:#bad", "decision:#gone")
        + decision("mixed", context({"a": "1 +", "b": "2"}))
    )
    with pytest.raises(Faulty):
        read(xml)
    model = read(xml, lenient=True)
    assert model.evaluate("d", {}).output == [None, 5]
    assert model.evaluate("mixed", {}).output == {"a": None, "b": 2}
    assert reasons(model.evaluate("bad", {})) == ["the expression is no FEEL"]
    assert {fault.rule for fault in model.warnings} == {"dmn.feel", "dmn.requirement"}


def test_a_lenient_reader_makes_null_of_a_table_with_a_cell_that_it_cannot_read() -> None:
    xml = definitions(
        decision(
            "d",
            '<decisionTable hitPolicy="FIRST"><input><inputExpression><text>1</text></inputExpression>'
            "</input><output/><rule><inputEntry><text>&gt;&gt; 1</text></inputEntry><outputEntry><text>1"
            "</text></outputEntry></rule><rule><inputEntry><text>-</text></inputEntry><outputEntry><text>2</text>"
            "</outputEntry></rule></decisionTable>",
        )
    )
    assert read(xml, lenient=True).evaluate("d", {}).output is None


def test_decisions_in_a_circle_are_null_to_a_lenient_reader() -> None:
    body = decision("a", "b", "decision:#b") + decision("b", "a", "decision:#a")
    assert told(body) == ["error dmn.cycle"]
    assert read(definitions(body), lenient=True).evaluate("a", {}).output is None


def test_a_document_with_any_part_missing_is_read_or_refused_and_never_a_crash() -> None:
    table = (
        '<decisionTable hitPolicy="COLLECT" aggregation="SUM"><input id="i1">'
        '<inputExpression typeRef="number"><text>n</text></inputExpression>'
        "<inputValues><text>[0..9]</text></inputValues></input>"
        '<output name="o" typeRef="number"><outputValues><text>1, 2</text></outputValues>'
        "<defaultOutputEntry><text>0</text></defaultOutputEntry></output>"
        "<rule><inputEntry><text>&gt; 1</text></inputEntry><outputEntry><text>n</text></outputEntry></rule>"
        "</decisionTable>"
    )
    xml = definitions(
        '<itemDefinition name="t" isCollection="true"><typeRef>number</typeRef>'
        "<allowedValues><text>&gt; 0</text></allowedValues></itemDefinition>"
        + input_data("n", "n: number")
        + knowledge("k", ["x: t"], boxed("for", 'iteratorVariable="i"', in_="x", return_="i + 1"))
        + decision("a", table, "input:#n")
        + decision("b", boxed("filter", in_="[1, a]", match="item > 1"), "decision:#a", name="b: t")
        + decision(
            "c",
            context({"f": function(["y"], "y"), "r": invocation("k", x="b")}),
            "decision:#b",
            "knowledge:#k",
        )
        + service("s", outputDecision=["c"], encapsulatedDecision=["a", "b"], inputData=["n"])
        + decision("d", boxed("conditional", if_="true", then="s(3)", else_="1"), "knowledge:#s")
    )
    assert read(xml).evaluate("d", {}).output == {"f": None, "r": [4]}
    count = len(list(etree.fromstring(xml).iter()))
    for place in range(1, count):
        for keep in (False, True):
            root = etree.fromstring(xml)
            part = list(root.iter())[place]
            if keep:
                part.attrib.clear()
                part.text = None
            else:
                part.getparent().remove(part)
            damaged = etree.tostring(root)
            faults(damaged)
            model = read(damaged, lenient=True)
            for id in model.elements:
                model.evaluate(id, {"n": 3})
