#!/bin/sh
# test_cli_models.sh FOVEA SOURCE_ROOT: classify, inspect, bench, compile and diff with a
# classifier, and whole evaluations against references made with Pillow and
# PyTorch. Closes on "N passed, N failed, N skipped".
set -u
fovea=$1
root=$2
shared=$root/../shared
shapes=$root/examples/shapes
. "$(dirname "$0")/cli_checks.sh"
. "$root/tests/cli_diff.sh"

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

diff_tests

# ---- one classifier ---------------------------------------------------------------------

cifar=$shared/eval/cifar10
if [ ! -f "$cifar/nfnet_cifar.onnx" ]; then
    skip classifier "../shared/eval/cifar10 is not there"
    cli_done
    exit
fi
model=$cifar/nfnet_cifar.onnx
data=$cifar/val
image=$data/airplane/0000.jpg
class=8
one="--threads 1 --recipe $cifar/nfnet_cifar.reference.json"

begin classify__json__has_exactly_the_agreed_keys
run 0 classify "$model" "$image" $one --top 3 --json
json "$tmp/out" 'set(d[0]) == {"path", "predictions", "error"} and d[0]["error"] is None' \
    'len(d[0]["predictions"]) == 3' \
    'all(set(p) == {"class", "label", "score", "logit"} for p in d[0]["predictions"])' \
    "d[0]['predictions'][0]['class'] == $class" \
    '0 < d[0]["predictions"][0]["score"] <= 1'
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

begin classify__labels_of_another_model__warned_of
printf 'a\nb\n' >"$tmp/two"
run 0 classify "$model" "$image" $one --labels "$tmp/two" --top 1
err_has 'two has names for 2 classes; the model has 10'
end

begin classify__labels__from_a_file
for i in 0 1 2 3 4 5 6 7 8 9; do echo "label-$i"; done >"$tmp/labels"
run 0 classify "$model" "$image" $one --labels "$tmp/labels" --top 1
out_has "label-$class  (class $class"
run 1 classify "$model" "$image" $one --labels "$tmp/none"
err_has 'No such file'
end

begin inspect__write_recipe__never_over_a_model
printf '{\0\0\0\0\0\0\0{"__metadata__":{}}' >"$tmp/mine.safetensors"
for name in mine.onnx mine; do
    cp "$model" "$tmp/$name"
    run 2 inspect --write-recipe "$tmp/$name"
    run 2 inspect "$model" --write-recipe "$tmp/$name"
    err_has "--write-recipe takes the file to write, but '.*/$name' is no recipe"
    cmp -s "$model" "$tmp/$name" || broken "the model was overwritten"
done
run 2 inspect "$model" --write-recipe "$tmp/mine.safetensors"
err_has "is no recipe"
run 0 inspect "$model" --preset timm --write-recipe "$tmp/mine.recipe.json"
run 0 inspect "$model" --preset siglip --write-recipe "$tmp/mine.recipe.json"
end

begin inspect__write_recipe__is_found_beside_the_model
mkdir -p "$tmp/beside"
cp "$model" "$tmp/beside/net.onnx"
run 0 inspect "$model" --preset timm --mean 0.25 --write-recipe "$tmp/beside/net.recipe.json"
json "$tmp/beside/net.recipe.json" 'd["crop_pct"] == 0.875 and d["mean"] == [0.25] * 3' \
    'len(d["sha256"]) == 64 and d["sources"]["mean"] == "flag"'
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
json "$tmp/out" '{"model", "size", "batch", "streams", "threads", "precision", "load_s", "first_s", "ready_at", "first_at", "latency_s", "images_per_s", "gflop_per_image", "gflops", "limit_gflops", "share_of_limit", "limits", "peak_rss_bytes", "plan_bytes", "steps", "steps_s", "wall_s"} == set(d)' \
    'd["latency_s"]["min"] <= d["latency_s"]["median"] <= d["latency_s"]["p90"]' \
    '0 < d["share_of_limit"] < 1.5 and len(d["steps"]) > 0' \
    '{"f32", "bf16", "int8", "read_gbs", "copy_gbs"} == set(d["limits"])' \
    'd["limits"]["f32"] == d["limit_gflops"] > 0 and d["limits"]["copy_gbs"] > 0'
run 2 bench
err_has 'takes one model'
end

begin bench__profile__steps_add_up_and_name_their_nodes
run 0 bench "$model" --threads 1 --runs 2 --profile --json
json "$tmp/out" 'abs(sum(s["seconds"] for s in d["steps"]) / d["wall_s"] - 1) < 0.02' \
    'abs(d["steps_s"] / d["wall_s"] - 1) < 0.02' \
    'abs(sum(s["gflop"] for s in d["steps"]) / d["gflop_per_image"] / d["batch"] - 1) < 0.1' \
    'any(s["implementation"] for s in d["steps"] if s["type"] == "Conv")' \
    'any(len(s["nodes"]) > 1 for s in d["steps"])' \
    'len(sum((s["nodes"] for s in d["steps"]), [])) == len(set(sum((s["nodes"] for s in d["steps"]), [])))'
run 0 bench "$model" --threads 1 --runs 2 --profile
out_has 'ms by the clock'
run 0 bench "$model" --threads 1 --runs 2 --profile "$tmp/trace.json"
out_has 'ms by the clock'
json "$tmp/trace.json" 'len([e for e in d["traceEvents"] if e["name"] == "run"]) == 2' \
    'all(e["ph"] in "XM" for e in d["traceEvents"])' \
    'abs(sum(e["dur"] for e in d["traceEvents"] if e.get("cat") == "step") / sum(e["dur"] for e in d["traceEvents"] if e["name"] == "run") - 1) < 0.02' \
    'all({"nodes", "implementation", "flops", "bytes"} <= set(e["args"]) for e in d["traceEvents"] if e.get("cat") == "step" and e["args"])'
run 1 bench "$model" --threads 1 --runs 1 --profile="$tmp/none/trace.json"
err_has 'trace.json'
end

begin bench__streams__all_of_them_counted
run 0 bench "$model" --threads 2 --streams 2 --runs 3 --json
json "$tmp/out" 'd["streams"] == 2 and d["threads"] == 2 and d["images_per_s"] > 0' \
    'd["latency_s"]["min"] <= d["latency_s"]["median"] <= d["latency_s"]["p90"]'
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
json "$tmp/out" 'd["macs"] > 0 and d["plan_bytes"] > 0 and d["weights_bytes"] > 0' \
    'd["peak_bytes"] > d["plan_bytes"] + d["weights_bytes"]' \
    'd["nodes_after"] <= d["nodes_before"]'
run 0 inspect "$model" --fusions --plan
out_has '^   0  '
out_has "fired   '.*' (Conv): Reorder of the graph's input '.*': this reads it channels-last"
run 0 inspect "$model" --fusions --json
json "$tmp/out" 'all({"pass", "fired", "text"} == set(n) for n in d["fusion_log"])' \
    'all(sum(n["fired"] for n in d["fusion_log"] if n["pass"] == p) == c for p, c in d["fusions"].items())'
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

begin compile_convert__over_the_model_itself__refused
cp "$model" "$tmp/own.onnx"
ln -s own.onnx "$tmp/link.onnx"
for name in own link; do
    for command in compile convert; do
        run 1 $command "$tmp/$name.onnx" -o "$tmp/$name.onnx"
        err_has "$tmp/$name.onnx: that is a file of the model itself"
    done
done
cmp -s "$model" "$tmp/own.onnx" || broken "the model is another"
end

begin threads__far_too_many__exit_2
run 2 classify "$model" "$image" --threads 100000
err_has 'threads: 100000 is over the limit of 1024'
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

cli_done
