# Part of test_cli_eval.sh: the same images as folders, archives and lists, labelled in several ways, must
# give the same predictions. Of the classifier under test: $model, $data, $small, $one.

# same_as FILE OPERAND...: predictions of that dataset are those in FILE but for the paths
same_as() {
    reference=$1
    shift
    run 0 eval "$model" "$@" $one --predictions "$tmp/q.csv"
    cut -d, -f2- "$reference" >"$tmp/want"
    cut -d, -f2- "$tmp/q.csv" | cmp -s - "$tmp/want" || broken "$* gives other predictions"
}

# make_tars FOLDER: archives of its class folders by Python's tarfile, an implementation of others
make_tars() {
    "$python" - "$1" "$tmp" <<'PY'
import os, sys, tarfile
folder, out = sys.argv[1:]
for name, kind in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT),
                   ("pax", tarfile.PAX_FORMAT)):
    with tarfile.open(f"{out}/{name}.tar", "w", format=kind, dereference=True) as tar:
        tar.add(folder, "./top")
with tarfile.open(f"{out}/a.tar.gz", "w:gz", dereference=True) as tar:
    tar.add(folder, ".")
long = "n" * 150
with tarfile.open(f"{out}/long.tar", "w", format=tarfile.GNU_FORMAT, dereference=True) as tar:
    for c in sorted(os.listdir(folder)):
        for f in sorted(os.listdir(f"{folder}/{c}")):
            tar.add(f"{folder}/{c}/{f}", f"{c}/{long}{f}")
PY
}

archive_tests() {
    begin eval__tar_archives__as_the_folder
    make_tars "$tmp/pure"
    for kind in ustar gnu pax long; do
        same_as "$tmp/pure.csv" "$tmp/$kind.tar"
        err_has "6 images in 2 classes from tar .*$kind.tar, labels from class folders"
    done
    run 1 eval "$model" "$tmp/a.tar.gz" $one
    err_has 'a.tar.gz: is gzip-compressed: images are read in place, so first gunzip it'
    run 0 eval "$model" "$tmp/pax.tar" $one --truth "$tmp/top.txt" --predictions "$tmp/q.csv"
    grep -q "^$class/$image_1,0," "$tmp/q.csv" || broken "the list's path is not found"
    end

    begin eval__truncated_tar__refused
    head -c 2000 "$tmp/ustar.tar" >"$tmp/cut.tar"
    run 1 eval "$model" "$tmp/cut.tar" $one
    err_has 'cut.tar: the archive is truncated: the entry at byte [0-9]* has [0-9]* bytes'
    end
}

dataset_tests() {
    # six images without what earlier tests put beside them
    pure=$tmp/pure
    rm -rf "$pure" && cp -rL "$small" "$pure" 2>/dev/null
    rm -f "$pure"/*/zz* "$pure"/*/*.txt
    class=$(ls "$pure" | head -1)
    image_1=$(ls "$pure/$class" | head -1)
    run 0 eval "$model" "$pure" $one --predictions "$tmp/pure.csv"
    sed 1d "$tmp/pure.csv" | cut -d, -f1,2 >"$tmp/pure/list.txt"
    echo "$class/$image_1 $class" >"$tmp/top.txt"

    begin eval__list__as_the_folder
    same_as "$tmp/pure.csv" "$pure/list.txt"
    err_has '6 images in 2 classes from list .*list.txt, labels from the list'
    tr , '\t' <"$pure/list.txt" >"$tmp/elsewhere.txt"
    same_as "$tmp/pure.csv" "$pure" --truth "$tmp/elsewhere.txt"
    run 1 eval "$model" "$pure/list.txt" $one --truth "$tmp/elsewhere.txt"
    err_has 'which of them says'
    echo "gone.jpg 0" >>"$pure/list.txt"
    head -1 "$pure/list.txt" | tr , ' ' >>"$pure/list.txt"
    run 3 eval "$model" "$pure/list.txt" $one
    out_has '^listed 8 = ok 7 + failed 0 + missing 1$'
    err_has 'images listed again after their first time, which count again: 1, the first: '
    rm "$pure/list.txt"
    end

    [ -z "$python" ] || archive_tests

    begin eval__flat_with_ground_truth_and_real__as_the_folder
    mkdir -p "$tmp/flat"
    i=0
    for file in "$pure"/*/*; do
        i=$((i + 1))
        cp "$file" "$tmp/flat/ILSVRC2012_val_0000000$i.JPEG"
    done
    printf '2\n2\n2\n1\n1\n1\n' >"$tmp/truth.txt"
    # IDs are in no order of the model's: the second class has ID 1
    ls "$pure" | sort -r | cat -n >"$tmp/map.txt"
    same_as "$tmp/pure.csv" "$tmp/flat" --truth "$tmp/truth.txt" --class-map "$tmp/map.txt"
    run 1 eval "$model" "$tmp/flat" $one
    err_has '6 images lie in no class folder'
    run 1 eval "$model" "$tmp/flat" $one --truth "$tmp/truth.txt"
    err_has 'truth.txt: numbers from 1, as in ILSVRC.s ground truth: a class map must say'
    echo '[[0], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [], [1], [1], [1]]' >"$tmp/real.json"
    run 0 eval "$model" "$tmp/flat" $one --truth "$tmp/real.json" --predictions "$tmp/q.csv"
    err_has 'labels from ReaL labels .*; 1 have no label and are not scored'
    out_has '^top-1 .* of 5; '
    grep -q '^ILSVRC2012_val_00000002.JPEG,0 1 2 3 4 5 6 7 8 9,[0-9],1,' "$tmp/q.csv" ||
        broken "a prediction among several labels is not right"
    end

    begin eval__subset__which_classes_must_be_said
    # nothing says which of the classes the two folders are
    mkdir -p "$tmp/bare/zz1" "$tmp/bare/zz2"
    cp "$pure/$class/$image_1" "$tmp/bare/zz1/"
    run 1 eval "$model" "$tmp/bare" $one
    err_has "2 classes for a model of 10, and 'zz1' is none of its 10 labels (.*): give"
    mkdir -p "$tmp/half/ring" "$tmp/half/zz1"
    cp "$root/examples/shapes/val/ring/0001.jpg" "$tmp/half/ring"
    run 1 eval "$root/examples/shapes/nfnet_shapes.onnx" "$tmp/half" --threads 1
    err_has "2 classes for a model of 10, and 'zz1' is none of its 10 labels (the model's metadata): give"
    printf 'zz1 3\nzz2,5\n' >"$tmp/lm.txt"
    run 0 eval "$model" "$tmp/bare" $one --label-map "$tmp/lm.txt" --predictions "$tmp/q.csv"
    grep -q "^zz1/$image_1,3," "$tmp/q.csv" || broken "the label is not 3"
    printf 'zz1 -\nzz2 5\n' >"$tmp/lm.txt"
    run 0 eval "$model" "$tmp/bare" $one --label-map "$tmp/lm.txt"
    err_has 'the model knows no class of 1 images; they are run, but not scored'
    printf 'zz1 nobody\nzz2 5\n' >"$tmp/lm.txt"
    run 1 eval "$model" "$tmp/bare" $one --label-map "$tmp/lm.txt"
    err_has "lm.txt: maps class 'zz1' to 'nobody', which is neither"
    printf 'zz1 12\nzz2 5\n' >"$tmp/lm.txt"
    run 1 eval "$model" "$tmp/bare" $one --label-map "$tmp/lm.txt"
    err_has "'zz1', the label of .*, stands for class 12, but the model has 10 classes"
    end

    begin eval__labels__byte_order_mark_carriage_returns_and_number
    printf '\357\273\277zz1\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\ni\r\nzz2\r\n' >"$tmp/labels.txt"
    cp "$pure/$class/$image_1" "$tmp/bare/zz2/"
    run 0 eval "$model" "$tmp/bare" $one --labels "$tmp/labels.txt" --predictions "$tmp/q.csv"
    grep -q "^zz1/$image_1,0," "$tmp/q.csv" || broken "the label of zz1 is not 0"
    grep -q "^zz2/$image_1,9," "$tmp/q.csv" || broken "the label of zz2 is not 9"
    head -3 "$tmp/labels.txt" >"$tmp/three.txt"
    echo zz2 >>"$tmp/three.txt"
    run 0 eval "$model" "$tmp/bare" $one --labels "$tmp/three.txt"
    err_has 'warning: .*three.txt has names for 4 classes; the model has 10'
    for i in 0 1 2 3 4 5 6 7 8 9; do
        mkdir -p "$tmp/others/other$i"
        cp "$pure/$class/$image_1" "$tmp/others/other$i/"
    done
    run 0 eval "$model" "$tmp/others" $one --labels "$tmp/labels.txt"
    err_has "warning: the model's labels are other words than the names of classes here"
    end

    begin eval__subset_logits__only_the_list_competes
    run 0 eval "$model" "$pure" $one --subset-logits on --predictions "$tmp/q.csv"
    err_has 'and only those of the list compete'
    [ "$(sed 1d "$tmp/q.csv" | cut -d, -f7 | tr ' ' '\n' | sort -u | tr '\n' ' ')" = "0 1 " ] ||
        broken "classes other than 0 and 1 are among the best"
    run 2 eval "$model" "$pure" $one --subset-logits maybe
    end
}
