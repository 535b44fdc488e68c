#!/usr/bin/env bash
# One Kafka broker (KRaft, no ZooKeeper) for tests and the demo, on 127.0.0.1:PORT; PORT+1 is its controller's.
# The first that works: the address in BELUGA_TEST_KAFKA (host:port; only without options), a kafka-server-start.sh
# on PATH, Docker, Kafka's Maven artifacts in the user's cache with a JDK 17 or newer.
# Options are lines of server.properties (name=value). DIR holds data/, log and server.properties.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=testdata/servers/lifecycle.sh
. "$here/lifecycle.sh"

version=${BELUGA_KAFKA_VERSION:-4.3.1}
image=${BELUGA_KAFKA_IMAGE:-apache/kafka:$version}
heap=${BELUGA_KAFKA_HEAP:-512m}

# Metadata version 4 for no topics: ready once the reply lists a broker. A broker answers before the controller
# has let it in; until then it lists none, and topics cannot be created.
#   request: length 21, key 3, version 4, correlation 1, client "beluga", no topics, no automatic creation
#   reply:   length, correlation, throttle time, number of brokers (the last four of sixteen bytes)
request='\0\0\0\x15\0\x03\0\x04\0\0\0\x01\0\x06beluga\0\0\0\0\0'
ready() {
	local reply
	reply=$(answered "$1" 5 "$request" 16)
	[ ${#reply} = 32 ] && [ "${reply:24}" != 00000000 ]
}

# --- the ways to get a broker: each sets the arrays format and broker, or fails -----------------------------------

on_path() {
	command -v kafka-server-start.sh >/dev/null && command -v kafka-storage.sh >/dev/null || return 1
	format=(kafka-storage.sh) broker=(kafka-server-start.sh)
}

artifacts() {
	local major
	command -v java >/dev/null || return 1
	major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
	[ "${major:-0}" -ge 17 ] || return 1
	once "$cache/kafka-$version" download || return 1
	format=(java -XX:TieredStopAtLevel=1 -cp "$cache/kafka-$version/jars/*" kafka.tools.StorageTool)
	broker=(java "-Xmx$heap" -cp "$cache/kafka-$version/jars/*" kafka.Kafka)
}

# download WORKDIR copies the broker and what it depends on. Without a logging backend it would start mute, and
# say nothing about why it does not start.
download() {
	command -v mvn >/dev/null || return 1
	cat >"$1/pom.xml" <<-XML
		<project xmlns="http://maven.apache.org/POM/4.0.0">
		  <modelVersion>4.0.0</modelVersion>
		  <groupId>beluga</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
		  <dependencies>
		    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
		    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version></dependency>
		  </dependencies>
		</project>
	XML
	say "fetching Kafka $version"
	mvn -q -B -f "$1/pom.xml" dependency:copy-dependencies -DoutputDirectory="$1/jars" >"$1/log" 2>&1 ||
		{ tail -5 "$1/log" >&2; return 1; }
}

# --- starting and stopping ----------------------------------------------------------------------------------------

# obtain [OPTION…]: a container has one port outside, so listeners of one's own are for the other ways.
obtain() {
	local ways=(on_path container artifacts)
	case " $*" in *" listeners="*) ways=(on_path artifacts) ;; esac
	find_server "${ways[@]}" && return 0
	die 3 "no Kafka: BELUGA_TEST_KAFKA is not set, no kafka-server-start.sh is on PATH, Docker does not answer, and" \
		"Kafka $version could not be fetched by Maven into $cache (it needs mvn and a JDK 17 or newer). Remedy: install" \
		"one of them, or start a broker and set BELUGA_TEST_KAFKA=host:port"
}

fetch() { [ -n "${BELUGA_TEST_KAFKA-}" ] || obtain; }

start() {
	local dir=$1 port=$2 pid
	shift 2
	if [ -n "${BELUGA_TEST_KAFKA-}" ] && [ $# = 0 ]; then
		echo "$BELUGA_TEST_KAFKA"
		return
	fi
	obtain "$@"
	taken "$port" && die 1 "port $port is taken"
	if [ "$way" = container ]; then
		in_container "$dir" "$port" "$@"
		echo "127.0.0.1:$port"
		return
	fi
	mkdir -p "$dir/data"
	properties "$dir/data" "127.0.0.1:$port" "127.0.0.1:$((port + 1))" "127.0.0.1:$port" "$@" >"$dir/server.properties"
	if [ ! -f "$dir/data/meta.properties" ]; then
		"${format[@]}" format -t "$(cluster)" -c "$dir/server.properties" >"$dir/format.log" 2>&1 ||
			{ tail -5 "$dir/format.log" >&2; die 1 "formatting Kafka's log directory failed"; }
	fi
	# A session of its own: an interrupt at the terminal must not stop the broker before its users.
	LOG_DIR=$dir/logs KAFKA_HEAP_OPTS=-Xmx$heap \
		setsid "${broker[@]}" "$dir/server.properties" >>"$dir/log" 2>&1 </dev/null &
	pid=$!
	echo "$pid" >"$dir/pid"
	await "$pid" "$port" || { tail -20 "$dir/log" >&2; stop "$dir"; die 1 "Kafka did not start"; }
	echo "127.0.0.1:$port"
}

# properties DATA LISTENER CONTROLLER ADVERTISED [name=value…]: one node that is broker and controller. A later line
# of the same name wins, so options override.
properties() {
	cat <<-EOP
		process.roles=broker,controller
		node.id=1
		controller.quorum.voters=1@$3
		listeners=PLAINTEXT://$2,CONTROLLER://$3
		advertised.listeners=PLAINTEXT://$4
		controller.listener.names=CONTROLLER
		listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
		log.dirs=$1
		offsets.topic.replication.factor=1
		offsets.topic.num.partitions=1
		transaction.state.log.replication.factor=1
		transaction.state.log.min.isr=1
		group.initial.rebalance.delay.ms=0
	EOP
	shift 4
	[ $# = 0 ] || printf '%s\n' "$@"
}

# cluster prints a cluster id: sixteen random bytes in URL-safe base64, as Kafka writes them. Never with a dash in
# front: one id in 64 would have one, and the storage tool would take it for an option.
cluster() { head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n' | sed 's/^-/A/'; }

in_container() {
	local dir=$1 port=$2 env=() line name
	shift 2
	mkdir -p "$dir/data"
	chmod 777 "$dir/data" # the image runs as a user of its own
	while IFS= read -r line; do
		name=${line%%=*} name=${name//./_}
		env+=(-e "KAFKA_${name^^}=${line#*=}")
	done < <(properties /data 0.0.0.0:9092 localhost:9093 "127.0.0.1:$port" "$@")
	contain "$dir" "$port" "${env[@]}" -p "127.0.0.1:$port:9092" -v "$dir/data:/data" "$image"
}

stop() {
	local dir=$1
	if [ -f "$dir/pid" ]; then
		end "$(cat "$dir/pid")" "$dir/server.properties"
		rm -f "$dir/pid"
	fi
	discard "$dir"
}

main "$@"
