#!/bin/sh
# test_cli_eval.sh FOVEA SOURCE_ROOT: evaluations of a few images: counts, files,
# however the work is divided and the dataset stored. Closes on "N passed, N failed, N skipped".
set -u
fovea=$1
root=$2
shared=$root/../shared
. "$(dirname "$0")/cli_checks.sh"
. "$root/tests/cli_datasets.sh"

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

echo "not a JPEG" >"$tmp/fake.jpg"

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
json "$tmp/out" 'len(d["variants"]) == 4 and d["failed"] == 0 and d["listed"] == d["scored"]' \
    'len(set(v["recipe_sha256"] for v in d["variants"])) == 4' \
    '[v["top1_count"] for v in d["variants"] if v["recipe_sha256"] == d["recipe"]["sha256"]] != []'
run 2 eval "$model" "$small" $one --sweep bicubic,large
err_has "^fovea eval: --sweep: 'large' is no filter, no resize mode and no crop_pct"
run 2 eval "$model" "$small" $one --sweep ''
run 2 eval "$model" "$small" $one --sweep $(seq -s, 0.5 0.01 0.65)
err_has 'sweep: there are more than 15 values of crop_pct'
mkdir -p "$tmp/bad/$(basename "$first")"
cp "$tmp/fake.jpg" "$tmp/bad/$(basename "$first")"
run 3 eval "$model" "$tmp/bad" $one --sweep bilinear
out_has '^no images are scored, of 1 listed$'
run 3 eval "$model" "$tmp/bad" $one --sweep bilinear --json
json "$tmp/out" '[d[k] for k in ("listed", "ok", "failed", "missing", "scored", "partial")] == [1, 0, 1, 0, 0, False]' \
    'all(v["top1"] is None and v["top5"] is None for v in d["variants"])' \
    'len(d["model_sha256"]) == 64 and d["precision"] == "f32"'
run 2 eval "$model" "$small" --sweep all --output "$tmp/swept"
end

begin eval__broken_and_missing_images__are_counted_and_exit_3
cp "$tmp/fake.jpg" "$first/zz,fake.jpg"
ln -s "$tmp/gone" "$first/zzz.JPEG"
echo text >"$first/notes.txt"
run 3 eval "$model" "$small" $one --predictions "$tmp/p.csv" --json
json "$tmp/out" '[d[k] for k in ("listed", "ok", "failed", "missing")] == [8, 6, 1, 1]' \
    'len(d["failures"]) == 2 and all(f["reason"] for f in d["failures"])' \
    'abs(d["top1_of_listed"] * 8 - d["top1"] * 6) < 1e-9'
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
err_has "numeric: '10' stands for class 10, but the model has 10 classes"
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

cli_done
