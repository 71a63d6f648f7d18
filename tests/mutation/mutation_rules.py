"""Faults by rule: every small change to a text that a slip might make.

    of_python(text)        comparisons, constants, arguments, returns, conditions...
                           from the syntax tree
    of_javascript(text)    the like, where the text shows it

Left alone is what no test should hold: docstrings, type hints, `__all__`, imports, and
the words of messages.
"""

import ast
import re
from typing import NamedTuple


class Mutant(NamedTuple):
    rule: str
    start: int  # of the text that is replaced, and its end
    end: int
    new: str

    def planted(self, text):
        return text[: self.start] + self.new + text[self.end :]

    def shown(self, text):
        """The number of the line, and the line before and after."""
        first, last = text.rfind("\n", 0, self.start) + 1, text.find("\n", self.end)
        before, after = (
            text[first:last],
            text[first : self.start] + self.new + text[self.end : last],
        )
        return text.count("\n", 0, self.start) + 1, *(
            " ".join(line.split()) for line in (before, after)
        )


# === Python ===

COMPARISONS = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"), ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"), ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"), ast.Mod: ("%", "//"), ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"),
}  # fmt: skip
RIVALS = ("min max", "any all", "minimum maximum", "floor ceil", "argmin argmax",
          "mean sum", "zeros ones", "sorted list", "removeprefix removesuffix",
          "append extend", "first last")  # fmt: skip
RIVAL = {
    name: rival for pair in map(str.split, RIVALS) for name, rival in (pair, pair[::-1])
}
SYMMETRIC = ("min", "max", "minimum", "maximum")  # in any order the same
# calls that only say something
MESSAGES = ("print", "warn", "add_argument", "add_parser")


def of_python(text, numbers=True):
    """The mutants of a module, in the order of its text. Without `numbers` where these
    are a matter of looks.
    """
    found = _Python(text, numbers)
    found.visit(ast.parse(text))
    changing = {mutant for mutant in found.mutants if mutant.planted(text) != text}
    return sorted(changing, key=lambda mutant: (mutant.start, mutant.end, mutant.new))


def statement(text, place):
    """The lines of the smallest statement at a place, of a compound one those of its
    head; all lines outside of functions.
    """
    line, found, functions = text.count("\n", 0, place) + 1, None, 0
    for node in ast.walk(ast.parse(text)):  # what is outside comes first
        if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno:
            found = node
            functions += (
                isinstance(node, ast.FunctionDef) and line >= node.body[0].lineno
            )
    if not functions:
        return range(1, text.count("\n") + 2)
    body = getattr(found, "body", None)
    return range(
        found.lineno,
        max(found.lineno + 1, body[0].lineno) if body else found.end_lineno + 1,
    )


class _Python(ast.NodeVisitor):
    def __init__(self, text, numbers):
        self.text, self.numbers, self.mutants = text, numbers, []
        self.lines = [0]  # where each line begins
        for line in text.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        self.bytes = [line.encode() for line in text.splitlines()]

    def at(self, node):
        """Where the node begins and ends in the text; `ast` counts columns in bytes."""
        place = lambda line, column: (
            self.lines[line - 1] + len(self.bytes[line - 1][:column].decode())
        )
        return place(node.lineno, node.col_offset), place(
            node.end_lineno, node.end_col_offset
        )

    def source(self, node):
        return self.text[slice(*self.at(node))]

    def replace(self, rule, node, new):
        self.mutants.append(Mutant(rule, *self.at(node), new))

    def between(self, rule, left, right, old, new):
        """Replace the operator that stands between two nodes."""
        start, end = self.at(left)[1], self.at(right)[0]
        place = re.search(
            rf"(?<![\w]){re.escape(old)}(?![\w])" if old.isalpha() else re.escape(old),
            self.text[start:end],
        )
        self.mutants.append(
            Mutant(rule, start + place.start(), start + place.end(), new)
        )

    def drop(self, rule, spans, index):
        """Take one of several parts out of a list, with its comma."""
        start, end = spans[index]
        if index + 1 < len(spans):
            end = spans[index + 1][0]
        elif index:
            start = spans[index - 1][1]
        self.mutants.append(Mutant(rule, start, end, ""))

    def negate(self, node):
        self.replace("condition", node, f"not ({self.source(node)})")

    # --- what is left alone ---

    def visit_JoinedStr(self, node):
        pass  # words

    def visit_Raise(self, node):
        self.replace("statement", node, "pass")  # and what it says is left alone

    def visit_Assign(self, node):
        if not (
            isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"
        ):
            self.visit(node.value)

    def visit_AnnAssign(self, node):
        if node.value:
            self.visit(node.value)

    def visit_FunctionDef(self, node):
        for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.visit(default)
        for statement in node.body:
            self.visit(statement)

    # --- the rules ---

    def visit_Compare(self, node):
        for operator, left, right in zip(
            node.ops, [node.left, *node.comparators], node.comparators
        ):
            self.between("comparison", left, right, *COMPARISONS[type(operator)])
        self.generic_visit(node)

    def visit_BinOp(self, node):
        words = isinstance(node.left, ast.JoinedStr) or isinstance(
            node.right, ast.JoinedStr
        )
        if type(node.op) in ARITHMETIC and self.numbers and not words:
            self.between(
                "arithmetic", node.left, node.right, *ARITHMETIC[type(node.op)]
            )
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:]):
            self.between("condition", left, right, old, new)
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        if isinstance(node.op, (ast.Not, ast.Invert, ast.USub)):
            self.replace(
                "condition" if isinstance(node.op, ast.Not) else "arithmetic",
                node,
                f"({self.source(node.operand)})",
            )
        self.generic_visit(node)

    def visit_If(self, node):
        self.negate(node.test)
        self.generic_visit(node)

    visit_While = visit_If

    def visit_IfExp(self, node):
        self.replace("condition", node.test, "True")
        self.replace("condition", node.test, "False")
        self.generic_visit(node)

    def visit_comprehension(self, node):
        for condition in node.ifs:
            self.replace("condition", condition, "True")
        self.generic_visit(node)

    def visit_Constant(self, node):
        value = node.value
        if isinstance(value, bool):
            self.replace("constant", node, str(not value))
        elif isinstance(value, int) and self.numbers:
            self.replace("constant", node, str(value + 1))
            self.replace("constant", node, f"({value - 1})")
        elif isinstance(value, float) and self.numbers:
            self.replace("constant", node, repr(round(value * 0.9, 12)))
            self.replace("constant", node, repr(round(value * 1.1, 12)))

    def visit_Call(self, node):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in MESSAGES:
            return
        if name in RIVAL:
            end = self.at(node.func)[1]
            self.mutants.append(Mutant("rival", end - len(name), end, RIVAL[name]))
        single = len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp)
        arguments = [] if single else sorted([*node.args, *node.keywords], key=self.at)
        spans = [self.at(argument) for argument in arguments]
        for index, argument in enumerate(arguments):
            if argument in node.args[-1:] or (
                argument in node.keywords and self.numbers
            ):
                self.drop("argument", spans, index)
        for one, other in zip(node.args, node.args[1:]):
            if name not in SYMMETRIC and not any(
                isinstance(part, ast.Starred) for part in (one, other)
            ):
                (start, middle), (other_start, end) = self.at(one), self.at(other)
                swapped = (
                    self.source(other)
                    + self.text[middle:other_start]
                    + self.source(one)
                )
                self.mutants.append(Mutant("argument", start, end, swapped))
        self.generic_visit(node)

    def visit_List(self, node):
        if isinstance(getattr(node, "ctx", None), ast.Store):
            return
        spans = [self.at(element) for element in node.elts]
        for index, element in enumerate(node.elts):
            # what is left must be a tuple
            if len(spans) > 1 + isinstance(node, ast.Tuple):
                self.drop("element", spans, index)
            if isinstance(element, ast.Name):
                self.replace("element", element, "0")
        self.generic_visit(node)

    visit_Tuple = visit_Set = visit_List

    def visit_Dict(self, node):
        spans = [
            (self.at(key or value)[0] - (0 if key else 2), self.at(value)[1])
            for key, value in zip(node.keys, node.values)
        ]
        for index in range(len(spans)):
            self.drop("element", spans, index)
        self.generic_visit(node)

    def visit_Slice(self, node):
        for bound in filter(None, (node.lower, node.upper)):
            self.replace("element", bound, "")
        self.generic_visit(node)

    def visit_Return(self, node):
        if node.value is not None:
            self.replace("return", node.value, "None")
            self.generic_visit(node)

    def visit_Expr(self, node):
        if (
            isinstance(node.value, (ast.Call, ast.Yield))
            and getattr(getattr(node.value, "func", None), "id", "") != "print"
        ):
            self.replace("statement", node, "pass")
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_AugAssign(self, node):
        self.replace("statement", node, "pass")
        self.generic_visit(node)


# === JavaScript ===

JAVASCRIPT = (
    (
        "comparison",
        r" (<=?|>=?) ",
        lambda found: f" {found[1][0]}{'' if found[1].endswith('=') else '='} ",
    ),
    (
        "comparison",
        r" (===|!==) ",
        lambda found: " !== " if found[1] == "===" else " === ",
    ),
    ("arithmetic", r" ([-+]) ", lambda found: " - " if found[1] == "+" else " + "),
    ("arithmetic", r" ([*/]) ", lambda found: " / " if found[1] == "*" else " * "),
    ("constant", r"(?<![\w.#])\d+(?![\w.])", lambda found: str(int(found[0]) + 1)),
    (
        "constant",
        r"(?<![\w.])\d+\.\d+(?![\w.])",
        lambda found: f"{float(found[0]) * 0.8:.6g}",
    ),
    ("condition", r" (&&|\|\|) ", lambda found: " || " if found[1] == "&&" else " && "),
    ("condition", r"(?<=[\s(])!(?=[\w(])", lambda found: ""),
    (
        "condition",
        r"\b(true|false)\b",
        lambda found: "false" if found[1] == "true" else "true",
    ),
    ("return", r"\breturn [^;{]+;", lambda found: "return undefined;"),
    (
        "rival",
        r"\bMath\.(max|min|floor|ceil)\b",
        lambda found: f"Math.{RIVAL[found[1]]}",
    ),
    (
        "argument",
        r"\((\w+), (\w+)(?=[,)])(?!\) ?=>)",
        lambda found: f"({found[2]}, {found[1]}",
    ),
    ("statement", r"(?m)^ +[\w.]+\([^;{}()]*\);$", lambda found: ";"),
)
# Comments, strings, templates and headings of functions: nothing is changed inside.
ASIDE = (
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`|function"
    r" \w*\([^)]*\)|\([^()]*\) =>|\"use strict\""
)


def of_javascript(text):
    """The mutants of a script, in the order of its text."""
    aside = [found.span() for found in re.finditer(ASIDE, text, re.DOTALL)]
    outside = lambda place: not any(start <= place < end for start, end in aside)
    found = [
        (rule, match, change)
        for rule, pattern, change in JAVASCRIPT
        for match in re.finditer(pattern, text)
    ]
    mutants = [
        Mutant(rule, *match.span(), change(match))
        for rule, match, change in found
        if outside(match.start())
    ]
    return sorted(mutants, key=lambda mutant: (mutant.start, mutant.end))
