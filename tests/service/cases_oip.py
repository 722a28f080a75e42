"""Open Inference Protocol requests for a model image[n,3,480,480] -> logits[n,10].

Each is a change to a request that is right: name, JSON, bytes behind it, header fields, statuses.
"""
import copy
import json

SIZE = 3 * 480 * 480
BYTES = 4 * SIZE

RIGHT = {
    "inputs": [{"name": "image", "shape": [1, 3, 480, 480], "datatype": "FP32",
                "parameters": {"binary_data_size": BYTES}}],
}


def changed(**changes):
    """RIGHT with fields of its input replaced; None removes."""
    request = copy.deepcopy(RIGHT)
    for key, value in changes.items():
        if value is None:
            request["inputs"][0].pop(key, None)
        else:
            request["inputs"][0][key] = value
    return request


def with_keys(**keys):
    return {**copy.deepcopy(RIGHT), **keys}


def json_cases():
    tensor = b"\0" * BYTES
    output = {"name": "logits"}
    shape = lambda *dims: changed(shape=list(dims))
    yield "request__right__answered", RIGHT, tensor, 200
    yield "request__id__answered", with_keys(id="a\u20ac\u0000b"), tensor, 200
    yield "request__id_empty__answered", with_keys(id=""), tensor, 200
    yield "request__unknown_key__answered", with_keys(extra=[1, 2]), tensor, 200
    yield "request__unknown_parameter__answered", with_keys(parameters={"sequence_id": 3}), tensor, 200
    yield "request__id_number__400", with_keys(id=5), tensor, 400
    yield "request__id_object__400", with_keys(id={}), tensor, 400
    yield "request__id_1_mb__400", with_keys(id="x" * 1000000), tensor, 400
    yield "request__parameters_list__400", with_keys(parameters=[]), tensor, 400
    yield "request__binary_output_number__400", with_keys(parameters={"binary_data_output": 1}), tensor, 400
    yield "request__array__400", [RIGHT], tensor, 400
    yield "request__string__400", "inputs", tensor, 400
    yield "request__null__400", None, tensor, 400
    yield "request__empty_object__400", {}, tensor, 400

    yield "inputs__none__400", {"inputs": []}, tensor, 400
    yield "inputs__object__400", {"inputs": {}}, tensor, 400
    yield "inputs__null__400", {"inputs": None}, tensor, 400
    yield "inputs__of_numbers__400", {"inputs": [1]}, tensor, 400
    yield "inputs__of_null__400", {"inputs": [None]}, tensor, 400
    yield "inputs__twice__400", {"inputs": RIGHT["inputs"] * 2}, tensor, 400
    yield "inputs__thousand__400", {"inputs": RIGHT["inputs"] * 1000}, tensor, 400
    yield "input__no_name__400", changed(name=None), tensor, 400
    yield "input__wrong_name__400", changed(name="picture"), tensor, 400
    yield "input__name_with_nul__400", changed(name="image\0"), tensor, 400
    yield "input__name_number__400", changed(name=1), tensor, 400
    yield "input__name_empty__400", changed(name=""), tensor, 400
    yield "input__parameters_string__400", changed(parameters="x"), tensor, 400
    yield "datatype__missing__400", changed(datatype=None), tensor, 400
    yield "datatype__lower_case__400", changed(datatype="fp32"), tensor, 400
    yield "datatype__fp16__400", changed(datatype="FP16"), tensor, 400
    yield "datatype__bytes__400", changed(datatype="BYTES"), tensor, 400
    yield "datatype__int64__400", changed(datatype="INT64"), tensor, 400
    yield "datatype__unknown__400", changed(datatype="FP33"), tensor, 400
    yield "datatype__number__400", changed(datatype=32), tensor, 400

    yield "shape__missing__400", changed(shape=None), tensor, 400
    yield "shape__string__400", changed(shape="1,3,480,480"), tensor, 400
    yield "shape__empty__400", shape(), tensor, 400
    yield "shape__three__400", shape(3, 480, 480), tensor, 400
    yield "shape__five__400", shape(1, 1, 3, 480, 480), tensor, 400
    yield "shape__million__400", shape(*[1] * 1000), tensor, 400
    yield "shape__other_size__400", shape(1, 3, 224, 224), tensor, 400
    yield "shape__channels_last__400", shape(1, 480, 480, 3), tensor, 400
    yield "shape__negative__400", shape(-1, 3, 480, 480), tensor, 400
    yield "shape__zero__400", shape(0, 3, 480, 480), tensor, 400
    yield "shape__over_the_batch__400", shape(5, 3, 480, 480), tensor, 400
    yield "shape__fraction__400", shape(1.5, 3, 480, 480), tensor, 400
    yield "shape__real__400", shape(1.0, 3, 480, 480), tensor, 400
    yield "shape__2_to_62__400", shape(2 ** 62, 3, 480, 480), tensor, 400
    yield "shape__2_to_63_less_1__400", shape(2 ** 63 - 1, 3, 480, 480), tensor, 400
    yield "shape__2_to_63__400", shape(2 ** 63, 3, 480, 480), tensor, 400
    yield "shape__product_wraps__400", shape(2 ** 32, 2 ** 32, 480, 480), tensor, 400
    yield "shape__boolean__400", shape(True, 3, 480, 480), tensor, 400
    yield "shape__nested__400", shape([1], 3, 480, 480), tensor, 400
    yield "shape__string_dim__400", shape("1", 3, 480, 480), tensor, 400

    size = lambda value: changed(parameters={"binary_data_size": value})
    yield "binary__no_bytes__400", RIGHT, b"", 400
    yield "binary__one_short__400", RIGHT, tensor[:-1], 400
    yield "binary__one_long__400", RIGHT, tensor + b"\0", 400
    yield "binary__size_short__400", size(BYTES - 4), tensor[:-4], 400
    yield "binary__size_negative__400", size(-BYTES), tensor, 400
    yield "binary__size_zero__400", size(0), b"", 400
    yield "binary__size_2_to_63_less_1__400", size(2 ** 63 - 1), tensor, 400
    yield "binary__size_string__400", size(str(BYTES)), tensor, 400
    yield "binary__size_real__400", size(float(BYTES)), tensor, 400
    yield "binary__and_data__400", changed(data=[0]), tensor, 400
    yield "binary__nobody_asked__400", changed(parameters=None, data=[0]), tensor, 400
    yield "binary__neither__400", changed(parameters=None), b"", 400
    yield "binary__batch_of_2_half__400", shape(2, 3, 480, 480), tensor, 400

    data = lambda value: changed(parameters=None, data=value)
    rows = lambda n, of: data([[[[0] * 480] * n] * of])
    yield "data__empty__400", data([]), b"", 400
    yield "data__one_number__400", data([1]), b"", 400
    yield "data__number__400", data(1), b"", 400
    yield "data__object__400", data({}), b"", 400
    yield "data__null__400", data([None] * SIZE), b"", 400
    yield "data__strings__400", data(["0"] * SIZE), b"", 400
    yield "data__booleans__400", data([True] * SIZE), b"", 400
    yield "data__one_short__400", data([0] * (SIZE - 1)), b"", 400
    yield "data__one_long__400", data([0] * (SIZE + 1)), b"", 400
    yield "data__beyond_float__400", data([1e39] + [0] * (SIZE - 1)), b"", 400
    yield "data__flat__answered", data([0] * SIZE), b"", 200
    yield "data__nested__answered", rows(480, 3), b"", 200
    yield "data__nested_row_missing__400", rows(479, 3), b"", 400
    yield "data__nested_row_more__400", rows(481, 3), b"", 400
    yield "data__nested_plane_missing__400", rows(480, 2), b"", 400
    yield "data__nested_ragged__400", data([[[[0] * 480] * 479 + [[0] * 479], [[0] * 480] * 480, [[0] * 480] * 480]]), b"", 400
    yield "data__nested_then_flat__400", data([[0]] + [0] * (SIZE - 1)), b"", 400
    yield "data__flat_then_nested__400", data([0] * (SIZE - 1) + [[0]]), b"", 400
    yield "data__nested_too_deep__400", data([[[[[0]]]]]), b"", 400
    yield "data__nested_of_objects__400", data([[{}]]), b"", 400

    outputs = lambda *value: with_keys(outputs=list(value))
    parameter = lambda **p: outputs({"name": "logits", "parameters": p})
    yield "outputs__named__answered", outputs(output), tensor, 200
    yield "outputs__empty__answered", outputs(), tensor, 200
    yield "outputs__twice__400", outputs(output, output), tensor, 400
    yield "outputs__hundred_thousand__400", outputs(*[output] * 100000), tensor, 400
    yield "outputs__unknown__400", outputs({"name": "probabilities"}), tensor, 400
    yield "outputs__no_name__400", outputs({}), tensor, 400
    yield "outputs__number__400", outputs(1), tensor, 400
    yield "outputs__object__400", with_keys(outputs={}), tensor, 400
    yield "outputs__null__400", with_keys(outputs=None), tensor, 400
    yield "outputs__parameters_number__400", outputs({"name": "logits", "parameters": 1}), tensor, 400
    yield "outputs__binary_string__400", parameter(binary_data="true"), tensor, 400
    yield "outputs__classification_zero__400", parameter(classification=0), tensor, 400
    yield "outputs__classification_negative__400", parameter(classification=-3), tensor, 400
    yield "outputs__classification_real__400", parameter(classification=2.0), tensor, 400
    yield "outputs__classification_huge__answered", parameter(classification=2 ** 62), tensor, 200


def split_cases():
    """Inference-Header-Content-Length: fields, whether the body is right otherwise, statuses."""
    head = json.dumps(RIGHT).encode()
    n = len(head)
    yield "split__missing__400", (), 400
    yield "split__right__answered", ("%d" % n,), 200
    yield "split__zero__400", ("0",), 400
    yield "split__one_less__400", ("%d" % (n - 1),), 400
    yield "split__one_more__400", ("%d" % (n + 1),), 400
    yield "split__whole_body__400", ("%d" % (n + BYTES),), 400
    yield "split__beyond_the_body__400", ("%d" % (n + BYTES + 1),), 400
    yield "split__negative__400", ("-1",), 400
    yield "split__plus__400", ("+%d" % n,), 400
    yield "split__empty__400", ("",), 400
    yield "split__word__400", ("all",), 400
    yield "split__hexadecimal__400", ("0x%x" % n,), 400
    yield "split__2_to_64__400", ("18446744073709551616",), 400
    yield "split__2_to_63__400", ("9223372036854775808",), 400
    yield "split__twice__400", ("%d" % n, "%d" % n), 400


def path_cases(name):
    """Paths of models: path, status of a GET."""
    model = "/v2/models/" + name
    yield "path__model__answered", model, 200
    yield "path__version__answered", model + "/versions/1", 200
    yield "path__ready__answered", model + "/ready", 200
    yield "path__version_ready__answered", model + "/versions/1/ready", 200
    yield "path__version_999__404", model + "/versions/999", 404
    yield "path__version_10__404", model + "/versions/10", 404
    yield "path__version_01__404", model + "/versions/01", 404
    yield "path__version_empty__404", model + "/versions/", 404
    yield "path__version_word__404", model + "/versions/latest", 404
    yield "path__other_model__404", "/v2/models/other", 404
    yield "path__longer_name__404", model + "x", 404
    yield "path__shorter_name__404", model[:-1], 404
    yield "path__no_name__404", "/v2/models/", 404
    yield "path__no_slash__404", "/v2/models", 404
    yield "path__dot_dot__404", "/v2/models/..%2f" + name, 404
    yield "path__dot_dot_plain__404", "/v2/models/../models/" + name, 404
    yield "path__escaped_name__404", "/v2/models/%6e" + name[1:], 404
    yield "path__nul__404", model + "%00", 404
    yield "path__infer_get__405", model + "/infer", 405
    yield "path__unknown_action__404", model + "/generate", 404
    yield "path__repository__404", "/v2/repository/index", 404
