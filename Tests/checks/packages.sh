# Tarballs and Debian packages: made, looked into, made a second time, installed and purged. As root, a quarter of an hour;
# not in CI.

debs=build/deb
name=tlsmem-$(sed -n 's/^Version: //p' build/stage/lib/pkgconfig/tlsmem.pc)
place=$work/anywhere/$name-linux-$(uname -m)
export PATH=$PATH:/usr/sbin:/sbin

made() { rm -rf build/dist build/deb && make --no-print-directory dist deb; }

packages_differ() {
    diff <(for deb in "$debs"/*.deb; do dpkg-deb -f "$deb" Package; done) <(printf '%s\n' libtlsmem-dev libtlsmem0-dbgsym libtlsmem0)
}
# OpenSSL's and C's libraries, in versions of which OpenSSL's first is told apart.
needs_besides() {
    dpkg-deb -f "$debs"/libtlsmem0_*.deb Depends | tr , '\n' | sed 's/^ //' | sort |
        diff <(printf '%s\n' 'libc6 (>= N)' 'libssl3 (>= 3.0.0)') <(sed 's/^\(libc6 (>= \)[0-9.]*)$/\1N)/')
}
tags() { lintian --allow-root --fail-on error,warning -I "$debs"/*.changes; }

# What dh_strip takes from the library beside what make does, and what it adds.
library_differs_in_package() {
    local packaged
    mkdir "$work/packaged" && dpkg-deb -x "$debs"/libtlsmem0_*.deb "$work/packaged" || return
    packaged=$(echo "$work"/packaged/usr/lib/*/libtlsmem.so.0)
    readelf -SW "$packaged" | grep -q ' \.gnu_debuglink ' || echo "it has no .gnu_debuglink"
    objcopy -R .comment -R .gnu_debuglink "$packaged" "$work/packaged.so"
    objcopy -R .comment "$place/lib/libtlsmem.so" "$work/unpacked.so"
    cmp "$work/packaged.so" "$work/unpacked.so"
}

sums_wrong() { (cd build/dist && sha256sum --quiet -c SHA256SUMS && diff <(sed 's/.* //' SHA256SUMS | sort) <(printf '%s\n' *.tar.xz)); }
sources_differ() { diff <(git ls-files | sed "s,^,$name/," | LC_ALL=C sort) <(tar -tf "build/dist/$name.tar.xz" | LC_ALL=C sort); }
unpacked() { mkdir "$work/anywhere" && tar -xf "build/dist/$name-linux-$(uname -m).tar.xz" -C "$work/anywhere" && [ -d "$place" ]; }
tarball_serves() { # ARGUMENT...: a stranger's program is built with what lies there, and runs
    PKG_CONFIG_PATH=$place/lib/pkgconfig make -B -f Tests/consumers/Makefile OUTPUT="$work/consumer" "$@" &&
        LD_LIBRARY_PATH=$place/lib "$work/consumer"
}
serves_shared() { tarball_serves && readelf -d "$work/consumer" | grep 'NEEDED.*\[libtlsmem\.so\.0\]'; }
serves_static() { tarball_serves PKG_CONFIG='pkg-config --static' LDFLAGS=-static && ! readelf -d "$work/consumer" | grep NEEDED; }

# debian/rules, for whoever comes without Swift.
says_what_is_missing() {
    mkdir "$work/sources" && tar -xf "build/dist/$name.tar.xz" -C "$work/sources" || return
    local said
    ! said=$(cd "$work/sources/$name" && SWIFT=/nowhere/swift debian/rules build 2>&1) || echo "it builds"
    grep -q 'needs Swift 6\.3 or newer, and finds no "/nowhere/swift"' <<< "$said" || echo "$said"
}

succeeds "the tools are there" Tests/packages packages
succeeds "make dist deb" made
check "the packages are libtlsmem0, libtlsmem-dev and libtlsmem0-dbgsym" packages_differ
check "libtlsmem0 needs libssl3 (>= 3.0.0) and libc6, nothing else" needs_besides
check "lintian has nothing to say, not even for information" tags
check "without Swift, debian/rules says what is missing" says_what_is_missing
check "the sums are those of the tarballs" sums_wrong
check "the packed sources are all that git knows of" sources_differ
check "the packed library unpacks in any folder" unpacked
check "it is the one of libtlsmem0, but for what dh_strip takes away and adds" library_differs_in_package
succeeds "pkg-config finds it there, and a program is linked with it" serves_shared
succeeds "and without a shared library" serves_static
succeeds "built again elsewhere, all of it is the same, byte by byte: Tests/reproducible" Tests/reproducible
succeeds "in a Debian without Swift it installs, serves and goes: Tests/chroot" Tests/chroot
