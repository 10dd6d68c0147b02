# Programs of strangers: consumer.c with names alone, by pkg-config, make, CMake and Meson, with gcc and clang. To be sourced
# by Tests/install.
# shellcheck shell=bash disable=SC2154

lib=$home/$libraries

# uses WAY PROGRAM [FOLDER]: it runs, and has from where it should: `shared` our library from this folder; `archive` ours in
# itself, and OpenSSL's from the system; `static` both in itself.
uses() {
    local way=$1 program=$2 folder=${3:-$lib} needed
    needed=$(readelf -dW "$program" | sed -n 's/.*(NEEDED).*\[\(lib[a-z]*\)\..*/\1/p' | grep -xE 'libtlsmem|libssl')
    case $way/$needed in
        shared/libtlsmem | archive/libssl | static/) ;;
        *) echo "$way, and needs: $needed"; return 1 ;;
    esac
    local -x LD_LIBRARY_PATH=$folder
    [ "$way" != shared ] || ldd "$program" | grep -F "libtlsmem.so.0 => $folder/libtlsmem.so.0 " || return
    "$program"
}

# What one writes without pkg-config.
by_names() { # WAY ARGUMENT...
    local way=$1
    shift
    cc -I"$home/include" -DTOLD_VERSION="\"$version\"" Tests/consumers/consumer.c "$@" -o "$work/by_names" &&
        uses "$way" "$work/by_names"
}

by_pkg_config() { # WAY COMPILER LANGUAGE STANDARD
    local program=$work/by_pkg_config link
    case $1 in
        shared) link=$(pkg-config --libs tlsmem) ;;
        archive) link="$lib/libtlsmem.a $(pkg-config --static --libs-only-l tlsmem | sed 's/-ltlsmem//')" ;;
        static) link="-static $(pkg-config --static --libs tlsmem)" ;;
    esac
    # shellcheck disable=SC2046,SC2086
    "$2" -x "$3" -std="$4" -Wall -Wextra -Wpedantic -Werror -DTOLD_VERSION="\"$(pkg-config --modversion tlsmem)\"" \
        $(pkg-config --cflags tlsmem) -c Tests/consumers/consumer.c -o "$program.o" &&
        "$2" "$program.o" $link -o "$program" && uses "$1" "$program"
}
valid() {
    pkg-config --validate tlsmem && pkg-config --exists "tlsmem = $version" && ! pkg-config --exists "tlsmem > $version" &&
        pkg-config --libs tlsmem | grep -xE -e "-L$lib -ltlsmem *"
}

# By the header alone: nothing is linked, and everything is found.
by_dlopen() { # COMPILER LANGUAGE STANDARD
    local program=$work/by_dlopen
    # shellcheck disable=SC2046
    "$1" -x "$2" -std="$3" -Wall -Wextra -Wpedantic -Werror -DTOLD_VERSION="\"$(pkg-config --modversion tlsmem)\"" \
        $(pkg-config --cflags tlsmem) Tests/consumers/loader.c -o "$program" || return
    ! readelf -dW "$program" | grep -E 'NEEDED.*(tlsmem|libssl)' && LD_LIBRARY_PATH=$lib "$program"
}

by_make() { make --no-print-directory -f Tests/consumers/Makefile OUTPUT="$work/by_make" && uses shared "$work/by_make"; }

# cmake_builds FOLDER ARGUMENT...; of it, `cmake --install` takes a program and the library along.
cmake_builds() {
    local folder=$1
    shift
    cmake -S Tests/consumers -B "$folder" -G Ninja -DWANTED="${version%.*}" "$@" && ninja -C "$folder"
}
cmake_takes_along() { cmake --install "$1" --prefix "$work/taken" && uses shared "$work/taken/bin/shared_c99" "$work/taken/lib"; }

meson_builds() { meson setup "$1" Tests/consumers -Dcmake_prefix_path="$home" && ninja -C "$1"; }

# Moved as a whole, with the folder of libraries behind a link, as /lib is one to /usr/lib.
moved() {
    ln -s usr/lib "$place/lib" && cmake_builds "$work/moved" -Dtlsmem_DIR="$place/$libraries/cmake/tlsmem" &&
        uses shared "$work/moved/shared_c99" "$place/usr/$libraries" && uses archive "$work/moved/archive_c99"
    local code=$?
    rm "$place/lib"
    return $code
}

check "cc with names alone, shared" by_names shared -L"$lib" -ltlsmem
check "cc with names alone, libtlsmem.a, -lssl and -lcrypto" by_names archive "$lib/libtlsmem.a" -lssl -lcrypto
check "the .pc file is valid, and links nothing else" valid
check "pkg-config, everything static" by_pkg_config static gcc c c99
check "make with pkg-config" by_make
for CC in gcc clang; do
    case $CC in gcc) CXX=g++ ;; clang) CXX=clang++ ;; esac
    export CC CXX
    check "CMake builds with $CC" cmake_builds "$work/cmake-$CC" -DCMAKE_PREFIX_PATH="$home"
    check "Meson builds with $CC" meson_builds "$work/meson-$CC"
    for standard in c99 c17 c++17; do
        case $standard in c++*) compiler=$CXX language=c++ ;; *) compiler=$CC language=c ;; esac
        check "dlopen by tlsmem_dynamic.h, $compiler, $standard" by_dlopen "$compiler" $language $standard
        for way in shared archive; do
            check "pkg-config, $way, $compiler, $standard" by_pkg_config $way "$compiler" $language $standard
            check "CMake, $way, $compiler, $standard" uses $way "$work/cmake-$CC/${way}_$standard"
        done
        for way in shared static; do
            check "Meson, $way, $compiler, $standard" uses $way "$work/meson-$CC/${way}_$standard"
        done
        check "Meson by CMake's files, shared, $compiler, $standard" uses shared "$work/meson-$CC/bycmake_$standard"
    done
done
unset CC CXX
check "CMake takes the library along" cmake_takes_along "$work/cmake-gcc"
check "CMake finds it where it was moved" moved
