# Takes messages of kcat -J into the state ($mode: "event" of [incidents], "open" of the table).
#
# Gives {state, lines}. The state: the next offset of each partition, the ids of the events that are
# done, and of each incident (region, partition) its newest event and whether that is open.

def an_id:
  if type == "string" and test("^[!-~]{1,200}$") then . else error("an id is empty, too long or no ASCII") end;

# The state that an event replaces: its incident, a partition's targets, or a region's.
def about($word):
  if $word | startswith("targets.") then
    if (.partition | type) == "number" then "unwatched/\(.partition)" else error("no number partition") end
  elif $word == "region.clock_skewed" then .event_id
  elif $word | startswith("region.") then
    if (.region | type) != "string" then error("no text region")
    elif $word == "region.silent" or $word == "region.returned" then "silent/\(.region)"
    elif $word | startswith("region.secrets_") then "secrets/\(.region)"
    else "suspect/\(.region)" end
  else .incident_id end;

# Whether the event says that its state holds; nothing ends a skewed clock: it is no state.
def is_open:
  IN("closed", "region.returned", "region.cleared", "region.clock_skewed", "region.secrets_found",
     "targets.watched") | not;

# The event; null for a type that this program doesn't know; an error if it can't be read.
# Each type is known whole: what a later `v2` brings is another type.
def read:
  . as $message
  | (.headers // [] | [range(0; length; 2) as $i | {key: .[$i], value: .[$i + 1]}] | from_entries) as $header
  | if $header.ce_specversion != "1.0" then error("ce_specversion is not 1.0") else . end
  | if any("ce_id", "ce_type", "ce_subject"; $header[.] | type != "string")
    then error("no ce_id, ce_type or ce_subject") else . end
  | ($header.ce_id | an_id)
  | ($header.ce_type | capture("^portquorum\\.(?:incident\\.(?<word>opened|updated|improved|worsened|closed)|(?<other>region\\.(?:silent|returned|suspect|cleared|clock_skewed|secrets_missing|secrets_found)|targets\\.(?:unwatched|watched)))\\.v1$")) // null
  | . as $type
  | $message
  | if $type == null then null
    else
      (if .payload == null then error("no value") else .payload end | fromjson) as $event
      | if ($event | type) != "object" then error("no object")
        elif ($event.at | type) != "number" or ($event.at | fabs) >= 9007199254740992 or ($event.summary | type) != "string"
        then error("no at or summary")
        elif $type.word and (($event.incident_id | type) != "string" or ($event.regions | type) != "object")
        then error("no incident_id or regions")
        else . end
      | ($type.word // $type.other) as $word
      | ($event | about($word) | an_id) as $about
      | (if $event.host then "\($event.host):\($event.port)" else $header.ce_subject end) as $place
      | [$event.regions // {} | to_entries[] | select(.value.verdict == "down").key] as $down
      | ($down | if . == [] then "-" else join(",") end) as $failing
      | {
          id: $header.ce_id,
          word: $word,
          about: $about,
          at: $event.at,
          # Whatever a server said may be in it: no control character reaches the terminal.
          line: ("\($place) \($failing) \($event.summary) [\($header.ce_id)]" | gsub("[[:cntrl:]]"; " ")),
          event: $event
        }
    end;

# Stores an event's id, and its state unless an `at` there is larger; if it is news, does its work (a
# line).
def handle($event; $told):
  if .state.handled[$event.id] then .
  else
    .state.states[$event.about] as $known
    | if $known == null or $event.at >= $known.at then
        .lines += ["\($told) \($event.line)"]
        | .state.states[$event.about] =
            {id: $event.id, at: $event.at, open: ($event.word | is_open), event: $event.event}
      else . end
    | .state.handled[$event.id] = $event.at
  end;

reduce inputs as $message ({state: $state[0], lines: [], newest: {}};
  ($message | try {event: read} catch {why: .}) as $read
  | (if $mode == "open" and $message.payload == null then {} else $read end) as $read
  | if $read.why then
      .lines += ["skipped \($message.topic)/\($message.partition)@\($message.offset): \($read.why | tostring | .[:120] | gsub("[[:cntrl:]]"; " "))"]
    else . end
  | if $mode == "open" then
      # What can't be read leaves the older one.
      if $message.payload == null then del(.newest[$message.key // ""])
      elif $read.event then .newest[$message.key // ""] = $read.event
      else . end
    else
      (if $read.event then handle($read.event; $read.event.word) else . end)
      | .state.next[$message.partition | tostring] = $message.offset + 1
    end)
| reduce .newest[] as $event (.; handle($event; "open"))
| del(.newest)
