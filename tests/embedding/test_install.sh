#!/bin/sh
# test_install.sh BUILD SOURCE LIBRARY: install to a folder; build examples/embed against what is
# there, as C and as C++, shared by pkg-config, static, and by CMake; and run all of them.
set -u
build=$1 root=$2 library=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0

result() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $2"
    fi
}

skip() {
    skipped=$((skipped + 1))
    echo "SKIP $1"
}

done_with() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
    exit
}

if nm -D "$library" | grep -q __asan_init; then
    skip "install: a library with sanitizers is not for installing"
    done_with
fi
for tool in meson pkg-config cc c++; do
    command -v "$tool" >/dev/null || {
        skip "install: there is no $tool"
        done_with
    }
done

DESTDIR=$tmp/root meson install -C "$build" --no-rebuild --quiet >"$tmp/log" 2>&1
result $? install__meson__does || cat "$tmp/log"
config=$(find "$tmp/root" -name fovea.pc)
libdir=$(dirname "$(dirname "$config")")
prefix=$(dirname "$(dirname "$(find "$tmp/root" -name fovea.h)")")
export PKG_CONFIG_PATH="${config%/*}" PKG_CONFIG_SYSROOT_DIR="$tmp/root"
model=$root/examples/shapes/nfnet_shapes.onnx image=$root/examples/shapes/val/ring/0001.jpg
code=$root/examples/embed/embed.c
warnings='-Wall -Wextra -Wpedantic -Werror'

# classifies NAME PROGRAM: it knows a ring, and says so in a line for each class of the best five
classifies() {
    LD_LIBRARY_PATH=$libdir "$2" "$model" "$image" >"$tmp/out" 2>&1 &&
        [ "$(wc -l <"$tmp/out")" = 5 ] && head -1 "$tmp/out" | grep -q 'class 5, .*, ring$'
    code_=$?
    [ "$code_" = 0 ] || cat "$tmp/out"
    result "$code_" "$1"
}

# shellcheck disable=SC2046,SC2086 # lists of words
{
    cc -std=c11 $warnings "$code" $(pkg-config --cflags --libs fovea) -o "$tmp/c" &&
        classifies installed__c_and_shared__classifies "$tmp/c" ||
        result 1 installed__c_and_shared__compiles
    c++ -std=c++11 $warnings -x c++ "$code" $(pkg-config --cflags --libs fovea) -o "$tmp/cxx" &&
        classifies installed__cxx_and_shared__classifies "$tmp/cxx" ||
        result 1 installed__cxx_and_shared__compiles
    # A program may have functions of the names that the library has inside.
    printf 'int fovea_fail(void);\nint fovea_fail(void) { return 1; }\n' >"$tmp/names.c"
    cc -std=c11 $warnings "$code" "$tmp/names.c" $(pkg-config --cflags fovea) "$libdir/libfovea.a" \
        $(pkg-config --static --libs fovea | sed 's/-lfovea//') -o "$tmp/static" &&
        classifies installed__c_and_static__classifies "$tmp/static" ||
        result 1 installed__c_and_static__compiles
}
ldd "$tmp/static" | grep -q libfovea && result 1 installed__c_and_static__needs_no_libfovea
readelf -d "$tmp/c" | grep -q 'NEEDED.*libfovea\.so\.0\]'
result $? installed__program__asks_for_the_soname

if command -v cmake >/dev/null; then
    mkdir "$tmp/project"
    cp "$code" "$tmp/project/embed.c"
    cat >"$tmp/project/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.13)
project(client C)
find_package(fovea 0.1 REQUIRED)
add_executable(shared embed.c)
target_link_libraries(shared fovea::fovea)
add_executable(archive embed.c)
target_link_libraries(archive fovea::static)
CMAKE
    # What meson needs is there; make need not be. Where meson says lib64, Debian's cmake looks
    # there only if told.
    export CMAKE_GENERATOR=Ninja
    cmake -S "$tmp/project" -B "$tmp/cmake" -DCMAKE_PREFIX_PATH="$prefix;$libdir/cmake" \
        -DCMAKE_LIBRARY_ARCHITECTURE="$(basename "$libdir")" >"$tmp/log" 2>&1 &&
        cmake --build "$tmp/cmake" >>"$tmp/log" 2>&1
    status=$?
    [ "$status" = 0 ] || cat "$tmp/log"
    result "$status" cmake__find_package__builds
    classifies cmake__shared__classifies "$tmp/cmake/shared"
    classifies cmake__archive__classifies "$tmp/cmake/archive"
    sed -i 's/fovea 0.1/fovea 0.2/' "$tmp/project/CMakeLists.txt"
    cmake -S "$tmp/project" -B "$tmp/newer" -DCMAKE_PREFIX_PATH="$prefix;$libdir/cmake" >"$tmp/log" 2>&1
    [ $? != 0 ] && grep -q 0.1.0 "$tmp/log"
    result $? cmake__a_newer_version__is_not_found
else
    skip "cmake: there is none"
fi
done_with
