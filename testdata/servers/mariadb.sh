#!/usr/bin/env bash
# One MariaDB server for tests, on 127.0.0.1, with root and no password.
# The first that works: the address in BELUGA_TEST_MARIADB (host:port; only without options, which could not be
# set there), a mariadbd 10.11 or newer on PATH, Docker, Debian's packages unpacked into the user's cache without
# root. DIR holds data/, log, and the path of the socket in the file `socket`.
set -euo pipefail
# shellcheck disable=SC2034 # mysqld.sh uses what is set here
name=mariadb address=${BELUGA_TEST_MARIADB-}
image=${BELUGA_MARIADB_IMAGE:-mariadb:11.8} secret=MARIADB_ALLOW_EMPTY_ROOT_PASSWORD
wanted=(mariadb-server-core) daemon=mariadbd
# shellcheck source=testdata/servers/mysqld.sh
. "$(dirname "${BASH_SOURCE[0]}")/mysqld.sh"

suits() {
	case $1 in
	*"Ver 10.11."*MariaDB* | *"Ver "1[1-9].*MariaDB*) ;;
	*) return 1 ;;
	esac
}

# initialise WORKDIR makes the system tables. An installed server has mariadb-install-db for it; an unpacked one
# would be looked for in the places that it was built for, so that it gets what that script gives it.
initialise() {
	say "initialising a data directory"
	if [ ${#base[@]} = 0 ]; then
		mariadb-install-db --no-defaults --auth-root-authentication-method=normal --skip-test-db \
			"${user[@]}" --datadir="$1/data" >"$1/log" 2>&1 || { tail -5 "$1/log" >&2; return 1; }
		return
	fi
	mkdir -p "$1/data/mysql"
	(
		cd "$cache/$name/usr/share/mariadb"
		printf '%s\n' "CREATE DATABASE IF NOT EXISTS mysql;" "USE mysql;" "SET @auth_root_socket = NULL;"
		cat mariadb_system_tables.sql mariadb_performance_tables.sql mariadb_system_tables_data.sql mariadb_sys_schema.sql
	) | "${mysqld[@]}" --no-defaults "${base[@]}" "${user[@]}" --bootstrap --datadir="$1/data" \
		--max-allowed-packet=8M --net-buffer-length=16K >"$1/log" 2>&1 || { tail -5 "$1/log" >&2; return 1; }
}

obtain() {
	find_server on_path container packages && return 0
	die 3 "no MariaDB: BELUGA_TEST_MARIADB is not set, no mariadbd 10.11 or newer is on PATH, Docker does not answer," \
		"and Debian's packages could not be unpacked into $cache. Remedy: install one of them, or start a server and" \
		"set BELUGA_TEST_MARIADB=host:port (BELUGA_TEST_MARIADB_USER, BELUGA_TEST_MARIADB_PASSWORD)"
}

start() {
	local dir=$1 port=$2
	shift 2
	if [ -n "$address" ] && [ $# = 0 ]; then
		echo "$address"
		return
	fi
	obtain
	# MariaDB's defaults have no binary log, log statements among rows, and do not write its end to disk.
	serve "$dir" "$port" --server-id="$port" --log-bin=binlog --binlog-format=ROW --binlog-row-metadata=FULL \
		--sync-binlog=1 --gtid-strict-mode=ON "$@"
}

main "$@"
