# What CMake answers who asks for something that is not there. To be sourced by Tests/install.
# shellcheck shell=bash disable=SC2154

# answer yes|no ASKED SAID ARGUMENT...: whether find_package(tlsmem ASKED) finds it, and that it says this
answer() {
    local expected=$1 asked=$2 said=$3 found=no
    shift 3
    mkdir -p "$work/asks"
    cat > "$work/asks/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.13)
project(asks LANGUAGES NONE)
find_package(tlsmem $asked)
message(STATUS "shared \${tlsmem_shared_FOUND}, static \${tlsmem_static_FOUND}")
END
    rm -rf "$work/asked"
    cmake -S "$work/asks" -B "$work/asked" -DCMAKE_LIBRARY_ARCHITECTURE="$architecture" "$@" > "$work/answer" 2>&1 &&
        found=yes
    cat "$work/answer"
    [ $found = "$expected" ] && tr -s ' \n' ' ' < "$work/answer" | grep -F "$said" > /dev/null # CMake wraps its lines
}

# alone FOLDER: a root in which nothing is but what lies there, as for another machine
alone() { printf '%s\n' "-DCMAKE_FIND_ROOT_PATH=$1" -DCMAKE_FIND_ROOT_PATH_MODE_{PACKAGE,LIBRARY,INCLUDE}=ONLY; }

versions() {
    cmake -DFILE="$home/$libraries/cmake/tlsmem/tlsmemConfigVersion.cmake" -DWORK="$work/versions" \
        -P Tests/consumers/versions.cmake
}

here=-DCMAKE_PREFIX_PATH=$home
mapfile -t alone < <(alone "$place")
mapfile -t nothing < <(alone "$work/nothing")
old=$work/old
mkdir -p "$old/openssl" && echo '# define OPENSSL_VERSION_NUMBER  0x1010117fL' > "$old/openssl/opensslv.h" # 1.1.1w
IFS=. read -r major minor _ <<< "$version"
no_openssl="tlsmem's component static needs OpenSSL 3.0 or newer"

check "CMake, this version" answer yes "$version EXACT REQUIRED" "shared TRUE, static " "$here"
for asked in "$major.$((minor + 1))" "$version.1" 9; do
    refused="compatible with requested version \"$asked\"."
    refused+=" The following configuration files were considered but not accepted:"
    refused+=" $home/$libraries/cmake/tlsmem/tlsmemConfig.cmake, version: $version"
    check "CMake, version $asked is refused" answer no "$asked REQUIRED" "$refused" "$here"
done
check "CMake, which versions will do for whom" versions
check "CMake, nothing is installed" answer no "$major.$minor REQUIRED" \
    'Could not find a package configuration file provided by "tlsmem"' "${nothing[@]}"
check "CMake, the shared library without OpenSSL" answer yes "REQUIRED" "shared TRUE, static " "${alone[@]}"
check "CMake, the static library without OpenSSL is refused" answer no "REQUIRED COMPONENTS shared static" \
    "$no_openssl" "${alone[@]}"
check "CMake, the static library may be missing" answer yes "REQUIRED OPTIONAL_COMPONENTS shared static" \
    "shared TRUE, static FALSE" "${alone[@]}"
check "CMake, the static library with an old OpenSSL is refused" answer no "REQUIRED COMPONENTS static" "$no_openssl" "$here" \
    -DOPENSSL_INCLUDE_DIR="$old" -DOPENSSL_CRYPTO_LIBRARY="$old" -DOPENSSL_SSL_LIBRARY="$old"
check "CMake, an unknown component is refused" answer no "REQUIRED COMPONENTS shared dynamic" \
    "tlsmem has no component dynamic: there are shared and static." "$here"
rm -f "$home/$libraries/libtlsmem.so.$version"
check "CMake, a library that is not there is refused" answer no "REQUIRED" \
    "tlsmem's component shared needs $home/$libraries/libtlsmem.so.$version, which is not there." "$here"
