#!/bin/sh
# test_cli.sh FOVEA SOURCE_ROOT: the command as a user meets it: exit codes,
# messages, help, JSON keys. What needs a classifier is in test_cli_models.sh and
# test_cli_eval.sh. Closes on "N passed, N failed, N skipped".
set -u
fovea=$1
root=$2
shared=$root/../shared
shapes=$root/examples/shapes
nodes=/usr/share/libonnx-testdata/data/node
. "$(dirname "$0")/cli_checks.sh"

# ---- the frame --------------------------------------------------------------------

begin help__lists_every_command__exit_0
run 0 --help
for command in bench classify compare compile convert diff eval inspect ops preprocess run verify zoo; do
    out_has "^  $command "
done
end

for command in bench classify compare compile convert diff eval inspect ops preprocess run verify zoo; do
    begin "help__of_${command}__has_usage_and_examples"
    run 0 help $command
    out_has "^usage: fovea $command"
    out_has '[Ee]xamples:'
    out_has '--json'
    cp "$tmp/out" "$tmp/help"
    run 0 $command --help
    cmp -s "$tmp/out" "$tmp/help" || broken "'help $command' and '$command --help' differ"
    end

    begin "${command}__unknown_option__exit_2_and_names_it"
    run 2 $command --no-such-option
    err_has 'no-such-option'
    out_empty
    end
done

begin version__names_fovea_and_oneDNN
run 0 --version
out_has '^fovea [0-9.]* (oneDNN [0-9.]*)$'
end

begin frame__no_command__exit_2
run 2
err_has '^usage:'
out_empty
end

begin frame__misspelt_command__exit_2_with_a_hint
run 2 clasify
err_has "unknown command 'clasify'; is it 'classify'?"
out_empty
end

begin frame__misspelt_option__exit_2_with_a_hint
run 2 verify --pases off x
err_has "unknown option '--pases'; is it --passes?"
end

begin frame__bad_values__exit_2_and_say_what_is_wrong
run 2 verify --threads 0 x
err_has "--threads: '0' is not a number in 1.."
run 2 verify --threads
err_has 'needs an argument'
run 2 run --max-memory 4X model.onnx
err_has "--max-memory: '4X' is not a number of bytes"
run 2 verify --precision f64 x
err_has "'f64' is no precision; f32, bf16 and auto are"
run 2 verify --winograd on x
err_has "auto or off"
run 2 verify --passes linear,nonsense x
err_has "'linear,nonsense': on, off, or names"
run 2 ops --json=a --help=b
end

begin frame__operands_missing__exit_2
for command in classify diff eval inspect preprocess run verify; do
    run 2 $command
    err_has "Try 'fovea $command --help'"
    out_empty
done
run 2 classify model.onnx
err_has 'which images'
end

begin frame__reader_that_goes_away__is_quiet
"$fovea" ops 2>"$tmp/err" | head -1 >/dev/null
[ -s "$tmp/err" ] && broken "said $(cat "$tmp/err")"
end

if [ -c /dev/full ]; then
    begin frame__full_disk__exit_1_and_says_so
    "$fovea" ops >/dev/full 2>"$tmp/err"
    [ $? = 1 ] || broken "exit status is not 1"
    err_has 'cannot write the results'
    "$fovea" verify "$tmp/nothing" "$root/examples" >/dev/full 2>"$tmp/err"
    [ $? = 1 ] || broken "exit status is not 1"
    end
fi

# ---- ops ---------------------------------------------------------------------------

begin ops__text_and_json__agree
run 0 ops
out_has '^ai.onnx  Conv  *7-'
rows=$(wc -l <"$tmp/out")
run 0 ops --json
json "$tmp/out" "len(d) == $rows" \
    'all({"domain", "type", "since", "until"} == set(r) for r in d)'
end

# ---- preprocess ---------------------------------------------------------------------

ring=$shapes/val/ring/0001.jpg
if [ -f "$ring" ]; then
    begin preprocess__json__has_exactly_the_agreed_keys
    run 0 preprocess --preset imagenet "$ring" --json
    json "$tmp/out" 'set(d[0]) == {"path", "decoded", "resized", "cropped", "error"}' \
        'd[0]["cropped"]["size"] == [224, 224] and len(d[0]["cropped"]["sha256"]) == 64'
    run 0 preprocess --preset imagenet --json "$tmp/pixels.json" "$ring"
    json "$tmp/pixels.json" 'd[0]["error"] is None'
    end

    begin preprocess__tensorflow__has_stages_of_floats
    run 0 preprocess --preset deepmind --size 48 "$ring" --json
    err_has 'margin 32 (preset), filter bicubic (preset), .*resampler tensorflow (preset), pixels'
    json "$tmp/out" 'd[0]["resized"]["size"] == [80, 80] and d[0]["cropped"]["size"] == [48, 48]'
    run 0 preprocess --preset deepmind --size 48 "$ring" -o "$tmp/floats" --write npy
    run 1 preprocess --preset deepmind --size 48 "$ring" -o "$tmp/floats"
    err_has 'write npy'
    run 1 preprocess --preset deepmind --filter lanczos "$ring"
    err_has 'not one of resampler tensorflow, which has bilinear, bicubic and area'
    end

    begin preprocess__bad_images__are_named_and_exit_3
    run 3 preprocess --json "$tmp/none.jpg" "$ring"
    err_has 'none.jpg: .*No such file'
    json "$tmp/out" '"No such file" in d[0]["error"] and d[1]["error"] is None'
    run 3 preprocess --json "$tmp/$(printf 'n\344me')"
    json "$tmp/out" 'd[0]["path"].endswith("/n\\xe4me")'
    end

    begin preprocess__against__tells_equal_from_different
    run 0 preprocess --size 64 -o "$tmp/ppm" "$ring"
    run 0 preprocess --size 64 --against "$tmp/ppm/0001.ppm" "$ring"
    out_has 'cropped: 0 of 4096 pixels differ'
    run 1 preprocess --size 64 --filter box --against "$tmp/ppm/0001.ppm" "$ring"
    run 1 preprocess --against "$tmp/none.ppm" "$ring"
    err_has 'No such file'
    run 1 preprocess --size 63 --against "$tmp/ppm/0001.ppm" "$ring"
    err_has '63x63 pixels; the file to compare has 64x64'
    run 1 preprocess --against "$ring" "$ring"
    err_has 'neither a PNG nor a binary PPM'
    end

    begin preprocess__png__has_the_pixels
    run 0 preprocess --size 64 -o "$tmp/png" --write png --json "$ring"
    for try in python3 /usr/bin/python3; do # Pillow is Debian's, where another Python may be first
        if $try -c 'import PIL' 2>/dev/null; then
            $try -c 'import hashlib, json, sys; from PIL import Image
image = Image.open(sys.argv[1])
assert image.mode == "RGB" and image.size == (64, 64)
said = json.load(open(sys.argv[2]))[0]["cropped"]["sha256"]
assert hashlib.sha256(image.tobytes()).hexdigest() == said
image.save(sys.argv[1], optimize=True)
image.convert("RGBA").save(sys.argv[3])' "$tmp/png/0001.png" "$tmp/out" "$tmp/alpha.png" || broken "Pillow reads others"
            run 1 preprocess --size 64 --against "$tmp/alpha.png" "$ring"
            err_has 'a PNG with alpha'
            break
        fi
    done
    run 0 preprocess --size 64 --against "$tmp/png/0001.png" "$ring"
    out_has 'cropped: 0 of 4096 pixels differ'
    run 1 preprocess --size 64 --filter box --against "$tmp/png/0001.png" "$ring"
    head -c 300 "$tmp/png/0001.png" >"$tmp/cut.png"
    run 1 preprocess --size 64 --against "$tmp/cut.png" "$ring"
    err_has 'cut.png: a PNG that cannot be read: '
    end

    begin preprocess__bad_values__exit_2_and_say_what_is_wrong
    run 2 preprocess --size 0 "$ring"
    err_has "--size: '0': sides must be in 1.."
    run 2 preprocess --stage shown "$ring"
    err_has "--stage: 'shown': must be decoded, resized or cropped"
    run 2 preprocess --crop-pct 0.9 --margin 3 "$ring"
    err_has '--margin: it excludes --crop-pct, which is given'
    run 2 preprocess --margin 3 --crop-pct 0.9 "$ring"
    err_has '--crop-pct: it excludes --margin'
    run 1 preprocess --preset deepmind --resize-order vertical "$ring"
    err_has '^fovea preprocess: --resize-order is for resampler pillow'
    run 2 preprocess --write npy "$ring"
    err_has '--write needs -o DIR'
    run 2 preprocess --preset timm --recipe r.json "$ring"
    err_has 'exclude each other'
    run 2 preprocess -o "$tmp/ppm" "$ring" elsewhere/0001.jpeg
    err_has 'would be written to one file'
    out_empty
    end
else
    skip preprocess "examples/shapes has no images"
fi

# ---- verify ------------------------------------------------------------------------

begin verify__no_such_folder__exit_1_and_an_error
run 1 verify "$tmp/nothing"
out_has '^error  *nothing .*there is no folder'
out_has '^0 passed, 1 failed, 0 unsupported$'
end

begin verify__not_a_model__exit_1_and_an_error
mkdir -p "$tmp/bad/test_data_set_0"
echo "not a model" >"$tmp/bad/model.onnx"
run 1 verify "$tmp/bad/" --json
json "$tmp/out" 'd["cases"][0]["name"] == "bad" and d["cases"][0]["status"] == "error"' \
    'd["cases"][0]["message"] != ""'
end

if [ -d "$nodes" ]; then
    begin verify__node_tests__pass_and_say_how_far
    run 0 verify "$nodes/test_relu" "$nodes/test_softmax_example" --threads 1
    out_has '^passed  *test_relu  max_abs 0  rel_l2 0$'
    out_has '^2 passed, 0 failed, 0 unsupported$'
    end

    begin verify__precision__says_what_auto_and_bf16_come_to
    export ONEDNN_MAX_CPU_ISA=AVX2
    run 0 verify --precision auto "$nodes/test_relu"
    err_has 'precision auto: f32, for this CPU has no bf16 instructions'
    run 0 verify --precision bf16 "$nodes/test_conv_with_strides_padding"
    err_has 'precision bf16: this CPU has no bf16 instructions; f32 arithmetic'
    unset ONEDNN_MAX_CPU_ISA
    run 0 verify --precision auto "$nodes/test_relu"
    err_has 'precision auto: '
    run 0 verify "$nodes/test_relu"
    [ ! -s "$tmp/err" ] || broken "f32 says something"
    end

    begin verify__json__has_exactly_the_agreed_keys
    run 0 verify "$nodes/test_relu" --json
    json "$tmp/out" 'set(d) == {"cases", "passed", "failed", "unsupported"}' \
        'set(d["cases"][0]) == {"name", "status", "max_abs", "rel_l2", "message"}' \
        'd["passed"] == 1 and d["cases"][0]["status"] == "passed"'
    end

    begin verify__json_to_file__keeps_text_on_stdout
    run 0 verify --json "$tmp/v.json" "$nodes/test_relu"
    out_has '^1 passed'
    json "$tmp/v.json" 'd["passed"] == 1'
    run 0 verify "--json=$tmp/v2.json" "$nodes/test_relu"
    json "$tmp/v2.json" 'd["passed"] == 1'
    [ "$(ls "$tmp" | grep -c 'v.json')" = 1 ] || broken "a temporary file was left"
    end

    begin verify__operator_that_is_not_there__unsupported
    run 1 verify "$nodes/test_scan9_sum"
    out_has '^unsupported test_scan9_sum .*Scan'
    out_has '^0 passed, 0 failed, 1 unsupported$'
    end

    begin verify__wrong_expectation__failed_with_the_place
    cp -r "$nodes/test_relu" "$tmp/relu"
    cp "$tmp/relu/test_data_set_0/input_0.pb" "$tmp/relu/test_data_set_0/output_0.pb"
    run 1 verify "$tmp/relu"
    out_has '^failed  *relu  max_abs .*elements differ, worst at \['
    end

    begin verify__tolerance__is_heeded
    run 0 verify --atol 100 "$tmp/relu"
    run 1 verify --atol 0 --rtol 0 "$tmp/relu"
    run 2 verify --atol -1 "$tmp/relu"
    end

    begin verify__list__takes_names_and_comments
    printf '# two cases\ntest_relu\n\n  test_abs  # the second\n' >"$tmp/list"
    run 0 verify --list "$tmp/list" --root "$nodes"
    out_has '^2 passed'
    run 1 verify --list "$tmp/no-such-list"
    err_has 'No such file'
    end

    # ---- run -----------------------------------------------------------------------

    relu=$nodes/test_relu
    begin run__npy_and_pb__agree_with_the_stored_output
    run 0 run "$relu/model.onnx" --input "$relu/test_data_set_0/input_0.pb" -o "$tmp/y.pb"
    out_has '^y  f32\[3,4,5\]  min 0 '
    cp -r "$relu" "$tmp/again"
    cp "$tmp/y.pb" "$tmp/again/test_data_set_0/output_0.pb"
    run 0 verify --atol 0 --rtol 0 "$tmp/again"
    run 0 run "$relu/model.onnx" --input "x=$relu/test_data_set_0/input_0.pb" -o "$tmp/results"
    cp "$relu/test_data_set_0/input_0.pb" "$tmp/a=b.pb"
    run 0 run "$relu/model.onnx" --input "$tmp/a=b.pb"
    run 0 run "$relu/model.onnx" --input "x=$tmp/a=b.pb"
    run 0 run "$relu/model.onnx" "$tmp/results/output_0.npy" --output "$tmp/y2.pb" --json
    json "$tmp/out" 'd["outputs"][0]["shape"] == [3, 4, 5] and d["outputs"][0]["min"] == 0' \
        'd["outputs"][0]["path"].endswith("y2.pb")'
    cmp -s "$tmp/y.pb" "$tmp/y2.pb" || broken "relu of relu is not relu"
    end

    begin run__wrong_inputs__exit_1_and_say_why
    run 1 run "$relu/model.onnx"
    err_has 'the model has 1 inputs, but 0 were given'
    run 1 run "$relu/model.onnx" --input "no=$relu/test_data_set_0/input_0.pb"
    err_has "^fovea run: 'no=.*' is no file, nor begins with an input of the model and '='"
    run 1 run "$relu/model.onnx" --input "$tmp/list"
    err_has 'ends neither in .pb nor in .npy'
    run 1 run "$tmp/nothing.onnx"
    err_has 'No such file'
    run 1 run "$relu/model.onnx" "$nodes/test_softmax_example/test_data_set_0/input_0.pb"
    err_has "input 'x'"
    end
else
    skip verify__run "libonnx-testdata is not installed"
fi

. "$root/tests/cli_compare.sh"

cli_done
