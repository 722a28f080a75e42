#!/bin/sh
# test_cli.sh FOVEA SOURCE_ROOT: the command as a user meets it: exit codes,
# messages, help, JSON keys, and whole evaluations against references made with
# Pillow and PyTorch. Closes on "N passed, N failed, N skipped".
set -u
fovea=$1
root=$2
shared=$root/../shared
shapes=$root/examples/shapes
nodes=/usr/share/libonnx-testdata/data/node
. "$(dirname "$0")/cli_checks.sh"

. "$root/tests/cli_datasets.sh"
. "$root/tests/cli_diff.sh"

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
    end
fi

# ---- ops ---------------------------------------------------------------------------

begin ops__text_and_json__agree
run 0 ops
out_has '^ai.onnx  Conv  *7-'
rows=$(wc -l <"$tmp/out")
run 0 ops --json
json "$tmp/out" "len(d) == $rows"
json "$tmp/out" 'all({"domain", "type", "since", "until"} == set(r) for r in d)'
end

# ---- preprocess ---------------------------------------------------------------------

ring=$shapes/val/ring/0001.jpg
if [ -f "$ring" ]; then
    begin preprocess__json__has_exactly_the_agreed_keys
    run 0 preprocess --preset imagenet "$ring" --json
    json "$tmp/out" 'set(d[0]) == {"path", "decoded", "resized", "cropped", "error"}'
    json "$tmp/out" 'd[0]["cropped"]["size"] == [224, 224] and len(d[0]["cropped"]["sha256"]) == 64'
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
    end

    begin preprocess__against__tells_equal_from_different
    run 0 preprocess --size 64 -o "$tmp/ppm" "$ring"
    run 0 preprocess --size 64 --against "$tmp/ppm/0001.ppm" "$ring"
    out_has 'cropped: 0 of 4096 pixels differ'
    run 1 preprocess --size 64 --filter box --against "$tmp/ppm/0001.ppm" "$ring"
    run 1 preprocess --against "$tmp/none.ppm" "$ring"
    err_has 'No such file'
    end

    begin preprocess__bad_values__exit_2_and_say_what_is_wrong
    run 2 preprocess --size 0 "$ring"
    err_has "--size: '0': sides must be in 1.."
    run 2 preprocess --stage shown "$ring"
    err_has "--stage: 'shown': must be decoded, resized or cropped"
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
json "$tmp/out" 'd["cases"][0]["name"] == "bad" and d["cases"][0]["status"] == "error"'
json "$tmp/out" 'd["cases"][0]["message"] != ""'
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
    json "$tmp/out" 'set(d) == {"cases", "passed", "failed", "unsupported"}'
    json "$tmp/out" 'set(d["cases"][0]) == {"name", "status", "max_abs", "rel_l2", "message"}'
    json "$tmp/out" 'd["passed"] == 1 and d["cases"][0]["status"] == "passed"'
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
    run 0 run "$relu/model.onnx" "$tmp/results/output_0.npy" --output "$tmp/y2.pb" --json
    json "$tmp/out" 'd["outputs"][0]["shape"] == [3, 4, 5] and d["outputs"][0]["min"] == 0'
    json "$tmp/out" 'd["outputs"][0]["path"].endswith("y2.pb")'
    cmp -s "$tmp/y.pb" "$tmp/y2.pb" || broken "relu of relu is not relu"
    end

    begin run__wrong_inputs__exit_1_and_say_why
    run 1 run "$relu/model.onnx"
    err_has 'the model has 1 inputs, but 0 were given'
    run 1 run "$relu/model.onnx" --input "no=$relu/test_data_set_0/input_0.pb"
    err_has "no input 'no'"
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

# ---- a classifier -------------------------------------------------------------------

# classifier_tests MODEL DATASET IMAGE CLASS RECIPE: with whichever there is
classifier_tests() {
    model=$1 data=$2 image=$3 class=$4 recipe=$5
    one="--threads 1 --recipe $recipe"

    begin classify__json__has_exactly_the_agreed_keys
    run 0 classify "$model" "$image" $one --top 3 --json
    json "$tmp/out" 'set(d[0]) == {"path", "predictions", "error"} and d[0]["error"] is None'
    json "$tmp/out" 'len(d[0]["predictions"]) == 3'
    json "$tmp/out" 'all(set(p) == {"class", "label", "score", "logit"} for p in d[0]["predictions"])'
    json "$tmp/out" "d[0]['predictions'][0]['class'] == $class"
    json "$tmp/out" '0 < d[0]["predictions"][0]["score"] <= 1'
    end

    begin classify__bad_images__are_named_and_exit_3
    echo "not a JPEG" >"$tmp/fake.jpg"
    run 3 classify "$model" "$tmp/none.jpg" "$image" "$tmp/fake.jpg" "$data" $one
    err_has 'none.jpg: .*No such file'
    err_has 'fake.jpg: '
    err_has 'is a folder; name the images in it'
    out_has "class $class, logit"
    run 3 classify "$model" "$tmp/none.jpg" $one --json
    json "$tmp/out" 'd[0]["predictions"] == [] and "No such file" in d[0]["error"]'
    end

    begin classify__labels__from_a_file
    for i in 0 1 2 3 4 5 6 7 8 9; do echo "label-$i"; done >"$tmp/labels"
    run 0 classify "$model" "$image" $one --labels "$tmp/labels" --top 1
    out_has "label-$class  (class $class"
    run 1 classify "$model" "$image" $one --labels "$tmp/none"
    err_has 'No such file'
    end

    begin inspect__write_recipe__never_over_a_model
    cp "$model" "$tmp/mine.onnx"
    run 2 inspect --write-recipe "$tmp/mine.onnx"
    run 2 inspect "$model" --write-recipe "$tmp/mine.onnx"
    err_has "--write-recipe takes the file to write, but '.*mine.onnx' is a model's"
    cmp -s "$model" "$tmp/mine.onnx" || broken "the model was overwritten"
    end

    begin inspect__write_recipe__is_found_beside_the_model
    mkdir -p "$tmp/beside"
    cp "$model" "$tmp/beside/net.onnx"
    run 0 inspect "$model" --preset timm --mean 0.25 --write-recipe "$tmp/beside/net.recipe.json"
    json "$tmp/beside/net.recipe.json" 'd["crop_pct"] == 0.875 and d["mean"] == [0.25] * 3'
    json "$tmp/beside/net.recipe.json" 'len(d["sha256"]) == 64 and d["sources"]["mean"] == "flag"'
    run 0 inspect "$tmp/beside/net.onnx"
    out_has 'crop_pct 0.875 (sidecar)'
    out_has 'mean 0.25,0.25,0.25 (sidecar)'
    echo '{"size": "large"}' >"$tmp/beside/net.recipe.json"
    run 1 inspect "$tmp/beside/net.onnx"
    err_has 'net.recipe.json: "size" is a string'
    end

    begin classify__recipe__says_where_it_is_from
    run 0 classify "$model" "$image" $one
    err_has 'recipe: resize squash (recipe file)'
    run 0 classify "$model" "$image" --threads 1 --mean 0.1,0.2,0.3
    err_has 'mean 0.1,0.2,0.3 (flag)'
    run 1 classify "$model" "$image" $one --size 50
    err_has 'fixed height'
    end

    begin bench__json__has_the_agreed_keys
    run 0 bench "$model" --threads 1 --runs 2 --profile --json
    json "$tmp/out" '{"model", "size", "batch", "streams", "threads", "precision", "load_s", "first_s", "ready_at", "first_at", "latency_s", "images_per_s", "gflop_per_image", "gflops", "limit_gflops", "share_of_limit", "limits", "peak_rss_bytes", "plan_bytes", "steps", "steps_s", "wall_s"} == set(d)'
    json "$tmp/out" 'd["latency_s"]["min"] <= d["latency_s"]["median"] <= d["latency_s"]["p90"]'
    json "$tmp/out" '0 < d["share_of_limit"] < 1.5 and len(d["steps"]) > 0'
    json "$tmp/out" '{"f32", "bf16", "int8", "read_gbs", "copy_gbs"} == set(d["limits"])'
    json "$tmp/out" 'd["limits"]["f32"] == d["limit_gflops"] > 0 and d["limits"]["copy_gbs"] > 0'
    run 2 bench
    err_has 'takes one model'
    end

    begin bench__profile__steps_add_up_and_name_their_nodes
    run 0 bench "$model" --threads 1 --runs 2 --profile --json
    json "$tmp/out" 'abs(sum(s["seconds"] for s in d["steps"]) / d["wall_s"] - 1) < 0.02'
    json "$tmp/out" 'abs(d["steps_s"] / d["wall_s"] - 1) < 0.02'
    json "$tmp/out" 'abs(sum(s["gflop"] for s in d["steps"]) / d["gflop_per_image"] / d["batch"] - 1) < 0.1'
    json "$tmp/out" 'any(s["implementation"] for s in d["steps"] if s["type"] == "Conv")'
    json "$tmp/out" 'any(len(s["nodes"]) > 1 for s in d["steps"])'
    json "$tmp/out" 'len(sum((s["nodes"] for s in d["steps"]), [])) == len(set(sum((s["nodes"] for s in d["steps"]), [])))'
    run 0 bench "$model" --threads 1 --runs 2 --profile
    out_has 'ms by the clock'
    run 0 bench "$model" --threads 1 --runs 2 --profile "$tmp/trace.json"
    out_has 'ms by the clock'
    json "$tmp/trace.json" 'len([e for e in d["traceEvents"] if e["name"] == "run"]) == 2'
    json "$tmp/trace.json" 'all(e["ph"] in "XM" for e in d["traceEvents"])'
    json "$tmp/trace.json" 'abs(sum(e["dur"] for e in d["traceEvents"] if e.get("cat") == "step") / sum(e["dur"] for e in d["traceEvents"] if e["name"] == "run") - 1) < 0.02'
    json "$tmp/trace.json" 'all({"nodes", "implementation", "flops", "bytes"} <= set(e["args"]) for e in d["traceEvents"] if e.get("cat") == "step" and e["args"])'
    run 1 bench "$model" --threads 1 --runs 1 --profile="$tmp/none/trace.json"
    err_has 'trace.json'
    end

    begin bench__streams__all_of_them_counted
    run 0 bench "$model" --threads 2 --streams 2 --runs 3 --json
    json "$tmp/out" 'd["streams"] == 2 and d["threads"] == 2 and d["images_per_s"] > 0'
    json "$tmp/out" 'd["latency_s"]["min"] <= d["latency_s"]["median"] <= d["latency_s"]["p90"]'
    run 0 bench "$model" --threads 1 --streams 3 --runs 2
    out_has 'over 6 runs'
    out_has '3 streams, 1 thread'
    run 1 bench "$model" --threads 1 --streams 100 --runs 2 --max-memory 16M
    err_has 'limit'
    run 2 bench "$model" --streams 2 --profile
    err_has 'of one stream'
    end

    begin inspect__json__has_the_agreed_keys
    run 0 inspect "$model" --json
    for key in inputs outputs parameters macs plan_bytes peak_bytes weights_bytes nodes_before \
        nodes_after fusions recipe; do
        json "$tmp/out" "'$key' in d"
    done
    json "$tmp/out" 'd["macs"] > 0 and d["plan_bytes"] > 0 and d["weights_bytes"] > 0'
    json "$tmp/out" 'd["peak_bytes"] > d["plan_bytes"] + d["weights_bytes"]'
    json "$tmp/out" 'd["nodes_after"] <= d["nodes_before"]'
    run 0 inspect "$model" --fusions --plan
    out_has '^   0  '
    out_has "fired   '.*' (Conv): Reorder of the graph's input '.*': this reads it channels-last"
    run 0 inspect "$model" --fusions --json
    json "$tmp/out" 'all({"pass", "fired", "text"} == set(n) for n in d["fusion_log"])'
    json "$tmp/out" 'all(sum(n["fired"] for n in d["fusion_log"] if n["pass"] == p) == c for p, c in d["fusions"].items())'
    end

    begin inspect__max_memory__refused_by_the_prediction
    run 1 inspect "$model" --max-memory 8M
    err_has 'memory would reach [0-9]* bytes'
    err_has 'over the limit of 8388608'
    run 0 inspect "$model" --max-memory 4G
    out_has '^memory '
    end

    begin compile__then_classify__gives_the_same_words
    run 0 compile "$model" -o "$tmp/c.fovea" --threads 1
    out_has 'c.fovea  [0-9.]* MB, [0-9]* steps'
    run 0 classify "$model" "$image" $one
    cp "$tmp/out" "$tmp/plain"
    run 0 classify "$tmp/c.fovea" "$image" $one
    cmp -s "$tmp/out" "$tmp/plain" || broken "the compiled model says something else"
    if grep -q 'planned anew' "$tmp/err"; then broken "the compiled file was not used"; fi
    run 0 inspect "$tmp/c.fovea" --threads 1
    out_has '^compiled  *from .*passes=on.*, 1 thread$'
    run 0 inspect "$tmp/c.fovea" --threads 1 --json
    json "$tmp/out" 'len(d["compiled"]["files"][0]["sha256"]) == 64'
    run 0 bench "$tmp/c.fovea" --threads 1 --runs 1 --json
    json "$tmp/out" 'd["gflop_per_image"] > 0'
    end

    begin compile__bf16__is_run_as_bf16
    run 0 compile "$model" -o "$tmp/h.fovea" --threads 1 --precision bf16
    run 0 bench "$tmp/h.fovea" --runs 1 --threads 1 --json
    json "$tmp/out" 'd["precision"] == "bf16"'
    ! grep -q '^note:' "$tmp/err" || broken "the compiled plan was not used"
    run 0 classify "$tmp/h.fovea" "$image" $one --precision f32
    err_has "^note: .*h.fovea: it was compiled for 'precision=bf16;"
    end

    begin compile__what_does_not_fit__says_so_and_runs
    run 0 classify "$tmp/c.fovea" "$image" $one --passes off
    err_has "^note: .*c.fovea: it was compiled for 'precision=f32;winograd=auto;passes=on', not 'precision=f32;winograd=auto;passes=off'"
    run 1 compile "$tmp/c.fovea" -o "$tmp/d.fovea" --threads 1
    err_has 'is compiled already'
    run 1 compile "$model" -o "$tmp/no/such/folder.fovea"
    err_has 'cannot compile to .*No such file'
    run 2 compile "$model"
    err_has 'Say -o FILE'
    [ ! -e "$tmp/d.fovea" ] || broken "a file was left"
    end

    begin cache__second_run__is_from_the_folder
    cache="$tmp/cache"
    rm -rf "$cache"
    run 0 classify "$model" "$image" $one
    cp "$tmp/out" "$tmp/plain"
    run 0 classify "$model" "$image" $one --cache "$cache"
    cmp -s "$tmp/out" "$tmp/plain" || broken "with an empty cache it says something else"
    entry=$(ls "$cache"/*.fovea)
    [ "$(ls -A "$cache" | wc -l)" = 1 ] || broken "the cache has not one file: $(ls -A "$cache")"
    ls -i "$entry" >"$tmp/before"
    FOVEA_CACHE_DIR=$cache run 0 classify "$model" "$image" $one
    cmp -s "$tmp/out" "$tmp/plain" || broken "from the cache it says something else"
    ls -i "$entry" | cmp -s - "$tmp/before" || broken "the file was written again"
    run 0 inspect "$model" --cache "$cache" --threads 1 --winograd off
    [ "$(ls -A "$cache" | wc -l)" = 1 ] || broken "inspect, which only plans, left a file"
    run 0 classify "$model" "$image" $one --cache "$cache" --passes off
    [ "$(ls -A "$cache" | wc -l)" = 2 ] || broken "other options share a file"
    end

    begin cache__damaged_or_linked_entry__is_made_again
    printf 'x' | dd of="$entry" bs=1 seek=5000 conv=notrunc 2>/dev/null
    run 0 classify "$model" "$image" $one --cache "$cache"
    cmp -s "$tmp/out" "$tmp/plain" || broken "a damaged entry gives another answer"
    ls -i "$entry" | cmp -s - "$tmp/before" && broken "the damaged file was left"
    echo precious >"$tmp/precious"
    ln -sf "$tmp/precious" "$entry"
    run 0 classify "$model" "$image" $one --cache "$cache"
    cmp -s "$tmp/out" "$tmp/plain" || broken "a linked entry gives another answer"
    [ "$(cat "$tmp/precious")" = precious ] || broken "a link out of the folder was followed"
    [ -L "$entry" ] && broken "the link was left"
    end

    begin cache__several_at_once__all_give_the_same
    rm -rf "$cache"
    for i in 1 2 3; do
        "$fovea" classify "$model" "$image" $one --cache "$cache" >"$tmp/out$i" 2>"$tmp/err$i" &
    done
    wait
    for i in 1 2 3; do
        cmp -s "$tmp/out$i" "$tmp/plain" || broken "number $i says something else"
    done
    [ "$(ls -A "$cache" | wc -l)" = 1 ] || broken "the cache has not one file: $(ls -A "$cache")"
    end

    begin cache__folder_of_others__is_not_used
    chmod 777 "$cache"
    rm -f "$cache"/*
    run 0 classify "$model" "$image" $one --cache "$cache"
    err_has 'no cache: .* can be written by others'
    [ -z "$(ls -A "$cache")" ] || broken "something was written"
    end

    # a small dataset: three images of each of two classes, one broken, one not there
    small=$tmp/small
    rm -rf "$small"
    set -- "$data"/*/
    for folder in "$1" "$2"; do
        mkdir -p "$small/$(basename "$folder")"
        for file in $(ls "$folder" | head -3); do
            ln -s "$(cd "$folder" && pwd)/$file" "$small/$(basename "$folder")/$file"
        done
    done
    first=$small/$(basename "$1")
    # only some of the classes: they are told by their names
    ls "$data" >"$tmp/classes"
    one="$one --labels $tmp/classes"

    begin eval__small_dataset__counts_and_exit_0
    run 0 eval "$model" "$small" $one --predictions "$tmp/p.csv" --json "$tmp/e.json"
    out_has '^listed 6 = ok 6 + failed 0 + missing 0$'
    for key in model model_sha256 recipe precision top1 top5 top1_ci95 listed ok failed missing \
        images_per_s seconds; do
        json "$tmp/e.json" "'$key' in d"
    done
    json "$tmp/e.json" 'd["ok"] == 6 and len(d["model_sha256"]) == 64 and d["precision"] == "f32"'
    [ "$(head -1 "$tmp/p.csv")" = "path,label,pred,correct,logit,prob,top5" ] || broken "CSV header"
    [ "$(wc -l <"$tmp/p.csv")" = 7 ] || broken "CSV has $(wc -l <"$tmp/p.csv") lines"
    end

    begin eval__however_the_work_is_divided__same_bytes
    for how in "--threads 1 --workers 1 --batch 1" "--threads 1 --workers 3 --batch 5" \
        "--threads 2" "--threads 2 --streams 1" "--threads 2 --streams auto" "--streams 3"; do
        run 0 eval "$model" "$small" $one --predictions "$tmp/q.csv" $how
        cmp -s "$tmp/q.csv" "$tmp/p.csv" || broken "$how differs"
    done
    run 0 eval "$model" "$small" $one --batch 5
    err_has 'each image is computed by itself; with --exact off, --batch 5'
    run 2 eval "$model" "$small" --exact maybe
    err_has "'maybe' is neither on nor off"
    end

    begin eval__not_exact__changes_rounding_at_most
    cut -d, -f1-4,7 "$tmp/p.csv" >"$tmp/p.short"
    for how in "--streams 1 --batch 1" "--streams 2 --batch 1" "--streams 3 --batch 2" \
        "--streams auto" "--streams auto --batch 2"; do
        run 0 eval "$model" "$small" $one --exact off --threads 2 \
            --predictions "$tmp/q.csv" --json "$tmp/s.json" $how
        cut -d, -f1-4,7 "$tmp/q.csv" | cmp -s - "$tmp/p.short" || broken "$how differs"
        json "$tmp/s.json" 'd["streams"] >= 1 and d["threads"] == 2 and d["ok"] == 6'
        python3 - "$tmp/p.csv" "$tmp/q.csv" <<'EOF' || broken "$how: logits differ"
import csv, sys
a, b = ([float(r["logit"]) for r in csv.DictReader(open(p))] for p in sys.argv[1:])
sys.exit(not all(abs(x - y) <= 1e-4 * max(1, abs(x)) for x, y in zip(a, b, strict=True)))
EOF
    done
    run 2 eval "$model" "$small" --streams 0
    run 2 eval "$model" "$small" --streams 5000
    end

    begin eval__sweep__has_the_recipe_and_every_combination
    run 0 eval "$model" "$small" $one --sweep squash,short,bilinear,0.875
    out_has 'the recipe$'
    out_has '^it is '
    run 0 eval "$model" "$small" $one --json --sweep bilinear,0.875
    json "$tmp/out" 'len(d["variants"]) == 4 and d["failed"] == 0 and d["listed"] == d["scored"]'
    json "$tmp/out" 'len(set(v["recipe_sha256"] for v in d["variants"])) == 4'
    json "$tmp/out" '[v["top1_count"] for v in d["variants"] if v["recipe_sha256"] == d["recipe"]["sha256"]] != []'
    run 1 eval "$model" "$small" $one --sweep bicubic,large
    err_has "'large' is no filter, no resize mode and no crop_pct"
    run 2 eval "$model" "$small" --sweep all --output "$tmp/swept"
    end

    begin eval__broken_and_missing_images__are_counted_and_exit_3
    cp "$tmp/fake.jpg" "$first/zz,fake.jpg"
    ln -s "$tmp/gone" "$first/zzz.JPEG"
    echo text >"$first/notes.txt"
    run 3 eval "$model" "$small" $one --predictions "$tmp/p.csv" --json
    json "$tmp/out" '[d[k] for k in ("listed", "ok", "failed", "missing")] == [8, 6, 1, 1]'
    json "$tmp/out" 'len(d["failures"]) == 2 and all(f["reason"] for f in d["failures"])'
    json "$tmp/out" 'abs(d["top1_of_listed"] * 8 - d["top1"] * 6) < 1e-9'
    err_has 'zz,fake.jpg: '
    err_has 'notes.txt'
    grep -q '^"[^"]*zz,fake.jpg",0,,,,,$' "$tmp/p.csv" || broken "CSV lacks the broken image"
    [ "$(wc -l <"$tmp/p.csv")" = 9 ] || broken "CSV has $(wc -l <"$tmp/p.csv") lines"
    end

    begin eval__no_dataset__exit_1_and_says_why
    run 1 eval "$model" "$tmp/no-such-folder" $one
    err_has 'No such file'
    mkdir -p "$tmp/empty/class"
    run 1 eval "$model" "$tmp/empty" $one
    err_has 'no image'
    run 1 eval "$model" "$small" $one --predictions "$tmp/no/p.csv"
    err_has 'cannot write'
    run 2 eval "$model"
    end

    begin eval__numeric_folders__name_the_class
    mkdir -p "$tmp/numeric/7" "$tmp/numeric/10"
    cp "$image" "$tmp/numeric/7/a.jpg"
    run 1 eval "$model" "$tmp/numeric" $one
    err_has "'10' stands for class 10, but the model has 10 classes"
    rmdir "$tmp/numeric/10"
    run 0 eval "$model" "$tmp/numeric" $one --predictions "$tmp/p.csv"
    grep -q '^7/a.jpg,7,' "$tmp/p.csv" || broken "the label is not 7"
    end

    begin eval__interrupted__partial_result_and_exit_143
    mkdir -p "$tmp/long/0"
    for i in 1 2 3 4 5 6 7 8 9; do
        for j in 0 1 2 3 4 5 6 7 8 9; do
            for k in 0 1 2 3 4 5 6 7 8 9; do ln -s "$image" "$tmp/long/0/$i$j$k.jpg"; done
        done
    done
    "$fovea" eval "$model" "$tmp/long" $one --workers 1 --json "$tmp/part.json" \
        >"$tmp/out" 2>"$tmp/err" &
    job=$!
    while ! grep -q '^900 images' "$tmp/err" && kill -0 $job 2>/dev/null; do sleep 0.05; done
    sleep 0.2
    kill -TERM $job 2>/dev/null
    wait $job
    code=$?
    if [ $code = 143 ]; then
        out_has '^PARTIAL'
        json "$tmp/part.json" 'd["partial"] and d["ok"] + d["not_done"] == d["listed"] == 900'
    elif [ $code != 0 ]; then # a machine may be done with all 900 before it is stopped
        broken "exit $code after SIGTERM"
    fi
    end

    dataset_tests
}

if [ -f "$shared/eval/cifar10/nfnet_cifar.onnx" ]; then
    cifar=$shared/eval/cifar10
    classifier_tests "$cifar/nfnet_cifar.onnx" "$cifar/val" "$cifar/val/airplane/0000.jpg" 8 \
        "$cifar/nfnet_cifar.reference.json"
else
    skip classifiers "../shared/eval/cifar10 is not there"
fi

diff_tests

# ---- whole evaluations against Pillow and PyTorch -------------------------------------

# evaluation NAME: every class as in the reference, logits within 1e-4
evaluation() {
    begin "eval__$1__gives_the_reference_predictions"
    run 0 eval "$2.onnx" "$3" --threads 1 --recipe "$2.reference.json" \
        --predictions "$tmp/full.csv" --logits "$tmp/full.npy" --json "$tmp/full.json"
    cut -d, -f1-3 "$tmp/full.csv" >"$tmp/got"
    cut -d, -f1-3 "$2.reference.csv" | tr -d '\r' >"$tmp/want"
    cmp -s "$tmp/got" "$tmp/want" || broken "predictions differ: $(diff "$tmp/got" "$tmp/want" | head -4)"
    top1=$(sed -n 's/.*"top1_count": *\([0-9]*\).*/\1/p' "$2.reference.json")
    out_has "^top-1 .*($top1 of "
    if [ -n "$python" ]; then
        "$python" - "$tmp/full.npy" "$2.reference.csv" <<'EOF' || broken "logits differ"
import csv, struct, sys
raw = open(sys.argv[1], "rb").read()
start = 10 + struct.unpack("<H", raw[8:10])[0]
got = struct.unpack("<%df" % ((len(raw) - start) // 4), raw[start:])
want = [float(x) for row in list(csv.reader(open(sys.argv[2])))[1:] for x in row[3:]]
worst = max(abs(a - b) for a, b in zip(got, want))
sys.exit(0 if len(got) == len(want) and worst <= 1e-4 else "largest difference %g" % worst)
EOF
    fi
    end
}

for name in nfnet_cifar vit_map_cifar; do
    if [ -f "$shared/eval/cifar10/$name.onnx" ]; then
        evaluation "$name" "$shared/eval/cifar10/$name" "$shared/eval/cifar10/val"
    else
        skip "eval__$name" "../shared/eval/cifar10 is not there"
    fi
done
for model in "$shapes"/*.onnx; do
    if [ -f "$model" ]; then
        evaluation "$(basename "$model" .onnx)" "${model%.onnx}" "$shapes/val"
    fi
done

. "$root/tests/cli_compare.sh"

cli_done
