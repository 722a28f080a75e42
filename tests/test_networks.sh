#!/bin/sh
# test_networks.sh FOVEA SOURCE_ROOT: checkpoints of many code bases, written on
# the spot, against PyTorch's results, with passes on and off; and what fovea
# says of those that do not fit. Needs a python3 with torch and onnx for the first.
set -u
fovea=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

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

# ---- names -----------------------------------------------------------------

# Parameters with 1000 classes, and billions of multiply-adds: architectures' published counts where
# there are any (NFNet), else the formulas of the papers' layers.
while read -r name parameters gmacs; do
    "$fovea" inspect --max-memory 100G --json "arch:$name" >"$tmp/out" 2>"$tmp/err"
    tr -d ' \n' <"$tmp/out" | grep -q "\"parameters\":$parameters,"
    check "parameters of $name are $parameters" $?
    macs=$(tr -d ' \n' <"$tmp/out" | sed 's/.*"macs":\([0-9]*\).*/\1/')
    echo "$macs $gmacs" | awk '{ exit !(sprintf("%.2f", $1 / 1e9) == $2) }'
    check "multiply-adds of $name are $gmacs G, not $macs" $?
done <<'LIST'
nfnet-f0 71489284 12.38
nfnet-f1 132634256 35.54
nfnet-f2 193779228 62.59
nfnet-f3 254924200 114.76
nfnet-f4 316069172 215.24
nfnet-f5 377214144 289.76
nfnet-f6 438359116 377.28
nfnet-f7 499504088 478.78
nfnet-f0@480 71489284 43.48
nfnet-f3+@480 423421992 236.91
nfnet-f3+:b@480 425082408 260.80
nfnet-f4+@512 524954484 333.39
nfnet-f4+:b@512 527033076 367.41
nfnet-f7+@480 829551960 461.44
nfnet-f7+:b@480 832885080 509.39
vit-b/16@224 93653224 17.71
vit-g/14@224 1037857384 267.00
vit-G/14@224 1882797416 483.28
sovit-400m/14@224 428833704 110.18
LIST

"$fovea" inspect arch:nfnet-f9 >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q "'nfnet-f9' is no architecture; known: nfnet-f0" "$tmp/out"
check "a name that is none lists those that are" $?
"$fovea" inspect arch:vit-b/16:b >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q "'b' is no variant of vit-b/16; map, gap and token are" "$tmp/out"
check "a variant that is none lists those that are" $?
for option in '--heads 16' '--gelu erf' '--head-type token+gap'; do
    # shellcheck disable=SC2086
    "$fovea" inspect arch:vit-b/16 $option >"$tmp/out" 2>&1
    case $option in
    *heads*) words='16 heads of 48' ;;
    *gelu*) words='GELU by erf' ;;
    *) words='head on the class token and the mean of the others' ;;
    esac
    grep -q "$words" "$tmp/out"
    check "a network by name takes $option" $?
done
for option in '--ws-eps dm' '--heads 5' '--positions hf' '--head-type mean'; do
    # shellcheck disable=SC2086
    "$fovea" inspect arch:vit-b/16 $option >"$tmp/out" 2>&1
    [ $? = 1 ] && grep -qE "for NFNets|divided into 5|for checkpoints|'mean' is none of" "$tmp/out"
    check "a ViT by name refuses $option" $?
done
"$fovea" inspect arch:nfnet-f0 --head-type gap >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q 'head-type is for ViTs, and this network is an NFNet' "$tmp/out"
check "an NFNet has no head to choose" $?
"$fovea" inspect arch:nfnet-f0+:b >"$tmp/out" 2>&1
grep -q 'bottlenecks 192-384-1024-1024 in groups of 192-128-128-128;' "$tmp/out"
check "groups are said stage by stage where they differ" $?
"$fovea" inspect arch:vit-b/16@12 >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q "12 pixels are less than a patch, 16" "$tmp/out"
check "a size below a patch is refused" $?

# ---- checkpoints --------------------------------------------------------------

for python in python3 /usr/bin/python3 none; do
    "$python" -c 'import onnx, torch' 2>/dev/null && break
done
if [ "$python" = none ]; then
    echo "skipped: there is no python3 with torch and onnx"
    echo "$passed passed, $failed failed, 1 skipped"
    [ "$failed" = 0 ]
    exit
fi
PYTHONDONTWRITEBYTECODE=1 "$python" "$2/tests/checkpoints/make_networks.py" "$tmp/cases" \
    >"$tmp/out" 2>&1 || { cat "$tmp/out"; exit 1; }
for passes in on off; do
    for case in "$tmp"/cases/*; do
        "$fovea" verify --atol 1e-5 --rtol 1e-4 --passes "$passes" "$case" >"$tmp/out" 2>&1
        check "passes $passes: $(basename "$case")" $?
    done
done

case=$tmp/cases/timm_dm_nfnet
for option in '--ws-eps dm' '--gelu tanh'; do
    # shellcheck disable=SC2086
    "$fovea" verify --atol 1e-5 --rtol 1e-4 $option "$case" >"$tmp/out" 2>&1
    [ $? = 1 ] && grep -q '^failed' "$tmp/out"
    check "$option changes the logits" $?
done
"$fovea" verify --gelu cube "$case" >"$tmp/out" 2>&1
grep -q "gelu 'cube' is none of tanh, erf" "$tmp/out"
check "an option's word that is none lists those that are" $?

case=$tmp/cases/timm_token
"$fovea" inspect --heads 3 "$case" >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q '128 features cannot be divided into 3 heads' "$tmp/out"
check "heads that do not divide the width are refused" $?
"$fovea" inspect --positions bilinear "$case" >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q "positions 'bilinear' is none of big-vision, timm, timm-npz, hf" "$tmp/out"
check "a rule that is none names the option" $?
"$fovea" inspect --ws-eps dm "$case" >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q 'ws-eps is for NFNets, and this network is a ViT' "$tmp/out"
check "an option of the other family is refused" $?
"$fovea" inspect --size 96x128 "$case" >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q 'square inputs, not for 96x128' "$tmp/out"
check "positions are not resampled to oblongs, and inspect says so" $?
"$fovea" inspect "$case" >"$tmp/out" 2>&1
grep -q '4x4 tokens; head on the class token;' "$tmp/out"
check "what the head is on is said once" $?
"$fovea" inspect "$tmp/cases/timm_so400m_heads" >"$tmp/out" 2>&1
grep -q '16 heads of 72' "$tmp/out"
check "published widths tell their heads" $?
for size in '' '--size 112'; do
    # shellcheck disable=SC2086
    "$fovea" inspect "$tmp/cases/big_vision_sincos" $size >"$tmp/out" 2>&1
    grep -qE "(7x7|3x3) tokens \(positions by sines and cosines\)" "$tmp/out"
    check "a checkpoint without positions has sines and cosines ($size)" $?
done
cp -r "$tmp/cases/hf_dinov2" "$tmp/dinov2"
echo '{"crop_size": {"height": 28, "width": 28}, "size": {"shortest_edge": 32}, "resample": 3,
"image_processor_type": "BitImageProcessor", "do_center_crop": true, "do_resize": true,
"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}' \
    >"$tmp/dinov2/preprocessor_config.json"
"$fovea" inspect "$tmp/dinov2" >"$tmp/out" 2>&1
grep -q 'note: .* says 28x28, and the checkpoint is for 56x56' "$tmp/out"
check "a size of images that is not the checkpoint's is said" $?
"$fovea" inspect "$tmp/dinov2" --size 28 >"$tmp/out" 2>&1
! grep -q 'note:' "$tmp/out" && grep -q '2x2 tokens (positions of 4x4 resampled as hf does)' "$tmp/out"
check "asked for, it is taken" $?

# ---- compiled ------------------------------------------------------------------------

# compiled WHAT ... : verify the compiled file with options; it was used if nothing is noted
cp -r "$tmp/cases/timm_token" "$tmp/original"
echo '{}' >"$tmp/original/config.json"
"$fovea" compile "$tmp/original" --batch 2 --threads 1 -o "$tmp/original/model.fovea" >"$tmp/out" 2>&1
check "a checkpoint can be compiled" $?
compiled() {
    mkdir -p "$tmp/compiled"
    cp -r "$tmp/original/test_data_set_0" "$tmp/compiled/"
    cp "$tmp/original/model.fovea" "$tmp/compiled/"
    "$fovea" verify --atol 1e-5 --rtol 1e-4 --threads 1 "$@" "$tmp/compiled" >"$tmp/out" 2>&1
}
compiled && ! grep -q 'note:' "$tmp/out"
check "its compiled file gives the reference logits, and is used" $?
compiled --gelu tanh
[ $? = 1 ] && grep -q '^failed' "$tmp/out" && grep -q 'gelu tanh is asked for; .* planned anew' "$tmp/out"
check "another option than it was compiled with plans the checkpoint anew" $?
size=$("$fovea" inspect "$tmp/original" 2>/dev/null | sed -n 's/^input .*,\([0-9]*\)\]$/\1/p')
"$fovea" inspect "$tmp/original/model.fovea" --size "$((size * 2))" >"$tmp/out" 2>&1 &&
    grep -q "size $((size * 2)) is asked for; .* planned anew" "$tmp/out" &&
    grep -q 'resampled as timm does' "$tmp/out"
check "another size resamples the checkpoint's positions" $?
"$fovea" inspect "$tmp/original/model.fovea" --size "$size" >"$tmp/out" 2>&1 &&
    ! grep -q 'planned anew' "$tmp/out"
check "the size it has is no other" $?
rm "$tmp/original/config.json"
"$fovea" compile "$tmp/original" --heads 2 --threads 1 -o "$tmp/original/bare.fovea" >"$tmp/out" 2>&1
"$fovea" inspect "$tmp/original/bare.fovea" >"$tmp/out" 2>&1
check "a checkpoint without configuration can be compiled" $?
echo '{"architecture": ""}' >"$tmp/original/config.json"
"$fovea" inspect "$tmp/original/bare.fovea" >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q 'has got a config.json since' "$tmp/out"
check "a configuration that it has got since is noticed" $?
"$fovea" inspect "$tmp/original/model.fovea" >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q 'config.json: has changed since this was compiled from it' "$tmp/out"
check "a configuration that has changed is noticed" $?
"$fovea" compile arch:vit-ti/16 -o "$tmp/made_up.fovea" >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q 'its weights are made up' "$tmp/out"
check "made-up weights are not compiled" $?
mkdir -m 700 "$tmp/cache"
for gelu in erf erf tanh; do
    "$fovea" verify --cache "$tmp/cache" --gelu "$gelu" --threads 1 "$tmp/cases/timm_token" >"$tmp/out" 2>&1
    find "$tmp/cache" -name '*.fovea' | wc -l >>"$tmp/counts"
done
[ "$(tr -d ' ' <"$tmp/counts" | tr '\n' ' ')" = "1 1 2 " ]
check "the cache keeps a checkpoint by what it was taken for" $?

"$python" - "$tmp/cases/timm_token/model.safetensors" "$tmp/misfit.safetensors" <<'PYTHON'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
n = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + n])
header["blocks.0.extra.weight"] = header.pop("blocks.1.norm2.bias")
header["norm.weight"]["shape"] = [2, 64]
text = json.dumps(header).encode()
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + data[8 + n:])
PYTHON
"$fovea" inspect "$tmp/misfit.safetensors" >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q '^missing: blocks.1.norm2.bias \[128\]' "$tmp/out" &&
    grep -q '^misshapen: norm.weight is f32 \[2,64\]; \[128\] expected' "$tmp/out" &&
    grep -q '^unexpected: blocks.0.extra.weight \[128\]' "$tmp/out" &&
    grep -q '1 tensors are missing, 1 misshapen, 1 unexpected' "$tmp/out"
check "a checkpoint that does not fit is told tensor by tensor" $?

# rename FILE OLD NEW: the same tensors, with NEW for OLD in their names
rename() {
    "$python" - "$tmp/cases/timm_token/model.safetensors" "$@" <<'PYTHON'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
n = struct.unpack("<Q", data[:8])[0]
header = {k.replace(sys.argv[3], sys.argv[4]): v for k, v in json.loads(data[8:8 + n]).items()}
text = json.dumps(header).encode()
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + data[8 + n:])
PYTHON
}
rename "$tmp/renamed.safetensors" blocks.0.attn.qkv blocks.0.attn.in
"$fovea" inspect "$tmp/renamed.safetensors" >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q "nearest is timm ViT, as in which 32 of its 32 tensors are named, but 'blocks.0.attn.qkv.weight' is missing" "$tmp/out" &&
    grep -q 'torch.onnx.export' "$tmp/out"
check "a checkpoint of no known architecture is told the nearest" $?
rename "$tmp/renamed.safetensors" . ..
"$fovea" inspect "$tmp/renamed.safetensors" >"$tmp/out" 2>&1
[ $? = 1 ] && grep -q "'blocks..0..attn..proj..bias', are neither an NFNet's nor a ViT's in the names of timm" "$tmp/out" &&
    grep -q 'torch.onnx.export' "$tmp/out"
check "or that there is none, and what to do" $?
rename "$tmp/renamed.safetensors" blocks.1.norm1 blocks.1.first
"$fovea" inspect "$tmp/renamed.safetensors" >"$tmp/out" 2>&1
grep -q '2 tensors are missing, 0 misshapen, 2 unexpected' "$tmp/out"
check "a block without its first tensor is still a block" $?
"$fovea" convert "$tmp/cases/timm_token" -o "$tmp/token.onnx" >"$tmp/out" 2>&1 &&
    "$fovea" inspect "$tmp/token.onnx" --gelu tanh >"$tmp/out" 2>&1 &&
    grep -q 'note: --gelu is for checkpoints and has no effect' "$tmp/out"
check "an option of checkpoints is said to have no effect on ONNX" $?

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
