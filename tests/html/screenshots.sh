#!/bin/sh
# screenshots.sh MAKE_REPORTS SOURCE_ROOT [OUT]: reports of evaluations that never ran, rendered in
# chromium, light at desktop width and dark at a phone's. Fails if a page is too large, needs anything
# outside, logs an error or is wider than the screen. With OUT, which keeps the screenshots, each also
# the other way round. Closes on "N passed, N failed, N skipped". CHROMIUM names another browser, or
# none.
set -u
make_reports=$1
root=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "${3:-$tmp}"
out=$(cd "${3:-$tmp}" && pwd)
passed=0 failed=0

check() { # WORDS CONDITION...
    words=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $words"
    fi
}

"$make_reports" "$out" "$root/examples/shapes/val/star" || exit 1
for page in few many mixed; do
    check "$page: under 5 MB" test "$(wc -c <"$out/$page/report.html")" -lt 5000000
    check "$page: nothing outside" sh -c \
        "! grep -Eq '(src|href)=\"?(https?:|//|[a-z]+\\.)' '$out/$page/report.html'"
done

browser=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
if [ -z "$browser" ] || [ "$browser" = none ]; then
    echo "SKIP rendering: there is no chromium, or none wanted"
    echo "$passed passed, $failed failed, 1 skipped"
    [ "$failed" -eq 0 ]
    exit
fi

# A window may be no narrower than 500 pixels, a frame may. First the page is tried, with all that
# is folded opened and all that can be pressed pressed, then it is shown.
cat >"$tmp/frame.html" <<'PAGE'
<!DOCTYPE html><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<style>body{margin:0}iframe{border:0;display:block}</style><iframe></iframe><script>
const [page, width] = location.hash.slice(1).split('|'), frame = document.querySelector('iframe');
frame.style.width = width + 'px';
let tried = false;
frame.onload = () => {
  const root = frame.contentDocument.documentElement;
  if (!tried) {
    tried = true;
    for (const details of root.querySelectorAll('details')) details.open = true;
    for (const button of root.querySelectorAll('thead button')) button.click();
    if (root.scrollWidth > width) console.error(`${root.scrollWidth} pixels wide, not ${width}`);
    frame.contentWindow.location.reload();
  }
  frame.style.height = root.scrollHeight + 'px';
};
frame.src = page;
</script>
PAGE

render() { # NAME WIDTH HEIGHT LOOK
    shot=$out/$1-$2-$4.png
    scheme=1
    [ "$4" = dark ] && scheme=0
    timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --hide-scrollbars \
        --user-data-dir="$tmp/profile" --enable-logging=stderr --allow-file-access-from-files \
        --virtual-time-budget=5000 --blink-settings=preferredColorScheme=$scheme \
        --window-size="$2,$3" --screenshot="$shot" \
        "file://$tmp/frame.html#file://$out/$1/report.html|$2" 2>"$tmp/log"
    check "$1 $2 $4: rendered" test -s "$shot"
    check "$1 $2 $4: the console is quiet" sh -c "! grep CONSOLE '$tmp/log'"
}

for page in few many mixed; do
    render $page 1280 6200 light
    render $page 390 9000 dark
    if [ -n "${3:-}" ]; then
        render $page 1280 6200 dark
        render $page 390 9000 light
    fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
