#!/usr/bin/env bash
# One MySQL server for tests and the demo, on 127.0.0.1, with root and no password.
# The first that works: the address in BELUGA_TEST_MYSQL (host:port; only without options, which could not be
# set there), a mysqld 8.0 or newer on PATH, Docker, Debian's packages unpacked into the user's cache without
# root. DIR holds data/, log, and the path of the socket in the file `socket`.
set -euo pipefail
# shellcheck disable=SC2034 # mysqld.sh uses what is set here
name=mysql address=${BELUGA_TEST_MYSQL-}
image=${BELUGA_MYSQL_IMAGE:-mysql:9.7} secret=MYSQL_ALLOW_EMPTY_PASSWORD
wanted=(mysql-server-core mysql-client-core) daemon=mysqld
# shellcheck source=testdata/servers/mysqld.sh
. "$(dirname "${BASH_SOURCE[0]}")/mysqld.sh"

suits() {
	case $1 in
	*MariaDB*) return 1 ;;
	*"Ver 8."* | *"Ver 9."* | *"Ver "[1-9][0-9].*) ;;
	*) return 1 ;;
	esac
}

# initialise WORKDIR. Without auto.cnf each copy draws a uuid of its own.
initialise() {
	say "initialising a data directory"
	"${mysqld[@]}" --no-defaults "${base[@]}" "${user[@]}" "${initial[@]}" --initialize-insecure --datadir="$1/data" >"$1/log" 2>&1 ||
		{ tail -5 "$1/log" >&2; return 1; }
	rm "$1/data/auto.cnf"
}

# keyrings lets an unpacked server take the keyring that a data directory asks for. A server that starts at the same
# moment must not see half a file.
keyrings() {
	local root=$cache/$name/usr
	whole "$root/lib/mysql/plugin/component_keyring_file.cnf" '{"read_local_config": true}'
	whole "$root/sbin/mysqld.my" '{"read_local_manifest": true}'
}

whole() {
	[ -e "$1" ] || { echo "$2" >"$1.$$" && mv "$1.$$" "$1"; }
}

obtain() {
	if find_server on_path container packages; then
		[ "$way" != packages ] || keyrings
		return 0
	fi
	die 3 "no MySQL: BELUGA_TEST_MYSQL is not set, no mysqld 8.0 or newer is on PATH, Docker does not answer, and" \
		"Debian's packages could not be unpacked into $cache. Remedy: install one of them, or start a server and" \
		"set BELUGA_TEST_MYSQL=host:port (BELUGA_TEST_MYSQL_USER, BELUGA_TEST_MYSQL_PASSWORD)"
}

start() {
	local dir=$1 port=$2
	shift 2
	if [ -n "$address" ] && [ $# = 0 ]; then
		echo "$address"
		return
	fi
	local option
	for option; do
		case $option in --lower-case-table-names=*) initial+=("$option") ;; esac
	done
	obtain
	# What Beluga wants beyond the defaults, which are durable and log rows; binlog_format is not even named, as
	# naming it is deprecated. What is tested is what users run.
	serve "$dir" "$port" --server-id="$port" --log-bin=binlog --gtid-mode=ON --enforce-gtid-consistency=ON \
		--binlog-row-metadata=FULL --mysqlx=OFF "$@"
}

main "$@"
