#!/usr/bin/env bash
# The demo: a MySQL with four tables of 100,000 rows, replicated into ./lake-demo while it changes, compared row
# by row, and how to read it. What it starts, it stops; the lake stays.
#
#   BELUGA  the binary (default: built into dist/)
#   KAFKA   "embedded", or host:port of a broker: go through Kafka (default: directly)
#   LAKE    folder of the lake (default: lake-demo)
#   ROWS    rows of each table (default: 100000)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
lake=${LAKE:-lake-demo}
rows=${ROWS:-100000}
work=$root/dist/demo

bold='' dim='' green='' red='' plain=''
if [ -t 1 ]; then
	bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi
step() { printf '\n%s● %s%s\n' "$bold" "$*" "$plain"; }
note() { printf '  %s\n' "$*"; }
fail() {
	printf '\n%s%s%s\n' "$red" "$*" "$plain" >&2
	exit 1
}
# Shows a command before it runs.
show() {
	printf '  %s$ %s%s\n' "$dim" "$*" "$plain"
	"$@"
}

running=
clean_up() {
	[ -z "$running" ] || kill "$running" 2>/dev/null || true
	[ -z "$running" ] || wait "$running" 2>/dev/null || true
	"$root/testdata/servers/mysql.sh" stop "$work/mysql" 2>/dev/null || true
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# A lake of an earlier demo goes; anything else of that name stays.
if [ -e "$lake" ]; then
	[ -f "$lake/catalog.db" ] || fail "$lake is there and is no lake of an earlier demo: remove it, or choose another folder with LAKE=…"
	rm -rf "$lake"
fi
rm -rf "$work"
mkdir -p "$work"

beluga=${BELUGA-}
if [ -z "$beluga" ]; then
	step "Building beluga"
	(cd "$root" && CGO_ENABLED=0 go build -o dist/beluga ./cmd/beluga)
	beluga=$root/dist/beluga
fi

step "A MySQL with four tables of $rows rows"
port=33901
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
address=$("$root/testdata/servers/mysql.sh" start "$work/mysql" "$port")
user=${BELUGA_TEST_MYSQL_USER:-root}
export BELUGA_PASSWORD=${BELUGA_TEST_MYSQL_PASSWORD-}
from=mysql://$user@$address/beluga_demo
note "mysqld answers on $address"
show "$beluga" bench prepare --from "$from" --rows "$rows"

way=directly
name=demo
kafka=
if [ -n "${KAFKA-}" ]; then
	way="through Kafka ($KAFKA)"
	kafka=--kafka=$KAFKA
	# Topics of an earlier demo must not be met again.
	[ "$KAFKA" = embedded ] || name=demo-$(date +%s)
fi
run=("$beluga" run --name "$name" --from "$from" --to "$lake" --commit-interval 2s ${kafka:+"$kafka"})

step "beluga run, $way: it loads the tables, then follows"
printf '  %s$ %s &%s\n' "$dim" "${run[*]}" "$plain"
"${run[@]}" 2>"$work/beluga.log" &
running=$!

step "Meanwhile the application goes on: updates, deletes, inserts, a new column"
alive() { kill -0 "$running" 2>/dev/null || { cat "$work/beluga.log" >&2; fail "beluga run has ended"; }; }
show "$beluga" bench write --from "$from" --rows "$rows" --transactions 1000
alive
show "$beluga" bench insert --from "$from" --inserts 20000 --seed 2
# MySQL itself refuses to read a table on in the state from before an ALTER, so the load has to be over by then.
until "$beluga" status --to "$lake" --name "$name" 2>/dev/null | grep -q '^last cut *[0-9]'; do
	alive
	sleep 0.2
done
show "$beluga" bench alter --from "$from"
show "$beluga" bench write --from "$from" --rows "$rows" --transactions 500 --seed 3
alive

step "Is every row of the lake as in MySQL? Both are live"
if show "$beluga" verify --from "$from" --to "$lake" --name "$name"; then
	printf '  %s✔ equal, row by row%s\n' "$green" "$plain"
else
	cat "$work/beluga.log" >&2
	fail "MySQL and the lake differ"
fi

step "beluga stops in order"
kill -TERM "$running"
if wait "$running"; then running=; else
	running=
	cat "$work/beluga.log" >&2
	fail "beluga run ended with a fault"
fi
tail -1 "$work/beluga.log" | sed 's/^/  /'
show "$beluga" status --to "$lake" --name "$name"

step "Read it: the lake stays in $(cd "$lake" && pwd)"
"$beluga" status --name "$name" --to "$lake" --snippets
