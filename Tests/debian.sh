# For scripts that take something from the mirror of Debian that apt uses, and install nothing: apt with a state of its own, in
# the folder $work, which knows of one suite only. To be sourced. What it says is in $work/said.

# The mirror's address; nothing when apt knows none.
# shellcheck disable=SC2016
debian_site() {
    apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1
}

# debian_suite deb|deb-src SUITE: this one from now on. Fails when it cannot be had.
debian_suite() {
    local site
    command -v apt-get >/dev/null || { echo "no apt-get here" > "$work/said"; return 1; }
    site=$(debian_site)
    [ -n "$site" ] || { echo "apt knows no mirror of Debian" > "$work/said"; return 1; }
    echo "$1 [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $2 main" > "$work/sources.list"
    mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
    : > "$work/status"
    debian_apt update
}

# debian_apt ARGUMENT...: apt-get, with what that suite has.
debian_apt() {
    timeout 300 apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State="$work/state" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
        -o APT::Sandbox::User="$(id -un)" -o APT::Update::Error-Mode=any -o Acquire::Languages=none \
        -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false "$@" > "$work/said" 2>&1
}
