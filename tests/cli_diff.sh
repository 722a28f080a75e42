# Part of test_cli_models.sh: models and ways to run them that go apart, or do not.

# plant MODEL NAME OUT: a copy whose initializer NAME has its numbers times -1, by protobuf alone
plant() {
    "$python" - "$1" "$2" "$3" <<'PY'
import struct, sys
def varint(b, i):
    value = shift = 0
    while True:
        value |= (b[i] & 127) << shift
        shift += 7
        i += 1
        if b[i - 1] < 128:
            return value, i
def fields(b, i, end):
    while i < end:
        key, i = varint(b, i)
        if key & 7 == 2:
            n, i = varint(b, i)
            yield key >> 3, i, i + n
            i += n
        elif key & 7 == 0:
            _, i = varint(b, i)
        else:
            i += 4 if key & 7 == 5 else 8
b = bytearray(open(sys.argv[1], "rb").read())
for f, i, end in fields(b, 0, len(b)):
    if f != 7: continue  # the graph
    for f, i, end in fields(b, i, end):
        if f != 5: continue  # an initializer
        parts = {f: (i, end) for f, i, end in fields(b, i, end)}
        if bytes(b[slice(*parts[8])]).decode() == sys.argv[2]:
            i, end = parts[9]
            n = (end - i) // 4
            b[i:end] = struct.pack("<%df" % n, *(-x for x in struct.unpack("<%df" % n, b[i:end])))
            open(sys.argv[3], "wb").write(b)
            sys.exit(0)
sys.exit("there is no " + sys.argv[2])
PY
}

diff_tests() {
    nfnet=$shapes/nfnet_shapes.onnx vit=$shapes/vit_map_shapes.onnx
    set -- "$shapes"/val/star/*
    star=$1

    begin diff__passes_on_and_off__agree
    for model in "$nfnet" "$vit"; do
        run 0 diff "$model" "$star" --passes on,off --bound 1e-4 --json "$tmp/d.json"
        json "$tmp/d.json" 'd["agrees"] and d["first"] is None and d["logits"]["rel_l2"] < 1e-5' \
            'd["a"]["passes"] == "on" and d["b"]["passes"] == "off"' \
            'len(d["tensors"]) >= 0.9 * d["a"]["tensors"]'
        out_has 'tensors matched: '
        out_has 'no tensor goes beyond 0.0001 for good'
    done
    end

    begin diff__f32_and_bf16__within_its_bound_and_not_within_that_of_f32
    run 0 diff "$nfnet" --precision f32,bf16 --json "$tmp/d.json"
    json "$tmp/d.json" 'd["bound"] == 0.05 and d["a"]["precision"] == "f32"' \
        'd["b"]["precision"] == "bf16" and d["best_class"][0] == d["best_class"][1]'
    run 1 diff "$nfnet" --precision f32,bf16 --bound 1e-6
    out_has 'first beyond 1e-06: '
    out_has 'the last before it that agrees: \|no tensor that it depends on'
    end

    if [ -n "$python" ]; then
        begin diff__one_weight_changed__names_its_node
        for how in "--passes off" "--passes on"; do
            plant "$nfnet" blocks.3.conv2.weight "$tmp/planted.onnx" || broken "nothing planted"
            run 1 diff "$nfnet" "$tmp/planted.onnx" "$star" $how --json "$tmp/d.json"
            json "$tmp/d.json" 'd["first"]["a"]["node"] == "/blocks/blocks.3/conv2/Conv"' \
                'd["first"]["a"]["type"] == "Conv" and not d["agrees"]' \
                'd["last_agreeing"]["rel_l2"] < 1e-6'
            out_has "first beyond 0.001: Conv '/blocks/blocks.3/conv2/Conv' of A"
        done
        end
    else
        skip diff__one_weight_changed__names_its_node "there is no python3"
    fi

    begin diff__what_cannot_be_compared__says_why
    run 2 diff "$nfnet"
    err_has 'one model, run in one way, twice'
    run 2 diff
    err_has 'which models?'
    run 2 diff "$nfnet" --precision f32,f64
    err_has "'f64' is no precision"
    run 1 diff "$nfnet" "$tmp/none.onnx"
    err_has 'none.onnx'
    run 1 diff "$nfnet" "$tmp/fake.jpg.onnx" "$star"
    end
}
