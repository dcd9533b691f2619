#!/usr/bin/env bash
# Subscribes to incidents: prints a line an event, and keeps what is open in a JSON file.
#
#     apt install kcat jq
#     bash subscriber.sh SERVERS STATE.json
#
# Environment: TOPIC_PREFIX (portquorum), KAFKA_USERNAME, KAFKA_PASSWORD, KAFKA_SASL_MECHANISM
# (PLAIN), KAFKA_TLS=1, KAFKA_CA (a PEM file; means TLS). It needs no consumer group: the offsets
# are in the state, which one `mv` replaces as a whole. For some events a second, no more.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
servers=${1:?SERVERS STATE.json} state=${2:?SERVERS STATE.json}
incidents=${TOPIC_PREFIX:-portquorum}.incidents
overlap_s=600 # [incidents.open] may be behind [incidents] by this much

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ending=
trap 'ending=yes' INT TERM

# Settings of kcat, by a pipe: whoever lists the processes would read a password in arguments, and
# kill -9 would leave a file behind.
settings() {
    local security=PLAINTEXT
    if [ -n "${KAFKA_TLS:-}${KAFKA_CA:-}" ]; then security=SSL; fi
    if [ -n "${KAFKA_CA:-}" ]; then echo "ssl.ca.location=$KAFKA_CA"; fi
    if [ -n "${KAFKA_USERNAME:-}" ]; then
        security=SASL_$security
        echo "sasl.mechanism=${KAFKA_SASL_MECHANISM:-PLAIN}"
        echo "sasl.username=$KAFKA_USERNAME"
        echo "sasl.password=$KAFKA_PASSWORD"
    fi
    echo "security.protocol=$security"
    echo "bootstrap.servers=$servers"
    echo "auto.offset.reset=earliest" # an offset that is gone costs time, never an event
    echo "log_level=3"
}

kafka() { kcat -q -F <(settings) "$@"; }
consume() { kafka -C -e -J -X fetch.wait.max.ms=50 "$@"; }

partitions() {
    kafka -L -J -t "$1" | jq -e '.topics[0].partitions | map(.partition) | .[]'
}

# "PARTITION OFFSET" of each partition of [incidents]: at a time in ms, or -1 for the end.
offsets() {
    local arguments=() partition
    for partition in "${all[@]}"; do arguments+=(-t "$incidents:$partition:$1"); done
    kafka -Q "${arguments[@]}" | sed -E 's/.*\[([0-9]+)\] offset (-?[0-9]+).*/\1 \2/'
}

# Messages (JSON, one a line) into the state; prints what is to be told, then replaces the state.
take() {
    jq -nc --slurpfile state "$1" --arg mode "$2" -f "$here/take.jq" <"$work/messages" \
        >"$work/taken" || return
    # Your work. If it is a call of another service, give it ce_id as idempotency key.
    jq -r '.lines[]' "$work/taken" || return
    keep '.state' "$work/taken"
}

keep() {
    jq -c "$@" >"$state.new" && sync "$state.new" && mv "$state.new" "$state"
}

# What is open now, from [incidents.open]; the first offsets of [incidents]. The offsets are taken
# first, so that nothing falls between the two topics.
bootstrap() {
    local partition offset next='{}'
    declare -A end # first: what is written between the two requests must not be left out
    while read -r partition offset; do end[$partition]=$offset; done < <(offsets -1)
    while read -r partition offset; do
        if [ "$offset" -lt 0 ] || [ "$offset" -gt "${end[$partition]}" ]; then
            offset=${end[$partition]} # nothing is that young
        fi
        next=$(jq -c ".[\"$partition\"] = $offset" <<<"$next")
    done < <(offsets $((($(date +%s) - overlap_s) * 1000)))
    if [ "$(jq length <<<"$next")" != "${#all[@]}" ]; then return 1; fi
    consume -t "$incidents.open" -o beginning >"$work/messages" || return
    jq -nc "{next: $next, handled: {}, states: {}}" >"$work/first" && take "$work/first" open
}

follow() {
    local partition offset next
    while read -r partition offset; do
        next=$(jq ".next[\"$partition\"] // 0" "$state") || return
        if [ "$offset" -gt "$next" ] && [ -z "$ending" ]; then
            consume -t "$incidents" -p "$partition" -o "$next" -c 500 >"$work/messages" &&
                take "$state" event || return
        fi
    done < <(offsets -1)
}

until mapfile -t all < <(partitions "$incidents") && [ "${#all[@]}" -gt 0 ]; do
    if [ -n "$ending" ]; then exit 0; fi
    echo "no topic $incidents, or no right to DESCRIBE it" >&2
    sleep 5
done
while [ -z "$ending" ]; do
    if [ -e "$state" ]; then follow; else bootstrap; fi ||
        echo "a round failed; the next takes it up" >&2
    if [ -n "$ending" ]; then break; fi
    sleep 1 &
    wait $! # a signal ends it
done
if [ -e "$state" ]; then
    jq -r '"handled \(.handled | length) open\([.states | to_entries[] | select(.value.open).key]
        | sort | map(" " + .) | add // "")"' "$state"
fi
