# shellcheck shell=bash disable=SC2034,SC2154 # sourced: variables pass both ways
# Sourced by mysql.sh and mariadb.sh: what starting either of the two servers has in common. They set
#
#   name, address    of the product, and of a server that runs already (host:port); empty: none
#   image, secret    the container's image, and the variable that lets its root in without a password
#   wanted           Debian's packages
#   daemon           the server's file, on PATH and in the package's usr/sbin
#   base             options that an unpacked server needs, made of $root by bases
#
# and define suits VERSION (the daemon's own words) and initialise WORKDIR.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=testdata/servers/lifecycle.sh
. "$here/lifecycle.sh"

# A greeting of protocol 10. An error packet (ff) or a proxy that accepts and says nothing is no server yet.
ready() { [ "$(answered "$1" 5 '' 5 | cut -c9-10)" = 0a ]; }

# --- the ways to get a server: each sets the arrays mysqld and base, or fails -------------------------------------

on_path() {
	local binary version
	binary=$(PATH=$PATH:/usr/local/sbin:/usr/sbin command -v "$daemon") || return 1
	version=$("$binary" --no-defaults --version 2>/dev/null) || return 1
	suits "$version" || return 1
	mysqld=("$binary") base=()
	template
}

# The packages bring their own C library, so they are started through their own loader and run on any Linux of
# the same processor.
packages() {
	local root=$cache/$name loader libs
	once "$root" unpack || return 1
	loader=$(find "$root/usr/lib" "$root/usr/lib64" -name 'ld-linux-*.so.?' 2>/dev/null | head -1)
	[ -n "$loader" ] || return 1
	libs=$(printf '%s:' "$root"/usr/lib/*-linux-gnu*)$root/usr/lib/mysql/private
	mysqld=("$loader" --library-path "$libs" "$root/usr/sbin/$daemon")
	base=(--basedir="$root/usr" --lc-messages-dir="$root/usr/share/$name" --plugin-dir="$root/usr/lib/mysql/plugin")
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
		say "fetching the packages of $name"
		if apt-get "${options[@]}" update -qq >"$apt/log" 2>&1 &&
			apt-get "${options[@]}" -y -d install "${wanted[@]}" >>"$apt/log" 2>&1; then
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

# template makes the data directory of this very server once; a new one gets a copy. Initialising takes five
# seconds, copying a tenth of one. Options that only count then have a template of their own.
template() {
	local id
	id=$("${mysqld[@]}" --no-defaults --version | cksum | cut -d' ' -f1)
	data=$cache/$name-data-$id${initial[*]//[^a-z0-9]/}
	once "$data" initialise
}

# --- starting and stopping ----------------------------------------------------------------------------------------

initial=()
user=()
[ "$(id -u)" = 0 ] && user=(--user=root)

fetch() { [ -n "$address" ] || obtain; }

# serve DIR PORT OPTIONS… starts the server that obtain has found, and prints its address.
serve() {
	local dir=$1 port=$2
	shift 2
	taken "$port" && die 1 "port $port is taken"
	if [ "$way" = container ]; then
		mkdir -p "$dir/data"
		contain "$dir" "$port" -e "$secret=yes" -p "127.0.0.1:$port:3306" -v "$dir/data:/var/lib/mysql" "$image" "$@"
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
		echo "$(mktemp -d "/tmp/beluga-$name.XXXXXX")/mysql.sock" >"$dir/socket"
	# A session of its own: an interrupt at the terminal must not stop the server before its users.
	setsid "${mysqld[@]}" --no-defaults "${base[@]}" "${user[@]}" --datadir="$dir/data" --port="$port" \
		--bind-address=127.0.0.1 --socket="$(cat "$dir/socket")" \
		--secure-file-priv= "$@" >>"$dir/log" 2>&1 </dev/null &
	pid=$!
	echo "$pid" >"$dir/pid"
	await "$pid" "$port" || { tail -20 "$dir/log" >&2; stop "$dir"; die 1 "$daemon did not start"; }
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
