# What goes wrong around an evaluation: sourced by test_eval.sh. Reads that never end, disks and
# limits, names of files, the machine's settings.

if [ $preload = yes ]; then
    begin read_never_ends__timeout__is_one_failed_image
    with_faults FAULT_STALL=ring/0001.jpg 3 eval "$model" "$val" --threads 2 --workers 2 \
        --read-timeout 1 --output "$tmp/stall"
    err_has '^ring/0001.jpg: timeout: not read within 1 s$'
    out_has '^listed 100 = ok 99 + failed 1 + missing 0$'
    run 0 eval "$model" "$val" $how --output "$tmp/stall" --resume --retry-failed
    same "$tmp/stall" "after another try"
    with_faults FAULT_STALL=ring/0001.jpg 3 eval "$model" "$val" --read-timeout 1 --sweep 1
    err_has '^ring/0001.jpg: timeout: not read within 1 s$'
    end

    begin read_never_ends__all_of_them__given_up
    with_faults FAULT_STALL=.jpg 1 eval "$model" "$val" $how --read-timeout 0.01 --output "$tmp/down"
    err_has '32 reads do not end: is the file system there? .*--resume'
    run 0 eval "$model" "$val" $how --output "$tmp/down" --resume --retry-failed
    same "$tmp/down" "after the file system came back"
    end

    begin read_never_ends__interrupted__ends_all_the_same
    mkdir "$tmp/stuck"
    env LD_PRELOAD="$faults" FAULT_STALL=ring/0001.jpg "$fovea" eval "$model" "$val" $how \
        --output "$tmp/stuck" >"$tmp/out" 2>"$tmp/err" </dev/null &
    job=$!
    while ! grep -q ' R 5 ' "$tmp/stuck/journal" 2>/dev/null && kill -0 $job 2>/dev/null; do
        sleep 0.01
    done
    kill -TERM $job
    wait $job
    code=$?
    [ $code = 143 ] || broken "exit $code after SIGTERM, expected 143"
    out_has '^PARTIAL: stopped by signal 15'
    run 0 eval "$model" "$val" $how --output "$tmp/stuck" --resume
    same "$tmp/stuck" "stuck and gone on with"
    end

    begin report_cannot_be_written__exit_1__resume_makes_it
    for file in report.json predictions.csv report.html timings.json; do
        rm -f "$tmp/quota"/[prt]*
        with_faults FAULT_WRITE=$file 1 eval "$model" "$val" $how --output "$tmp/quota" --resume
        err_has "$file: cannot write: Disk quota exceeded"
        err_has '^go on with: fovea eval .*--resume'
        [ ! -e "$tmp/quota/$file" ] || broken "there is half a $file"
        [ -z "$(ls -A "$tmp/quota" | grep '^\.')" ] || broken "$file left a temporary file"
    done
    run 0 eval "$model" "$val" $how --output "$tmp/quota" --resume
    err_has '100 images are done already'
    same "$tmp/quota" "after the quota was full"
    end

    begin writes__short_and_interrupted__same_report
    with_faults FAULT_SHORT=100 0 eval "$model" "$val" $how --output "$tmp/short"
    same "$tmp/short" "short writes"
    end

    begin threads__cannot_be_started__named_or_done_without
    for n in 1 2 3 4; do
        rm -rf "$tmp/threads"
        env LD_PRELOAD="$faults" FAULT_THREADS=$n "$fovea" eval "$model" "$val" --threads 2 \
            --workers 2 --output "$tmp/threads" >"$tmp/out" 2>"$tmp/err" </dev/null
        code=$?
        case $code in
        0) same "$tmp/threads" "without thread $n" ;;
        1) err_has 'cannot start a thread: Resource temporarily unavailable' ;;
        *) broken "exit $code without thread $n" ;;
        esac
    done
    end
fi

begin max_failures__more__stops_and_can_be_resumed
holes=$tmp/holes
cp -r "$val" "$holes"
chmod -R u+w "$holes"
for class in bricks checker crescent cross; do
    : >"$holes/$class/0001.jpg"
done
ln -sf nowhere "$holes/cross/0001.jpg"
run 1 eval "$model" "$holes" $how --output "$tmp/holed" --max-failures 3
err_has 'images that failed or are missing: 4, more than the 3 that --max-failures allows'
err_has '^go on with: fovea eval --resume --retry-failed '
[ ! -e "$tmp/holed/report.json" ] || broken "there is a report"
[ "$(records "$tmp/holed/journal")" -lt $total ] || broken "it went on to the end"
run 1 eval "$model" "$holes" $how --output "$tmp/holed" --max-failures 3 --resume
err_has 'missing: 4, more than the 3'
run 0 eval "$model" "$holes" $how --output "$tmp/holed" --max-failures 4 --resume
out_has "^listed $total = ok $((total - 4)) + failed 3 + missing 1\$"
run 3 eval "$model" "$holes" $how --output "$tmp/holed" --resume
run 0 eval --merge "$tmp/holed" --max-failures 4
run 1 eval --merge "$tmp/holed" --max-failures 3
run 1 eval "$model" "$holes" --sweep 1 --max-failures 0
err_has 'missing: 1, more than the 0'
for class in bricks checker crescent cross; do
    rm "$holes/$class/0001.jpg"
    cp "$val/$class/0001.jpg" "$holes/$class"
done
run 0 eval "$model" "$holes" $how --output "$tmp/holed" --max-failures 3 --resume --retry-failed
cmp -s "$tmp/holed/predictions.csv" "$tmp/whole/predictions.csv" || broken "another predictions.csv"
for number in -1 x '' 1.5 2x; do
    run 2 eval "$model" "$holes" --max-failures "$number"
    err_has 'is not a number from 0 on'
done
end

begin output__cannot_be_written__exit_1
if [ -c /dev/full ]; then
    run 1 eval "$model" "$val" $how --predictions /dev/full
    err_has '/dev/full'
    "$fovea" eval "$model" "$val" $how >/dev/full 2>"$tmp/err"
    [ $? = 1 ] || broken "exit 0 with a full stdout"
    err_has 'cannot write the results to stdout'
fi
echo "no folder" >"$tmp/file"
run 1 eval "$model" "$val" $how --output "$tmp/file"
run 1 eval "$model" "$val" $how --output "$tmp/no/such/parent"
err_has "cannot make the folder '.*no/such/parent'"
"$fovea" eval "$model" "$val" $how --output "$tmp/piped" 2>/dev/null | head -0
run 0 eval "$model" "$val" $how --output "$tmp/piped" --resume
same "$tmp/piped" "with nobody who reads stdout"
end

begin surroundings__locale_home_umask_limits__same_report
(
    ulimit -n 16
    umask 0
    env LC_ALL=de_DE.UTF-8 TZ=Asia/Kathmandu HOME=/nonexistent TMPDIR=/nonexistent \
        "$fovea" eval "$model" "$val" $how --output "$tmp/around"
) >"$tmp/out" 2>"$tmp/err" </dev/null || broken "exit $?"
same "$tmp/around" "another locale, no home, 16 files"
out_has '^top-1  *[0-9]*\.[0-9]* %'
if command -v taskset >/dev/null 2>&1; then
    taskset -c 0 "$fovea" eval "$model" "$val" --output "$tmp/bound" >"$tmp/out" 2>"$tmp/err" ||
        broken "exit $? on one CPU"
    same "$tmp/bound" "on one CPU"
fi
end

begin names__bytes_that_are_no_text__kept
names=$tmp/names
mkdir -p "$names/ring" "$names/cross"
cp "$val/ring/0001.jpg" "$names/ring/$(printf 'caf\351 \377').jpg"
cp "$val/ring/0001.jpg" "$names/ring/$(printf 'two\nlines, "quoted" 100%%').jpg"
cp "$val/cross/0001.jpg" "$names/cross/"
ln -s loop.jpg "$names/ring/loop.jpg"
ln -s ../ring "$names/ring/again"
run 3 eval "$model" "$names" $how --output "$tmp/named"
out_has '^listed 4 = ok 3 + failed 0 + missing 1$'
err_has 'not listed: 1, the first: ring/again$'
err_has '^ring/loop.jpg: a link to what is not there$'
printf 'path,label,pred,correct,logit,prob,top5\n' >"$tmp/want"
LC_ALL=C sed -n 2p "$tmp/named/predictions.csv" >>"$tmp/want"
answer=$(LC_ALL=C sed -n 's/.*\(,5,5,1,.*\)/\1/p' "$tmp/named/predictions.csv" | head -1)
printf 'ring/caf\351 \377.jpg%s\nring/loop.jpg,5,,,,,\n"ring/two\nlines, ""quoted"" 100%%.jpg"%s\n' \
    "$answer" "$answer" >>"$tmp/want"
cmp -s "$tmp/want" "$tmp/named/predictions.csv" || broken "predictions.csv has other names"
run 3 eval "$model" "$names" $how --output "$tmp/named" --resume
err_has '4 images are done already'
json "$tmp/named/report.json" 'd["missing"] == 1'
end
