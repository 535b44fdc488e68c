# shellcheck shell=bash disable=SC2034 # sourced: the scripts use what is defined here
# Sourced by mysqld.sh and kafka.sh, after image is set: what the life of a server needs, whichever server it is.
#
#   start DIR PORT [options]   start, wait until it answers by its protocol, print its address
#   run   DIR PORT [options]   the same, then hold the server as long as standard input stays open
#   stop  DIR                  stop what was started in DIR
#   fetch                      only obtain the server
#
# Exit status: 0 done, 1 the server did not start, 2 wrong usage, 3 no way to obtain a server here.

cache=${BELUGA_SERVERS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/beluga/servers}

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() {
	local status=$1
	shift
	say "$*"
	exit "$status"
}

# once TARGET COMMAND… makes TARGET by COMMAND WORKDIR, and only one process at a time does so. The rename
# at the end makes it whole or absent: a run that was killed half-way leaves nothing that looks ready.
once() {
	local target=$1
	shift
	[ -e "$target" ] && return 0
	mkdir -p "$(dirname "$target")"
	(
		flock 9
		[ -e "$target" ] && exit 0
		work=$target.part
		rm -rf "$work"
		mkdir -p "$work"
		"$@" "$work" 9>&- && mv "$work" "$target"
	) 9>"$target.lock"
}

# running PID WORD: the process lives and is still ours. The word (DIR, on its command line) guards against
# a pid that was given to another process since.
running() {
	kill -0 "$1" 2>/dev/null || return 1
	if [ -r "/proc/$1/cmdline" ]; then
		tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF -- "$2"
	else
		ps -p "$1" -o args= 2>/dev/null | grep -qF -- "$2"
	fi
}

# taken PORT: somebody listens there, who would otherwise be mistaken for the server that is started.
taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# answered PORT SECONDS REQUEST BYTES sends REQUEST (printf escapes, may be empty) and prints the first BYTES of
# the reply in hex; nothing where nobody listens or the peer stays silent.
answered() {
	(
		exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
		# shellcheck disable=SC2059 # the request is a list of escapes
		printf "$3" >&3
		timeout "$2" head -c "$4" <&3 | od -An -v -tx1 | tr -d ' \n'
	) 2>/dev/null
}

# await PID PORT polls until the server answers. There is no deadline while our child lives: a slow machine is
# not a fault, and a dead server is seen at once. Who answers is our child only if that still lives.
await() {
	until ready "$2"; do
		kill -0 "$1" 2>/dev/null || return 1
		sleep 0.1
	done
	kill -0 "$1" 2>/dev/null
}

# end PID DIR asks the process to stop and waits for it; after a minute it is killed.
end() {
	local i
	running "$1" "$2" || return 0
	kill "$1"
	for ((i = 0; i < 600; i++)); do
		running "$1" "$2" || return 0
		sleep 0.1
	done
	say "process $1 did not stop within a minute: killing it"
	kill -9 "$1"
	while running "$1" "$2"; do sleep 0.1; done
}

# lives CONTAINER: Docker has not stopped it.
lives() { [ -n "$(docker ps -q --no-trunc --filter id="$1")" ]; }

# contain DIR PORT ARGUMENTS… runs a container that is known by DIR, and waits until it answers on PORT. ARGUMENTS are
# those of docker run: options, the image, and what it is given.
contain() {
	local dir=$1 port=$2
	shift 2
	docker run -d --rm --label beluga="$dir" "$@" >"$dir/container" || die 1 "docker did not start $image"
	until ready "$port"; do
		lives "$(cat "$dir/container")" || die 1 "$image did not start"
		sleep 0.2
	done
}

# container is the way to get a server from Docker: it only obtains the image.
container() {
	command -v docker >/dev/null && timeout 10 docker info >/dev/null 2>&1 || return 1
	docker image inspect "$image" >/dev/null 2>&1 || docker pull -q "$image" >&2
}

# discard DIR stops what contain started.
discard() {
	[ -f "$1/container" ] || return 0
	docker stop -t 60 "$(cat "$1/container")" >/dev/null 2>&1 || true
	rm -f "$1/container"
}

# find_server runs the first of the given ways that works, and leaves its name in way.
find_server() {
	for way in "$@"; do
		"$way" && return 0
	done
	return 1
}

# hold DIR keeps the server until the line "stop" comes, or standard input ends. Input ends when the process
# that started us is gone, whatever killed it; then nobody will read DIR again. A parent-death signal would
# be tied to the one thread that started us, and would not reach a container.
hold() {
	local line=
	read -r line || true
	stop "$1"
	[ "$line" = stop ] || rm -rf "$1"
}

# main COMMAND…: the scripts define fetch, start DIR PORT OPTIONS…, stop DIR and ready PORT.
main() {
	local command=${1-} dir=${2-} port=${3-}
	case $command in
	fetch) fetch ;;
	start | run)
		[ -n "$dir" ] && [ "${port:-0}" -gt 0 ] 2>/dev/null || die 2 "usage: $command DIR PORT [options]"
		shift 3
		mkdir -p "$dir"
		dir=$(cd "$dir" && pwd)
		# Interrupts at the terminal reach the whole group. The holder outlives them, to stop the server last.
		[ "$command" = run ] && trap '' INT HUP
		start "$dir" "$port" "$@"
		[ "$command" = run ] && hold "$dir"
		return 0
		;;
	stop)
		[ -d "$dir" ] || die 2 "usage: stop DIR"
		stop "$(cd "$dir" && pwd)"
		;;
	*) die 2 "usage: fetch | start DIR PORT [options] | run DIR PORT [options] | stop DIR" ;;
	esac
}
