#!/bin/sh
# test_eval.sh FOVEA SOURCE_ROOT FAULTS: evaluations as they are run for an
# afternoon: journals, what interrupts them, what is wrong with files, and the
# same report however the work was divided. FAULTS is tests/faults.c, compiled.
# Closes on "N passed, N failed, N skipped".
set -u
fovea=$1
root=$2
faults=$3
here=$(cd "$(dirname "$0")" && pwd)
shared=$root/../shared
shapes=$root/examples/shapes
. "$here/cli_checks.sh"

model=$shapes/nfnet_shapes.onnx
val=$shapes/val
total=100
how="--threads 1 --workers 1"

# Sanitizers must come first in a process, so nothing can be preloaded there; and they are slow.
# Faults find out which file is read from /proc, which a chroot may lack.
preload=yes
if [ ! -e /proc/self/fd ] || ! env LD_PRELOAD="$faults" "$fovea" --version 2>&1 | grep -q '^fovea' ||
    env LD_PRELOAD="$faults" "$fovea" --version 2>&1 | grep -q ERROR; then
    preload=no
fi
# A tenth of the speed: three images of each class show the same.
if [ $preload = no ]; then
    for folder in "$shapes/val"/*; do
        mkdir -p "$tmp/val/${folder##*/}"
        for file in $(ls "$folder" | head -3); do
            cp "$folder/$file" "$tmp/val/${folder##*/}"
        done
    done
    val=$tmp/val
    total=30
fi

# same DIR WHAT: its report is that of $tmp/whole
same() {
    cmp -s "$1/report.json" "$tmp/whole/report.json" || broken "$2: another report.json"
    cmp -s "$1/predictions.csv" "$tmp/whole/predictions.csv" || broken "$2: another predictions.csv"
}

# records FILE: how many lines of a journal are records
records() {
    grep -c '^[0-9a-f]\{16\} R ' "$1"
}

# ---- journals ---------------------------------------------------------------------

begin output__writes_journal_and_report
run 0 eval "$model" "$val" $how --output "$tmp/whole"
for file in journal report.json predictions.csv; do
    [ -s "$tmp/whole/$file" ] || broken "there is no $file"
done
[ "$(head -1 "$tmp/whole/journal")" = 'fovea journal 1' ] || broken "the journal's first line"
[ "$(records "$tmp/whole/journal")" = $total ] || broken "$(records "$tmp/whole/journal") records"
run 0 eval "$model" "$val" $how --predictions "$tmp/p.csv"
cmp -s "$tmp/p.csv" "$tmp/whole/predictions.csv" || broken "--predictions differs from DIR's"
end

begin output__there_already__refused_without_resume
cp "$tmp/whole/journal" "$tmp/before"
run 1 eval "$model" "$val" $how --output "$tmp/whole"
err_has 'whole/journal is there from another run: go on with it by --resume'
cmp -s "$tmp/whole/journal" "$tmp/before" || broken "the journal was touched"
end

begin resume__all_done__makes_the_report_again
rm "$tmp/whole/report.json"
cp -r "$tmp/whole" "$tmp/again"
run 0 eval "$model" "$val" $how --output "$tmp/whole" --resume
err_has "^.*: $total images are done already"
run 0 eval "$model" "$val" $how --output "$tmp/again" --resume
same "$tmp/again" again
end

begin resume__torn_or_damaged__does_the_rest
head -c $(($(wc -c <"$tmp/before") / 2)) "$tmp/before" >"$tmp/again/journal"
run 0 eval "$model" "$val" $how --output "$tmp/again" --resume
err_has 'which a crash left, are cut off'
same "$tmp/again" torn
line=$(grep -n ' ok ' "$tmp/before" | sed -n '30s/:.*//p') # beside records, slow runs have other lines
sed "${line}s/ ok / OK /" "$tmp/before" >"$tmp/again/journal"
run 0 eval "$model" "$val" $how --output "$tmp/again" --resume
err_has "1 lines are damaged, the first is line $line; their images are done again"
same "$tmp/again" damaged
[ "$(records "$tmp/again/journal")" = $((total + 1)) ] || broken "more than one image was done again"
end

begin resume__another_evaluation__names_the_difference
run 1 eval "$model" "$val" $how --output "$tmp/again" --resume --precision bf16
err_has "by the precision: 'f32' there, 'bf16' here"
run 1 eval "$model" "$val" $how --output "$tmp/again" --resume --crop-pct 0.5
err_has 'by the recipe: '
run 1 eval "$model" "$val" $how --output "$tmp/again" --resume --passes off
err_has 'by the options: '
run 1 eval "$model" "$val" $how --output "$tmp/again" --resume --exact off
err_has 'by the options: '
run 1 eval "$shapes/vit_map_shapes.onnx" "$val" $how --output "$tmp/again" --resume
err_has "by the model's file: "
mkdir -p "$tmp/less"
cp -r "$val" "$tmp/less/val"
rm "$tmp/less/val/ring/0001.jpg"
run 1 eval "$model" "$tmp/less/val" $how --output "$tmp/again" --resume
err_has 'by the list of images and labels: '
ONEDNN_MAX_CPU_ISA=SSE41 run 1 eval "$model" "$val" $how --output "$tmp/again" --resume
err_has 'by oneDNN or the CPU: '
same "$tmp/again" "after all that"
end

begin resume__a_file_that_is_no_journal__is_left_alone
mkdir -p "$tmp/notes"
echo "my notes" >"$tmp/notes/journal"
run 1 eval "$model" "$val" $how --output "$tmp/notes" --resume
err_has 'is no journal of this version of Fovea'
[ "$(cat "$tmp/notes/journal")" = "my notes" ] || broken "it was touched"
end

begin output__usage__exit_2
run 2 eval "$model" "$val" --resume
err_has 'need --output DIR'
run 2 eval "$model" "$val" --output "$tmp/x" --retry-failed
run 2 eval "$model" "$val" --output "$tmp/x" --resume --logits "$tmp/l.npy"
for shard in 0/3 4/3 1 1/ /3 1/3x -1/3 -1/-1 +1/3 1/+3; do
    run 2 eval "$model" "$val" --output "$tmp/x" --shard $shard
    err_has 'is not I/N with I in 1..N'
done
cp -r "$val" "$tmp/inside"
run 1 eval "$model" "$tmp/inside" --output "$tmp/inside/run"
err_has 'inside/run is in the dataset, where it would pass for a class'
[ ! -e "$tmp/inside/run" ] || broken "the folder was made"
run 2 eval --merge
run 2 eval --merge "$tmp" --json
err_has 'what it finds is in report.json and predictions.csv there'
[ ! -e "$tmp/x" ] || broken "the folder was made"
end

# ---- what goes wrong on the way ----------------------------------------------------

# with_faults VARIABLE=VALUE EXIT_CODE ARGUMENT...
with_faults() {
    fault=$1
    shift
    want=$1
    shift
    env LD_PRELOAD="$faults" "$fault" "$fovea" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    got=$?
    [ "$got" = "$want" ] || broken "$fault fovea $*: exit $got, expected $want"
}

begin interrupted__partial_figures_and_how_to_go_on
"$fovea" eval "$model" "$val" $how --output "$tmp/stopped run" >"$tmp/out" 2>"$tmp/err" &
job=$!
while ! grep -q ' R 5 ' "$tmp/stopped run/journal" 2>/dev/null && kill -0 $job 2>/dev/null; do
    sleep 0.01
done
kill -TERM $job 2>/dev/null
kill -TERM $job 2>/dev/null # as timeout does, which signals its group, too
wait $job
code=$?
if [ $code = 143 ]; then
    out_has '^PARTIAL: stopped by signal 15'
    out_has "^listed $total = ok [0-9]* + failed 0 + missing 0 + not done [0-9]*\$"
    err_has "^go on with: fovea eval --resume .*--output '$tmp/stopped run' "
    [ ! -e "$tmp/stopped run/report.json" ] || broken "there is a report of a part"
    (PATH=$(dirname "$fovea"):$PATH && eval "$(sed -n 's/^go on with: //p' "$tmp/err")") \
        >"$tmp/out" 2>"$tmp/err2" || broken "that command fails: $(tail -1 "$tmp/err2")"
elif [ $code != 0 ]; then # a machine may be done before it is stopped
    broken "exit $code after SIGTERM"
fi
same "$tmp/stopped run" "stopped and gone on with"
end

begin sweep_interrupted__partial_table
cp -r "$val" "$tmp/swept"
echo text >"$(ls -d "$tmp/swept"/* | head -1)/0000.jpg" # the first image: its line says that it runs
"$fovea" eval "$model" "$tmp/swept" $how --sweep all >"$tmp/out" 2>"$tmp/err" &
job=$!
while ! grep -q '0000.jpg: ' "$tmp/err" && kill -0 $job 2>/dev/null; do
    sleep 0.01
done
kill -TERM $job
wait $job
code=$?
[ $code = 143 ] || broken "exit $code after SIGTERM"
out_has '^PARTIAL: stopped by signal 15 with [0-9]* images not done$'
end

if [ $preload = yes ]; then
    begin disk_full__exit_1__what_is_done_stays
    with_faults FAULT_ENOSPC=9000 1 eval "$model" "$val" $how --output "$tmp/full"
    err_has 'full/journal: cannot be written: No space left on device; make room; .*--resume'
    [ ! -e "$tmp/full/report.json" ] || broken "there is a report"
    [ "$(records "$tmp/full/journal")" -gt 5 ] || broken "what was done is lost"
    [ "$(tail -c 1 "$tmp/full/journal" | od -An -c | tr -d ' ')" = '\n' ] || broken "a torn line"
    run 0 eval "$model" "$val" $how --output "$tmp/full" --resume
    same "$tmp/full" "after the disk was full"
    with_faults FAULT_ENOSPC=300 1 eval "$model" "$val" $how --output "$tmp/full0"
    run 0 eval "$model" "$val" $how --output "$tmp/full0" --resume
    same "$tmp/full0" "after the disk was full at once"
    end

    begin sync_fails__exit_1_and_no_second_try
    with_faults FAULT_SYNC=2 1 eval "$model" "$val" $how --output "$tmp/sync"
    err_has 'sync/journal: cannot be brought to the disk: Input/output error'
    [ ! -e "$tmp/sync/report.json" ] || broken "there is a report"
    end

    begin read_error__is_one_failed_image__and_can_be_retried
    with_faults FAULT_EIO=ring/0001.jpg 3 eval "$model" "$val" $how --output "$tmp/eio"
    err_has 'ring/0001.jpg: .*Input/output error'
    out_has '^listed 100 = ok 99 + failed 1 + missing 0$'
    run 3 eval "$model" "$val" $how --output "$tmp/eio" --resume
    run 0 eval "$model" "$val" $how --output "$tmp/eio" --resume --retry-failed
    same "$tmp/eio" "after another try"
    end
else
    skip faults "nothing can be preloaded into this build"
fi

. "$here/eval_faults.sh"

# ---- files that are not what they seem -----------------------------------------------

begin odd_files__all_accounted_for__exit_3
odd=$tmp/odd
cp -r "$val" "$odd"
chmod -R u+w "$odd"
last=$(ls "$odd" | tail -1)
cp "$val/ring/0001.jpg" "$odd/$last/zzz-deleted.jpg" # listed, and gone when its turn comes
size=$(wc -c <"$val/ring/0001.jpg")
head -c $((size * 2 / 3)) "$val/ring/0001.jpg" >"$odd/ring/a-truncated.jpg"
printf '\211PNG\r\n\032\n\0\0\0\rIHDR' >"$odd/ring/b-png.JPEG"
: >"$odd/ring/c-empty.jpg"
ln -s /nowhere/at/all.jpg "$odd/ring/d-link.jpg"
mkdir "$odd/ring/e-folder.jpg"
mkfifo "$odd/ring/g-pipe.jpg"
broken_files="a-truncated b-png c-empty d-link e-folder g-pipe"
good=$total
if [ $preload = yes ] || [ "$(id -u)" != 0 ]; then
    cp "$val/ring/0001.jpg" "$odd/ring/f-unreadable.jpg"
    chmod 0 "$odd/ring/f-unreadable.jpg" # root can read it all the same: hence the fault
    broken_files="$broken_files f-unreadable"
fi
if [ -f "$shared/images/odd/pil_pil_sample_cmyk.jpg" ]; then
    cp "$shared/images/odd/pil_pil_sample_cmyk.jpg" "$odd/ring/h-cmyk.jpg"
    good=$((total + 1))
fi
n_broken=$(echo $broken_files | wc -w)
launch=env
[ $preload = no ] || launch="env LD_PRELOAD=$faults FAULT_EIO=f-unreadable.jpg"
$launch "$fovea" eval "$model" "$odd" $how \
    --output "$tmp/oddrun" --json "$tmp/odd.json" >"$tmp/out" 2>"$tmp/err" </dev/null &
job=$!
while ! grep -q ' R 5 ' "$tmp/oddrun/journal" 2>/dev/null && kill -0 $job 2>/dev/null; do
    sleep 0.01
done
rm "$odd/$last/zzz-deleted.jpg"
wait $job
code=$?
[ $code = 3 ] || broken "exit $code, expected 3"
err_has 'a-truncated.jpg: .*truncated'
err_has 'b-png.JPEG: .*PNG'
err_has 'c-empty.jpg: .*empty'
err_has 'd-link.jpg: .*link'
err_has 'e-folder.jpg: .*directory'
case $broken_files in *f-unreadable*) err_has 'f-unreadable.jpg: .*\(Input/output error\|Permission denied\)' ;; esac
err_has 'g-pipe.jpg: .*pipe'
err_has 'zzz-deleted.jpg: .*No such file'
n_missing=$(sed -n 's/^listed .* missing \([12]\)$/\1/p' "$tmp/out") # the link may be either
out_has "^listed $((good + n_broken + 1)) = ok $good + failed $((n_broken + 1 - ${n_missing:-0})) + missing [12]$"
for name in $broken_files; do
    grep -q "^ring/$name[.A-Za-z]*,[0-9]*,,,,,$" "$tmp/oddrun/predictions.csv" ||
        broken "predictions.csv has not $name without an answer"
    grep -q " ring/$name" "$tmp/oddrun/journal" || broken "the journal lacks $name"
done
[ $good = $total ] || grep -q '^ring/h-cmyk.jpg,[0-9]*,[0-9]' "$tmp/oddrun/predictions.csv" ||
    broken "no answer for the CMYK file"
end

# ---- work that is divided ------------------------------------------------------------

begin shards__merged__same_report
for n in 2 3; do
    dir=$tmp/shards$n
    i=0
    while [ $i -lt $n ]; do
        i=$((i + 1))
        run 0 eval "$model" "$val" --threads $((i % 2 + 1)) --output "$dir" --shard $i/$n
        err_has "shard $i of $n is done; when all are: fovea eval --merge"
        [ -s "$dir/journal.$i-of-$n" ] || broken "there is no journal.$i-of-$n"
        [ ! -e "$dir/report.json" ] || broken "shard $i made a report"
    done
    run 0 eval --merge "$dir"
    out_has "^listed $total = ok $total + failed 0 + missing 0\$"
    same "$dir" "$n shards"
done
run 0 eval "$model" "$val" --output "$tmp/shards3" --shard 2/3 --resume --json
json "$tmp/out" "d['listed'] == $((total / 3)) and d['ok'] == d['listed'] and d['not_done'] == 0" \
    'd["top1_of_listed"] == d["top1"]'
mv "$tmp/shards3/journal.2-of-3" "$tmp/second"
run 1 eval --merge "$tmp/shards3"
err_has "$(((total + 1) / 3)) of $total images are in none of the 2 journals, the first is number 1 "
mkdir -p "$tmp/elsewhere"
mv "$tmp/second" "$tmp/elsewhere/journal.2-of-3"
run 0 eval --merge "$tmp/elsewhere" "$tmp/shards3" --output "$tmp/merged"
same "$tmp/merged" "shards of two folders"
end

begin shards__one_is_lost__a_plain_run_does_the_rest
rm "$tmp/shards3/report.json"
run 0 eval "$model" "$val" $how --output "$tmp/shards3" --resume
err_has "$((total - (total + 1) / 3)) images are done already"
same "$tmp/shards3" "finished by one"
end

begin merge__of_different_evaluations__refused
run 0 eval "$shapes/vit_map_shapes.onnx" "$val" $how --output "$tmp/vit"
run 1 eval --merge "$tmp/vit" "$tmp/whole" --output "$tmp/both"
err_has "whole/journal: of another evaluation, by the model's file"
[ ! -e "$tmp/both" ] || broken "something was written"
run 1 eval --merge "$tmp/no-such-folder"
err_has 'there is no journal in'
end

begin shard__from_the_scheduler__says_so
run_as() {
    want=$1
    shift
    env "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    got=$?
    [ "$got" = "$want" ] || broken "$*: exit $got, expected $want"
}
job="$fovea eval $model $val --output $tmp/array --resume"
run_as 0 SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_STEP=4 SLURM_ARRAY_TASK_COUNT=2 $job
err_has '^shard 2 of 2, as SLURM_ARRAY_TASK_ID says (--shard 1/1: all)$'
run_as 0 JOB_COMPLETION_INDEX=0 JOB_COMPLETIONS=2 $job
err_has '^shard 1 of 2, as JOB_COMPLETION_INDEX says'
run 0 eval --merge "$tmp/array"
same "$tmp/array" "an array of jobs"
run_as 1 SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=2 $job
err_has 'do not say which share this is'
run_as 1 JOB_COMPLETION_INDEX=0 $job
run_as 0 JOB_COMPLETION_INDEX=7 $job --shard 1/1
end

# ---- ranks ----------------------------------------------------------------------------

# Under ASan, leaks are not looked for here: MPI leaves some behind in every process.
ranks="env ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
    mpirun --oversubscribe --allow-run-as-root --bind-to none"
if ! command -v mpirun >/dev/null 2>&1; then
    skip ranks "there is no mpirun"
elif ! $ranks -n 2 "$fovea" eval "$model" "$val" $how --output "$tmp/ranks" >"$tmp/out" 2>"$tmp/err" &&
    grep -q 'built without MPI' "$tmp/err"; then
    skip ranks "this build is without MPI"
else
    begin ranks__any_number__same_report
    same "$tmp/ranks" "two ranks"
    for n in 1 3; do
        $ranks -n $n "$fovea" eval "$model" "$val" $how --output "$tmp/ranks$n" >"$tmp/out" 2>"$tmp/err" </dev/null ||
            broken "$n ranks: exit $?"
        out_has "^listed $total = ok $total + failed 0 + missing 0\$"
        same "$tmp/ranks$n" "$n ranks"
    done
    [ -s "$tmp/ranks3/journal.rank-2" ] || broken "rank 2 wrote no journal"
    end

    begin ranks__one_dies__another_run_does_the_rest
    $ranks -n 2 sh -c 'if [ $OMPI_COMM_WORLD_RANK = 1 ]; then
            "$@" & while ! grep -q " R " "$0/journal.rank-1" 2>/dev/null; do sleep 0.01; done; kill -9 $!
        else "$@"; fi' "$tmp/dead" "$fovea" eval "$model" "$val" $how --output "$tmp/dead" \
        >"$tmp/out" 2>"$tmp/err" </dev/null
    [ ! -e "$tmp/dead/report.json" ] || broken "there is a report"
    $ranks -n 3 "$fovea" eval "$model" "$val" $how --output "$tmp/dead" --resume >"$tmp/out" 2>"$tmp/err" </dev/null ||
        broken "exit $? after a rank died"
    same "$tmp/dead" "after a rank died"
    end

    begin ranks__that_differ__are_refused
    $ranks -n 1 "$fovea" eval "$model" "$val" $how --output "$tmp/differ" : \
        -n 1 "$fovea" eval "$model" "$val" $how --output "$tmp/differ" --precision bf16 \
        >"$tmp/out" 2>"$tmp/err" </dev/null && broken "exit 0"
    err_has "rank 1 of 2 does not belong to rank 0: .*by the precision: 'f32' there, 'bf16' here"
    [ ! -e "$tmp/differ/report.json" ] || broken "there is a report"
    end
fi

# What sanitizers take is no part of the prediction.
if [ $preload = yes ]; then
    begin max_memory__too_little_for_all_threads__fewer_streams
    "$fovea" inspect "$model" --json >"$tmp/out"
    peak=$(sed -n 's/^  "peak_bytes": \([0-9]*\),*$/\1/p' "$tmp/out")
    rm -rf "$tmp/little"
    run 0 eval "$model" "$val" --threads 64 --workers 1 --max-memory $((peak * 3 / 2)) --output "$tmp/little"
    same "$tmp/little" "with little memory"
    run 1 eval "$model" "$val" --threads 64 --streams 64 --max-memory $((peak * 3 / 2))
    err_has 'stream [0-9]* of 64, with [0-9]* bytes of [0-9]* set aside for the others: '
    end
fi

# cifar NAME: the same report whatever the division
cifar() {
    c=$shared/eval/cifar10
    net=$1
    begin "same_report__${net}__threads_batches_streams_shards"
    rm -rf "$tmp/whole" "$tmp/c"
    run 0 eval "$c/$net.onnx" "$c/val" --recipe "$c/$net.reference.json" --threads 1 --output "$tmp/whole"
    set -- "--threads 2 --batch 7 --workers 3"
    [ $preload = no ] || set -- "$@" "--threads 2 --batch 1" "--batch 32" "--streams 3"
    for division in "$@"; do
        rm -rf "$tmp/c"
        run 0 eval "$c/$net.onnx" "$c/val" --recipe "$c/$net.reference.json" $division --output "$tmp/c"
        same "$tmp/c" "$division"
    done
    rm -rf "$tmp/c"
    for i in 1 2 3; do
        run 0 eval "$c/$net.onnx" "$c/val" --recipe "$c/$net.reference.json" --shard $i/3 --output "$tmp/c"
    done
    run 0 eval --merge "$tmp/c"
    same "$tmp/c" "three shards"
    end
}

kills=8
[ $preload = yes ] || kills=4
begin killed__many_times__same_report
"$here/proof/kill_resume" "$fovea" "$model" "$val" $kills 1 >"$tmp/out" 2>"$tmp/err" || broken "see below"
out_has "^$kills runs, killed .* $kills reports byte for byte the same, 0 not$"
end

if [ -d "$shared/eval/cifar10" ]; then
    cifar nfnet_cifar
    cifar vit_map_cifar
else
    skip same_report "../shared/eval/cifar10 is not there"
fi

cli_done
