# Part of test_cli.sh: evaluations compared, and labels in another order than the model's classes.

begin compare__two_files__figures_by_hand
printf 'path,label,pred\na,0,0\nb,0,0\nc,1,1\nd,1,0\n' >"$tmp/a.csv"
printf 'path,label,pred\nd,1,1\nc,1,0\nb,0,1\na,0,0\ne,0,0\n' >"$tmp/b.csv"
run 0 compare "$tmp/a.csv" "$tmp/b.csv" --flips "$tmp/flips.csv" --json "$tmp/c.json"
out_has '^B less A: -25.00 points'
out_has '^right in both 1, only in A 2, only in B 1, in neither 0$'
out_has '^  1 only in B.s list$'
# exact: 2 * (C(3,2) + C(3,3)) / 8 = 1
json "$tmp/c.json" 'd["p"] == 1 and d["difference"] == -0.25 and d["images"] == 4' \
    'd["not_compared"]["only_in_b"] == 1 and d["failed"] is False'
printf 'path,label,pred_a,pred_b,change\nb,0,0,1,lost\nc,1,1,0,lost\nd,1,0,1,gained\n' |
    cmp -s - "$tmp/flips.csv" || broken "flips: $(cat "$tmp/flips.csv")"
end

begin compare__worse_than_allowed__exit_1
run 1 compare "$tmp/a.csv" "$tmp/b.csv" --fail-if-worse 24.9
out_has '^FAILED: B is worse'
run 0 compare "$tmp/a.csv" "$tmp/b.csv" --fail-if-worse 25
out_has '^passed: B is not worse'
run 0 compare "$tmp/b.csv" "$tmp/a.csv" --fail-if-worse 0
end

begin compare__nothing_in_common__exit_1_and_says_so
printf 'path,correct\nz,1\n' >"$tmp/z.csv"
run 1 compare "$tmp/a.csv" "$tmp/z.csv"
err_has 'no path is in both'
run 1 compare "$tmp/a.csv" "$tmp/none.csv"
err_has 'none.csv'
run 2 compare "$tmp/a.csv"
end

begin compare__not_predictions__exit_1_and_names_the_line
printf 'path,label,pred\na,0\n' >"$tmp/z.csv"
run 1 compare "$tmp/a.csv" "$tmp/z.csv"
err_has 'z.csv: line 2 has 2 fields, the head has 3'
end

# The class folders of the demo under the numbers of other classes, but for names to be matched.
mixed=$tmp/mixed
mkdir "$mixed"
number=9
for folder in "$shapes"/val/*; do
    ln -s "$(cd "$folder" && pwd)" "$mixed/$number"
    number=$((number - 1))
done

begin eval__labels_in_reverse__the_doctor_says_so_and_has_the_map
run 0 eval "$shapes/nfnet_shapes.onnx" "$mixed" --output "$tmp/mixed.out" --json "$tmp/m.json"
out_has '^label doctor: the model has its classes in reverse order'
json "$tmp/m.json" 'd["label_doctor"]["kind"] == "reversed" and d["top1"] < 0.2'
json "$tmp/mixed.out/report.json" 'd["label_doctor"]["top1_with_map"] > 0.9'
run 0 eval --merge "$tmp/mixed.out" --output "$tmp/merged.out"
out_has '^label doctor: the model has its classes in reverse order'
cmp -s "$tmp/mixed.out/label-map.txt" "$tmp/merged.out/label-map.txt" || broken "another label map"
run 0 eval "$shapes/nfnet_shapes.onnx" "$mixed" --label-map "$tmp/mixed.out/label-map.txt" \
    --output "$tmp/right.out"
out_has '^top-1   97.00 %'
grep -q 'label doctor' "$tmp/out" && broken "the doctor speaks of labels that are right"
[ -e "$tmp/right.out/label-map.txt" ] && broken "a label map where none is needed"
mkdir "$tmp/kept.out"
cp "$tmp/mixed.out/label-map.txt" "$tmp/kept.out"
run 2 eval "$shapes/nfnet_shapes.onnx" "$mixed" --label-map "$tmp/kept.out/label-map.txt" \
    --output "$tmp/kept.out"
err_has 'is where --output writes one of its own, or removes what is there'
[ -e "$tmp/kept.out/label-map.txt" ] || broken "the label map that was given is gone"
end

begin eval__folders_named_by_numbers_that_are_labels__are_those_labels
mkdir "$tmp/numbered"
number=3
for folder in "$shapes"/val/*; do
    ln -s "$(cd "$folder" && pwd)" "$tmp/numbered/$number"
    echo "$number" >>"$tmp/numbers.txt"
    number=$(((number + 1) % 10))
done
run 0 eval "$shapes/nfnet_shapes.onnx" "$tmp/numbered" --labels "$tmp/numbers.txt"
out_has '^top-1   97.00 %'
run 0 eval "$shapes/nfnet_shapes.onnx" "$tmp/numbered" --json
json "$tmp/out" 'd["top1"] < 0.2'
end

begin eval__logits_that_are_no_numbers__fail_the_image_in_a_sweep_too
python3 - "$root/tests/fuzz/seeds/network/timm_token" "$tmp/nan.safetensors" <<'EOF'
import json, struct, sys
header, data = {}, b""
for line in open(sys.argv[1]):
    if line.strip() and line[0] != "=":
        name, shape = line.rsplit(" ", 1)
        shape = [int(d) for d in shape.split(",")]
        size = 4
        for d in shape:
            size *= d
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + size]}
        data += (struct.pack("<f", float("nan")) if name == "head.bias" else bytes(4)) * (size // 4)
text = json.dumps(header).encode()
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + data)
EOF
mkdir -p "$tmp/three/0"
cp "$shapes/val/ring/0000.jpg" "$tmp/three/0"
run 3 eval "$tmp/nan.safetensors" "$tmp/three" --heads 2 --sweep bilinear
out_has '^no images are scored, of 1 listed$'
err_has 'NaN or infinite logits'
end

begin compare__report_folders__paired_by_path
run 1 compare "$tmp/right.out" "$tmp/mixed.out" --fail-if-worse 10
out_has '^differ in: '
out_has 'have other labels in B than in A'
run 0 compare "$tmp/mixed.out" "$tmp/right.out" --fail-if-worse 0 --json
json "$tmp/out" 'd["images"] == 100 and d["p"] < 1e-20 and d["difference_ci95"][0] > 0.8'
end

begin compare__report_that_is_a_pipe__taken_for_none
for side in a b; do
    mkdir "$tmp/$side.dir"
    cp "$tmp/$side.csv" "$tmp/$side.dir/predictions.csv"
done
mkfifo "$tmp/a.dir/report.json"
run 0 compare "$tmp/a.dir" "$tmp/b.dir"
end
