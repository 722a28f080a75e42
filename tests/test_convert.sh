#!/bin/sh
# test_convert.sh FOVEA SOURCE_ROOT: checkpoints of ../shared to ONNX, folded and not:
# the reference logits again, and the same bits as the checkpoint itself gives; names
# of architectures; other sizes against position embeddings that PyTorch resampled.
set -u
fovea=$1
here=$2/tests/checkpoints
cases=$2/../shared/checkpoints
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0

# check NAME STATUS: whether the last step went as it should
check() {
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $1"
        sed 's/^/    /' "$tmp/out"
    fi
}

# bits MODEL INPUT NAME: the model's output for a tensor file goes to $tmp/NAME.npy
bits() {
    "$fovea" run "$1" -i "$2" -o "$tmp/$3.npy" >"$tmp/out" 2>&1
}

# ---- checkpoints with reference logits ------------------------------------------

if [ -d "$cases" ]; then
    for folder in "$cases"/*; do
        name=${folder##*/}
        input=$folder/test_data_set_0/input_0.pb
        bits "$folder" "$input" checkpoint
        for fold in '' --no-fold; do
            case=$tmp/cases/$name$fold
            mkdir -p "$case"
            cp -R "$folder/test_data_set_0" "$case/"
            # shellcheck disable=SC2086 # one option or none
            "$fovea" convert $fold "$folder" -o "$case/model.onnx" >"$tmp/out" 2>&1
            check "convert $fold $name" $?
            "$fovea" verify "$case" >"$tmp/out" 2>&1
            awk '/^passed/ { for (i = 1; i < NF; i++) if ($i == "rel_l2" && $(i + 1) <= 1e-5) ok = 1 }
                 END { exit !ok }' "$tmp/out"
            check "convert $fold $name: the reference logits" $?
            bits "$case/model.onnx" "$input" converted
            cmp "$tmp/checkpoint.npy" "$tmp/converted.npy" >"$tmp/out" 2>&1
            check "convert $fold $name: the same bits" $?
        done
    done
else
    echo "skipped: $cases is not there"
    skipped=$((skipped + 1))
fi

# ---- names, and what goes wrong ---------------------------------------------------

"$fovea" convert arch:vit-s/16@32 -o "$tmp/s.onnx" --json >"$tmp/out" 2>&1
check "convert arch:vit-s/16@32" $?
"$fovea" inspect "$tmp/s.onnx" --json >"$tmp/out" 2>&1
check "what was made up is ONNX" $?
# 32 / 246 has more digits than a text of nine: the recipe has to stay the same to the last.
echo '{"do_resize": true, "size": {"shortest_edge": 246}, "do_center_crop": true, "resample": 3,
    "crop_size": {"height": 32, "width": 32}, "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.26862954, 0.26130258, 0.27577711]}' >"$tmp/preprocessor_config.json"
mkdir "$tmp/again"
"$fovea" convert "$tmp/s.onnx" -o "$tmp/again/s.onnx" >"$tmp/out" 2>&1
for model in "$tmp/s.onnx" "$tmp/again/s.onnx"; do
    "$fovea" inspect "$model" | sed -n 's/.*sha256 //p'
done | uniq | wc -l | grep -qx '1'
check "convert: the recipe is the same, to the last digit" $?
rm "$tmp/preprocessor_config.json"

"$fovea" convert "$tmp/s.onnx" -o "$tmp/no/where.onnx" >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q 'no/where.onnx: cannot open its folder' "$tmp/out"
check "a folder that is not there" $?
"$fovea" convert "$tmp/s.onnx" >"$tmp/out" 2>&1
[ $? = 2 ] && grep -q 'where to' "$tmp/out"
check "no -o" $?

# ---- another size ------------------------------------------------------------------

for python in python3 /usr/bin/python3 none; do
    "$python" -c 'import numpy, torch' 2>/dev/null && break
done
if [ "$python" = none ] || [ ! -d "$cases" ]; then
    echo "skipped: sizes need a python3 with torch, and $cases"
    skipped=$((skipped + 1))
else
    for rule in timm hf big-vision timm-npz; do
        "$python" -B "$here/resample.py" "$cases/vit_cls_timm_safetensors" "$tmp/$rule" 10 $rule \
            >"$tmp/out" 2>&1 || { cat "$tmp/out"; exit 1; }
        "$fovea" convert "$tmp/$rule" -o "$tmp/theirs.onnx" >"$tmp/out" 2>&1
        bits "$tmp/theirs.onnx" "$tmp/$rule/input.npy" theirs
        "$fovea" convert "$cases/vit_cls_timm_safetensors" --size 160 --positions $rule \
            -o "$tmp/ours.onnx" >"$tmp/out" 2>&1
        check "convert --size 160 --positions $rule" $?
        bits "$tmp/ours.onnx" "$tmp/$rule/input.npy" ours
        "$python" -c 'import numpy, sys
a, b = (numpy.load(p) for p in sys.argv[1:])
sys.exit(0 if a.shape == b.shape and
         numpy.linalg.norm(a - b) <= 1e-5 * numpy.linalg.norm(a) else 1)' \
            "$tmp/theirs.npy" "$tmp/ours.npy" >"$tmp/out" 2>&1
        check "size 160 by $rule: as with PyTorch's position embeddings" $?
    done
    "$fovea" inspect "$cases/vit_cls_timm_safetensors" --size 160 >"$tmp/out" 2>&1
    grep -q 'positions of 6x6 resampled as timm does' "$tmp/out"
    check "the rule is said" $?
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
