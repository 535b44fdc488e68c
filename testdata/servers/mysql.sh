#!/usr/bin/env bash
# One MySQL server for tests and the demo, on 127.0.0.1, with root and no password.
# The first that works: the address in BELUGA_TEST_MYSQL (host:port; only without options, which could not be
# set there), a mysqld 8.0 or newer on PATH, Docker, Debian's packages unpacked into the user's cache without
# root. DIR holds data/, log, and the path of the socket in the file `socket`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=testdata/servers/lifecycle.sh
. "$here/lifecycle.sh"

image=${BELUGA_MYSQL_IMAGE:-mysql:9.7}

# A greeting of protocol 10. An error packet (ff) or a proxy that accepts and says nothing is no server yet.
ready() { [ "$(answered "$1" 5 '' 5 | cut -c9-10)" = 0a ]; }

# --- the ways to get a mysqld: each sets the arrays mysqld and base, or fails -------------------------------------

on_path() {
	local binary version
	binary=$(PATH=$PATH:/usr/local/sbin:/usr/sbin command -v mysqld) || return 1
	version=$("$binary" --no-defaults --version 2>/dev/null) || return 1
	case $version in
	*MariaDB*) return 1 ;;
	*"Ver 8."* | *"Ver 9."* | *"Ver "[1-9][0-9].*) ;;
	*) return 1 ;;
	esac
	mysqld=("$binary") base=()
	template
}

# The packages bring their own C library, so they are started through their own loader and run on any Linux of
# the same processor.
packages() {
	local root=$cache/mysql loader libs
	once "$root" unpack || return 1
	loader=$(find "$root/usr/lib" "$root/usr/lib64" -name 'ld-linux-*.so.?' 2>/dev/null | head -1)
	[ -n "$loader" ] || return 1
	libs=$(printf '%s:' "$root"/usr/lib/*-linux-gnu*)$root/usr/lib/mysql/private
	mysqld=("$loader" --library-path "$libs" "$root/usr/sbin/mysqld")
	base=(--basedir="$root/usr" --lc-messages-dir="$root/usr/share/mysql" --plugin-dir="$root/usr/lib/mysql/plugin")
	template
}

# unpack WORKDIR: apt resolves against an empty dpkg status, so that everything comes along, the C library too.
# All of apt's state is private; nothing is installed and root is not needed.
unpack() {
	local work=$1 apt=$1/apt mirror keyring package options
	command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
	keyring=$(find /usr/share/keyrings -name 'debian-archive-keyring.*' | sort | head -1)
	[ -n "$keyring" ] || return 1
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	: >"$apt/status"
	options=(-o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/nonexistent
		-o Dir::State="$apt" -o Dir::State::lists="$apt/lists" -o Dir::State::status="$apt/status"
		-o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)"
		-o APT::Install-Recommends=false -o Acquire::Retries=3 -o Debug::NoLocking=1)
	for mirror in $(mirrors); do
		printf 'deb [signed-by=%s] %s sid main\n' "$keyring" "$mirror" >"$apt/sources.list"
		say "fetching MySQL's packages"
		if apt-get "${options[@]}" update -qq >"$apt/log" 2>&1 &&
			apt-get "${options[@]}" -y -d install mysql-server-core mysql-client-core >>"$apt/log" 2>&1; then
			for package in "$apt"/cache/archives/*.deb; do
				dpkg -x "$package" "$work" || return 1
			done
			rm -rf "$apt"
			return 0
		fi
	done
	[ -e "$apt/log" ] && tail -5 "$apt/log" >&2
	return 1
}

# mirrors prints the addresses of the machine's own apt sources, in both formats, Debian's own first.
mirrors() {
	{
		cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk '/^URIs:/ { for (i = 2; i <= NF; i++) print $i }'
		cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
			sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p'
	} | awk '!seen[$0]++' | awk '/debian\/?$/ { print; next } { rest = rest $0 "\n" } END { printf "%s", rest }'
}

# template makes the data directory of this very mysqld once; a new server gets a copy, without auto.cnf, so
# that it draws a uuid of its own. Initialising takes five seconds, copying a tenth of one. Options that only count
# then have a template of their own.
template() {
	local id
	id=$("${mysqld[@]}" --no-defaults --version | cksum | cut -d' ' -f1)
	data=$cache/mysql-data-$id${initial[*]//[^a-z0-9]/}
	once "$data" initialise
}

initialise() {
	say "initialising a data directory"
	"${mysqld[@]}" --no-defaults "${base[@]}" "${user[@]}" "${initial[@]}" --initialize-insecure --datadir="$1/data" >"$1/log" 2>&1 ||
		{ tail -5 "$1/log" >&2; return 1; }
	rm "$1/data/auto.cnf"
}

# --- starting and stopping ----------------------------------------------------------------------------------------

initial=()
user=()
[ "$(id -u)" = 0 ] && user=(--user=root)

obtain() {
	find_server on_path container packages && return 0
	die 3 "no MySQL: BELUGA_TEST_MYSQL is not set, no mysqld 8.0 or newer is on PATH, Docker does not answer, and" \
		"Debian's packages could not be unpacked into $cache. Remedy: install one of them, or start a server and" \
		"set BELUGA_TEST_MYSQL=host:port (BELUGA_TEST_MYSQL_USER, BELUGA_TEST_MYSQL_PASSWORD)"
}

fetch() { [ -n "${BELUGA_TEST_MYSQL-}" ] || obtain; }

start() {
	local dir=$1 port=$2
	shift 2
	if [ -n "${BELUGA_TEST_MYSQL-}" ] && [ $# = 0 ]; then
		echo "$BELUGA_TEST_MYSQL"
		return
	fi
	local option
	for option; do
		case $option in --lower-case-table-names=*) initial+=("$option") ;; esac
	done
	obtain
	taken "$port" && die 1 "port $port is taken"
	# What Beluga wants beyond the defaults, which are durable and log rows; binlog_format is not even named, as
	# naming it is deprecated. What is tested is what users run.
	set -- --server-id="$port" --log-bin=binlog --gtid-mode=ON --enforce-gtid-consistency=ON \
		--binlog-row-metadata=FULL --mysqlx=OFF "$@"
	if [ "$way" = container ]; then
		in_container "$dir" "$port" "$@"
	else
		natively "$dir" "$port" "$@"
	fi
	echo "127.0.0.1:$port"
}

natively() {
	local dir=$1 port=$2 pid
	shift 2
	# The rename makes the copy whole or absent.
	[ -d "$dir/data" ] || { rm -rf "$dir/data.part" && cp -R "$data/data" "$dir/data.part" && mv "$dir/data.part" "$dir/data"; }
	# A socket's path has at most 107 bytes, which test directories easily pass.
	[ -d "$(dirname "$(cat "$dir/socket" 2>/dev/null || echo /nonexistent/s)")" ] ||
		echo "$(mktemp -d /tmp/beluga-mysql.XXXXXX)/mysql.sock" >"$dir/socket"
	# A session of its own: an interrupt at the terminal must not stop the server before its users.
	setsid "${mysqld[@]}" --no-defaults "${base[@]}" "${user[@]}" --datadir="$dir/data" --port="$port" \
		--bind-address=127.0.0.1 --socket="$(cat "$dir/socket")" \
		--secure-file-priv= "$@" >>"$dir/log" 2>&1 </dev/null &
	pid=$!
	echo "$pid" >"$dir/pid"
	await "$pid" "$port" || { tail -20 "$dir/log" >&2; stop "$dir"; die 1 "mysqld did not start"; }
}

in_container() {
	local dir=$1 port=$2
	shift 2
	mkdir -p "$dir/data"
	contain "$dir" "$port" -e MYSQL_ALLOW_EMPTY_PASSWORD=yes -p "127.0.0.1:$port:3306" -v "$dir/data:/var/lib/mysql" "$image" "$@"
}

stop() {
	local dir=$1
	if [ -f "$dir/pid" ]; then
		end "$(cat "$dir/pid")" "$dir/data"
		rm -f "$dir/pid"
	fi
	if [ -f "$dir/socket" ]; then
		rm -rf "$(dirname "$(cat "$dir/socket")")"
		rm -f "$dir/socket"
	fi
	discard "$dir"
}

main "$@"
