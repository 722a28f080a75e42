"""Branches, loops and sequences that contradict themselves, never end, or come to too much."""

import struct

from onnx_bytes import *


def body(name, nodes, outputs, inputs=(), initializers=()):
    """An attribute that is a graph; inputs and outputs are names."""
    inner = graph(nodes, [value_info(i) for i in inputs], [value_info(o) for o in outputs],
                  initializers)
    return blob(1, name) + blob(6, inner) + num(20, 5)


def flag(name, value):
    return tensor(name, [], BOOL, bytes([value]))


YES, ZERO, TEN = flag("yes", 1), scalar_int("zero", 0), scalar_int("ten", 10)
RELU = node("Relu", ["x"], ["inner"], name="r")


def branch(then=None, other=None, cond="yes", outputs=("y",), inputs=None, **kw):
    attrs = [body("then_branch", *(then or ([RELU], ["inner"])), **kw),
             body("else_branch", *(other or ([RELU], ["inner"])))]
    return node("If", [cond] if inputs is None else inputs, list(outputs), name="branch",
                attrs=attrs)


def branches(case):
    def g(nodes, inits=(YES,), **kw):
        return net(nodes, initializers=list(inits), **kw)

    at = r"node 'branch' \(If\)"
    case("if_takes_a_branch", g([branch()]), "ok", "")
    case("if_outer_input", g([branch(([], ["x"]))]), "ok", "")
    greater = [node("ReduceMax", ["x"], ["top"], keepdims=0, name="t"),
               node("Cast", ["top"], ["on"], to=BOOL, name="c")]
    # contents are given here, as an input's that decides shapes
    case("if_decided_by_pixels", g(greater + [branch(cond="on")]), "ok", "")
    case("if_not_a_bool", g([branch(cond="zero")], [ZERO]), "invalid", at + r".*i64")
    case("if_of_two", g([branch(cond="two")], [tensor("two", [2], BOOL, b"\1\1")]), "invalid",
         at + r".*bool\[2\]")
    case("if_no_condition", g([branch(inputs=[])]), "invalid", at)
    case("if_two_inputs", g([branch(inputs=["yes", "x"])]), "invalid", at + r".*2 inputs")
    case("if_few_outputs", g([branch(outputs=("y", "z"))]), "invalid", at + r".*2 outputs.* 1")
    case("if_formal_input", g([branch(inputs=["yes"], then=([RELU], ["inner"]),)]), "ok", "")
    case("if_no_else", g([node("If", ["yes"], ["y"], name="branch",
                               attrs=[body("then_branch", [RELU], ["inner"])])]), "invalid",
         at + r".*'else_branch' is missing")
    case("if_undefined_outside", g([branch(([node("Relu", ["gone"], ["inner"])], ["inner"]))]),
         "invalid", at + r".*'then_branch'.*'gone' is not defined")
    case("if_reads_itself", g([branch(([node("Relu", ["y"], ["inner"])], ["inner"]))]), "invalid",
         at + r".*'y'.*topological")
    case("if_reads_what_follows",
         g([branch(([node("Relu", ["late"], ["inner"])], ["inner"])),
            node("Abs", ["y"], ["late"], name="a")]), "invalid", at + r".*'late'.*topological")
    case("if_nothing_produces", g([branch(([RELU], ["other"]))]), "invalid",
         at + r".*'other'.*nothing produces")
    case("if_inner_unknown", g([branch(([node("Frob", ["x"], ["inner"])], ["inner"]))]),
         "unsupported", at + r".*Frob \(node")
    case("if_graph_not_there", g([node("If", ["yes"], ["y"], name="branch", then_branch=1)]),
         "invalid", at)
    twice = [RELU, node("Abs", ["x"], ["inner"], name="a")]
    case("if_inner_twice", g([branch((twice, ["inner"]))]), "invalid", r"'inner' is defined twice")
    deep = ([RELU], ["inner"])
    for level in range(12):
        deep = ([branch(deep, outputs=("inner",))], ["inner"])
        if level == 3:
            case("if_nested_5", g([branch(deep)]), "ok", "")
    case("if_nested_13", g([branch(deep)]), "limit", r"nested over \d+ deep")


def loop(nodes, outputs, inputs=("i", "c", "v"), own=("ten", "", "x"), results=("y",),
         initializers=()):
    return node("Loop", list(own), list(results), name="loop",
                attrs=[body("body", nodes, outputs, inputs, initializers)])


STEP = [node("Identity", ["c"], ["c2"], name="k"), node("Abs", ["v"], ["v2"], name="a")]


def loops(case):
    def g(nodes, inits=(YES, TEN), **kw):
        return net(nodes, initializers=list(inits), **kw)

    at = r"node 'loop' \(Loop\)"
    more = r"(bytes of nodes|operations|bytes).*limit"
    case("loop_ten_times", g([loop(STEP, ["c2", "v2"])]), "ok", "")
    case("loop_not_once", g([loop(STEP, ["c2", "v2"], own=("zero", "", "x"))], [ZERO]), "ok", "")
    case("loop_for_ever", g([loop(STEP, ["c2", "v2"], own=("", "yes", "x"))]), "limit", more)
    case("loop_no_bounds", g([loop(STEP, ["c2", "v2"], own=("", "", "x"))]), "limit", more)
    case("loop_of_nothing", g([loop([], ["c", "v"], own=("", "yes", "x"))]), "limit", more)
    huge = scalar_int("ten", (1 << 63) - 1)
    case("loop_2_63", g([loop(STEP, ["c2", "v2"])], [huge]), "limit", more)
    case("loop_minus", g([loop(STEP, ["c2", "v2"])], [scalar_int("ten", -5)]), "ok", "")
    stop = [node("Not", ["c"], ["c2"], name="k"), node("Abs", ["v"], ["v2"], name="a")]
    case("loop_stops", g([loop(stop, ["c2", "v2"], own=("ten", "yes", "x"))]), "ok", "")
    pixels = [node("ReduceMax", ["v"], ["top"], keepdims=0, name="t"),
              node("Cast", ["top"], ["c2"], to=BOOL, name="k"), STEP[1]]
    case("loop_decided_by_pixels", g([loop(pixels, ["c2", "v2"], own=("ten", "yes", "x"))]),
         "ok", "")
    case("loop_float_count", g([loop(STEP, ["c2", "v2"], own=("half", "", "x"))],
                               [tensor("half", [], FLOAT, struct.pack("<f", 2.5))]), "invalid",
         at + r".*'half'.*f32")
    case("loop_few_inputs", g([loop(STEP, ["c2", "v2"], own=("ten",))]), "invalid", at)
    case("loop_input_missing", g([loop(STEP, ["c2", "v2"], own=("ten", "", ""))]), "invalid",
         at + r".*input 2 is missing")
    case("loop_body_inputs", g([loop(STEP, ["c2", "v2"], own=("ten", "", "x", "x"))]), "invalid",
         at + r".*4 inputs.* 3")
    case("loop_body_outputs", g([loop(STEP, ["c2"])]), "invalid", at + r".*1 outputs.*1 carried")
    case("loop_wants_more", g([loop(STEP, ["c2", "v2"], results=("y", "s"))]), "invalid",
         at + r".*2 outputs.* 2 outputs")
    case("loop_stack_of_none", g([loop(STEP + [node("Abs", ["v"], ["s"])], ["c2", "v2", "s"],
                                       own=("zero", "", "x"), results=("z", "y"))], [ZERO]),
         "unsupported", at + r".*output 1.*no iterations")
    formal = [floats("v", [1, 3, 8, 8])]
    case("loop_input_initialised", g([loop(STEP, ["c2", "v2"], initializers=formal)]),
         "unsupported", at + r".*'v'.*initializer")
    case("loop_graph_twice", g([node("Loop", ["ten", "", "x"], ["y"], name="loop", attrs=[
        body("body", STEP, ["c2", "v2"], ("i", "c", "v"))] * 2)]), "invalid", r"'body'.*twice")

    # A thousand times a thousand times a thousand.
    nest, names = STEP, ["c2", "v2"]
    for k in range(3):
        inner = node("Loop", ["many", "", "v"], ["v%d" % k], name="loop", attrs=[
            body("body", nest, names, ("i", "c", "v"))])
        nest = [node("Identity", ["c"], ["c2"], name="k"), inner]
        names = ["c2", "v%d" % k]
    case("loop_nest", g([node("Loop", ["many", "", "x"], ["y"], name="loop", attrs=[
        body("body", nest, names, ("i", "c", "v"))])], [scalar_int("many", 1000)]), "limit", more)

    # Little to write down, much to compute: products and tables of constants.
    grow = [node("Identity", ["c"], ["c2"], name="k"),
            node("MatMul", ["w", "w"], ["p"], name="p"),
            node("ReduceMax", ["p"], ["top"], keepdims=0, name="t"),
            node("Add", ["v", "top"], ["v2"], name="a")]
    start = node("ConstantOfShape", ["shape"], ["w"], name="w")
    case("loop_of_products", g([start, loop(grow, ["c2", "v2"])],
                               [scalar_int("ten", 20000), ints("shape", [1000, 1000])]), "limit",
         more)
    double = [node("Identity", ["c"], ["c2"], name="k"),
              node("Concat", ["v", "v"], ["v2"], axis=0, name="a")]
    last = node("ReduceSum", ["grown"], ["sum"], keepdims=0, name="s")
    case("loop_that_doubles",
         g([node("ConstantOfShape", ["shape"], ["w"], name="w"),
            loop(double, ["c2", "v2"], own=("ten", "", "w"), results=("grown",)), last,
            node("Add", ["x", "sum"], ["y"], name="e")],
           [scalar_int("ten", 60), ints("shape", [1024])]), "limit", r"limit")
    wide = node("Sum", ["v"] * 60000, ["v2"], name="a")
    case("loop_wide", g([loop([STEP[0], wide], ["c2", "v2"])], [scalar_int("ten", 60000)]),
         "limit", more)
    reads = node("Sum", ["x"] * 65537, ["inner"], name="r")
    case("if_reads_65537", g([branch(([reads], ["inner"]))]), "limit", r"branch.*limit")


def sequences(case):
    def g(nodes, inits=(ZERO, TEN), **kw):
        return net(nodes, initializers=list(inits), **kw)

    def seq(op, inputs, outputs, **kw):
        return node(op, inputs, outputs, name=op, **kw)

    make = seq("SequenceConstruct", ["x", "x"], ["s"])
    case("sequence_at", g([make, seq("SequenceAt", ["s", "zero"], ["y"])]), "ok", "")
    outside = r"SequenceAt.*position 10 .*2 elements"
    case("sequence_outside", g([make, seq("SequenceAt", ["s", "ten"], ["y"])]), "invalid", outside)
    for k in (-3, 1 << 62, -(1 << 63)):
        case("sequence_at_%d" % k, g([make, seq("SequenceAt", ["s", "k"], ["y"])],
                                     [scalar_int("k", k)]), "invalid", r"position %d " % k)
    case("sequence_empty_at", g([seq("SequenceEmpty", [], ["s"]),
                                 seq("SequenceAt", ["s", "zero"], ["y"])]), "invalid",
         r"position 0 .*0 elements")
    case("sequence_empty_concat", g([seq("SequenceEmpty", [], ["s"]),
                                     seq("ConcatFromSequence", ["s"], ["y"], axis=0)]), "invalid",
         r"ConcatFromSequence.*empty")
    case("sequence_as_output", g([seq("SequenceConstruct", ["x"], ["y"])]), "invalid",
         r"output 'y' of the graph is not a tensor")
    case("sequence_renamed_output", g([make, node("Identity", ["s"], ["y"])]), "invalid",
         r"output 'y' of the graph is not a tensor")
    case("sequence_as_tensor", g([make, node("Relu", ["s"], ["y"])]), "invalid",
         r"Relu.*'s'.*sequence")
    case("tensor_as_sequence", g([seq("SequenceAt", ["x", "zero"], ["y"])]), "invalid",
         r"'x'.*not a sequence")
    case("sequence_of_sequences", g([make, seq("SequenceConstruct", ["s"], ["t"]),
                                    seq("SequenceAt", ["t", "zero"], ["y"])]), "invalid",
         r"input 0 is not a tensor")
    case("sequence_hole", g([seq("SequenceConstruct", ["x", ""], ["s"]),
                             seq("SequenceAt", ["s", "zero"], ["y"])]), "invalid",
         r"input 1 is not a tensor")
    case("sequence_unused", g([make, node("Relu", ["x"], ["y"])]), "ok", "")
    case("split_to_0", g([seq("SplitToSequence", ["x", "zero"], ["s"]),
                          seq("SequenceAt", ["s", "zero"], ["y"])]), "invalid", r"size 0")
    case("split_to_sizes", g([seq("SplitToSequence", ["x", "k"], ["s"]),
                           seq("SequenceAt", ["s", "zero"], ["y"])],
                          [ZERO, ints("k", [5, -4])]), "invalid", r"Split")
    wide = net([seq("SplitToSequence", ["x"], ["s"], axis=0), seq("SequenceAt", ["s", "zero"],
                                                                  ["y"])],
               dims=(1 << 24,), initializers=[ZERO])
    case("split_to_2_24", wide, "limit", r"bytes of nodes")
    nothing = node("Optional", [], ["o"], name="o")
    case("optional_nothing", g([nothing, node("OptionalGetElement", ["o"], ["y"])]), "invalid",
         r"no value")
    case("optional_output", g([node("Optional", [], ["y"], name="o")]), "invalid",
         r"not a tensor")
    insert = [node("Identity", ["c"], ["c2"], name="k"),
              seq("SequenceInsert", ["v", "x", "i"], ["v2"])]
    many = loop(insert, ["c2", "v2"], own=("many", "", "s"), results=("t",))
    case("sequence_grows", g([make, many, seq("SequenceAt", ["t", "zero"], ["y"])],
                             [ZERO, scalar_int("many", 1 << 40)]), "limit", r"bytes of nodes")


def all_cases(case):
    branches(case)
    loops(case)
    sequences(case)
