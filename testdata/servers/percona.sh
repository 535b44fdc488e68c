#!/usr/bin/env bash
# A tool of the Percona Toolkit for tests. The first that works: the tool on PATH, Debian's packages unpacked into the
# user's cache without root, Perl and its database drivers included.
#
#   fetch            only obtain the tools; exit status 3: there is no way to here
#   run TOOL [arguments]
set -euo pipefail
# shellcheck disable=SC2034 # mysqld.sh uses what is set here
name=percona-toolkit address='' image='' secret='' wanted=(percona-toolkit) daemon=perl
# shellcheck source=testdata/servers/mysqld.sh
. "$(dirname "${BASH_SOURCE[0]}")/mysqld.sh"

root=$cache/$name
command=${1-} tool=${2-pt-online-schema-change}

# by_packages runs the tool by its own Perl, which does not know that it stands elsewhere.
by_packages() {
	local loader libs folder include=()
	loader=$(find "$root/usr/lib" "$root/usr/lib64" -name 'ld-linux-*.so.?' 2>/dev/null | head -1)
	libs=$(echo "$root"/usr/lib/*-linux-gnu)
	for folder in "$libs"/perl5/* "$root"/usr/share/perl5 "$libs"/perl/5* "$root"/usr/share/perl/5* "$libs"/perl-base; do
		[ ! -d "$folder" ] || include+=("-I$folder")
	done
	export MARIADB_PLUGIN_DIR=$libs/libmariadb3/plugin
	exec "$loader" --library-path "$libs" "$root/usr/bin/perl" "${include[@]}" "$root/usr/bin/$tool" "$@"
}

case $command in
fetch)
	command -v "$tool" >/dev/null || once "$root" unpack ||
		die 3 "no $tool is on PATH, and Debian's packages could not be unpacked into $cache. Remedy: install percona-toolkit"
	;;
run)
	shift 2
	if command -v "$tool" >/dev/null; then
		exec "$tool" "$@"
	fi
	by_packages "$@"
	;;
*) die 2 "usage: fetch | run TOOL [arguments]" ;;
esac
