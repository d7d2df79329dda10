#!/bin/sh
# Installs the NetMonitor agent on this machine, as a service of systemd, from a hub.
#
#   sh nm-install.sh HUB CODE [--name NAME] [--force]
#
# HUB is an address under which this machine reaches the hub, such as http://192.168.1.5:8080; CODE
# is a join code. What follows is for `netmonitor-agent install`.
#
# Nothing that comes over the network is trusted. The line that the dashboard shows has the SHA-256
# of this script, and this script has those of the programs: so plain HTTP is good enough, and a
# certificate that this machine does not know.
set -eu

# One a line: for which system, and its SHA-256.
PROGRAMS='@PROGRAMS@'

fail() {
    echo "netmonitor: $*" >&2
    exit 1
}

# What this machine is called in PROGRAMS.
this_machine() {
    machine=$(uname -m)
    # A system of 32 bits may have a kernel of 64.
    case $machine,$(getconf LONG_BIT 2>/dev/null || true) in
        aarch64,32 | armv8*,* | armv7*,*) machine=armv7 ;;
        x86_64,32) machine=i686 ;;
    esac
    echo "$machine-linux"
}

# fetch ADDRESS FILE. What went wrong is said on standard output.
fetch() {
    if command -v curl >/dev/null; then
        # A hub that serves many machines says when to come back; curl waits so long.
        curl -fsSk --connect-timeout 10 --retry 5 -o "$2" "$1" 2>&1
    elif command -v wget >/dev/null; then
        case $1 in
            https:*) wget -q --no-check-certificate -O "$2" "$1" 2>&1 ;;
            *) wget -q -O "$2" "$1" 2>&1 ;;
        esac
    else
        echo "this machine has neither curl nor wget: install one of them"
        return 1
    fi
}

main() {
    usage="sh nm-install.sh http://HUB:8080 CODE [--name NAME]"
    [ $# -ge 2 ] || fail "the hub's address and a join code are missing: $usage"
    hub=${1%/}
    code=$2
    shift 2
    case $hub in
        http://?* | https://?*) ;;
        *) fail "$hub is no address of a hub, which begins with http:// or https://: $usage" ;;
    esac
    [ "$(uname -s)" = Linux ] || fail "this is for Linux, and this machine runs $(uname -s)"
    [ "$(id -u)" = 0 ] ||
        fail "a service is for the whole machine: run this as root, with sudo before the line"
    command -v sha256sum >/dev/null || fail "sha256sum is missing: install coreutils"

    target=$(this_machine)
    sha256='' others=''
    while read -r name sum; do
        others="$others $name"
        if [ "$name" = "$target" ]; then sha256=$sum; fi
    done <<END
$PROGRAMS
END
    [ -n "$sha256" ] ||
        fail "the hub has no agent for $target, only for:$others; put one into the folder agents of" \
            "the hub's data directory, and make a new join code"

    dir=$(mktemp -d) || fail "no temporary directory can be made: see whether the disk is full"
    trap 'rm -rf "$dir"' EXIT
    trap 'exit 1' HUP INT TERM
    program=$dir/netmonitor-agent

    reason=$(fetch "$hub/api/v1/agents/$target" "$program") ||
        fail "the agent could not be got from $hub, so nothing is installed:" \
            "$(echo "${reason:-no answer}" | tail -n 1)"
    echo "$sha256  $program" | sha256sum -c - >/dev/null 2>&1 ||
        fail "what came from $hub is not the agent that belongs to this script, so it was not run:" \
            "make a new join code in the dashboard, and paste its line"

    chmod 755 "$program"
    "$program" --version >/dev/null 2>&1 ||
        fail "the agent does not run here: it was built for another system, or no program may run in" \
            "$dir (then set TMPDIR to another directory)"
    "$program" install "$code" "$@" || exit 1
}

main "$@"
