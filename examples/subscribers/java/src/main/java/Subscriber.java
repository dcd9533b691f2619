import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Subscribes to incidents: prints a line an event, and keeps what is open in SQLite.
 *
 * <pre>
 * mvn -q compile exec:java -Dexec.mainClass=Subscriber -Dexec.args="SERVERS STATE.sqlite"
 * </pre>
 *
 * Environment: TOPIC_PREFIX (portquorum), GROUP (my-service), KAFKA_USERNAME, KAFKA_PASSWORD,
 * KAFKA_SASL_MECHANISM (PLAIN), KAFKA_TLS=1, KAFKA_CA (a PEM file; means TLS).
 */
public final class Subscriber {
    private static final String PREFIX = env("TOPIC_PREFIX", "portquorum");
    private static final String GROUP = env("GROUP", "my-service");
    private static final String INCIDENTS = PREFIX + ".incidents";
    private static final String OPEN = PREFIX + ".incidents.open";
    /** [incidents.open] may be behind [incidents] by this much. */
    private static final long OVERLAP_MS = 600_000;

    /** Each type that this program knows, whole: what a later `v2` brings is another type. */
    private static final Pattern TYPE =
            Pattern.compile(
                    "portquorum\\.(?:incident\\.(opened|updated|improved|worsened|closed)"
                        + "|(region\\.(?:silent|returned|suspect|cleared|clock_skewed"
                        + "|secrets_missing|secrets_found)"
                        + "|targets\\.(?:unwatched|watched)))\\.v1");
    /** A state, which others end, begins or goes on with each word but these. */
    private static final Set<String> NOT_OPEN =
            Set.of(
                    "closed",
                    "region.returned",
                    "region.cleared",
                    "region.secrets_found",
                    "region.clock_skewed", // nothing ends it: it is no state
                    "targets.watched");
    private static final ObjectMapper JSON = new ObjectMapper();

    /** An event with its CloudEvents attributes; `about` is the state that it replaces. */
    private record Event(String id, String word, String about, long at, String line, String json) {}

    private static final class Poison extends Exception {
        Poison(String why) {
            super(why);
        }
    }

    private final Connection db;

    private Subscriber(Connection db) {
        this.db = db;
    }

    /** The event; null for a type that this program doesn't know. */
    private static Event read(ConsumerRecord<byte[], byte[]> message) throws Poison {
        if (!header(message, "ce_specversion").equals("1.0")) {
            throw new Poison("ce_specversion is not 1.0");
        }
        String id = anId(header(message, "ce_id"));
        String place = header(message, "ce_subject");
        Matcher type = TYPE.matcher(header(message, "ce_type"));
        if (!type.matches()) {
            return null;
        }
        boolean isIncident = type.group(1) != null;
        JsonNode event;
        try {
            event = JSON.readTree(text(message.value(), "the value"));
        } catch (JsonProcessingException why) {
            throw new Poison(why.getOriginalMessage());
        }
        JsonNode at = event.path("at");
        if (!at.isIntegralNumber() || !at.canConvertToLong() || !event.path("summary").isTextual()) {
            throw new Poison("no milliseconds at, or no text summary");
        }
        if (event.path("host").isTextual()) {
            place = event.path("host").textValue() + ":" + event.path("port").asText();
        }
        List<String> down = new ArrayList<>();
        if (isIncident) {
            if (!event.path("incident_id").isTextual() || !event.path("regions").isObject()) {
                throw new Poison("no text incident_id, or no object regions");
            }
            for (Map.Entry<String, JsonNode> region : event.path("regions").properties()) {
                if (region.getValue().path("verdict").asText().equals("down")) {
                    down.add(region.getKey());
                }
            }
        }
        String failing = down.isEmpty() ? "-" : String.join(",", down);
        String line = place + " " + failing + " " + event.path("summary").textValue();
        String word = isIncident ? type.group(1) : type.group(2);
        return new Event(
                id,
                word,
                anId(about(word, id, event)),
                at.longValue(),
                // Whatever a server said may be in it: no control character reaches the terminal.
                (line + " [" + id + "]").replaceAll("[\\x00-\\x1f\\x7f-\\x9f]", " "),
                event.toString());
    }

    /** The state that the event replaces: its incident, a partition's targets, or a region's. */
    private static String about(String word, String id, JsonNode event) throws Poison {
        if (word.startsWith("targets.")) {
            if (!event.path("partition").isIntegralNumber()) {
                throw new Poison("no number partition");
            }
            return "unwatched/" + event.path("partition").asText();
        }
        if (word.equals("region.clock_skewed")) {
            return id;
        }
        if (!word.startsWith("region.")) {
            return event.path("incident_id").textValue();
        }
        if (!event.path("region").isTextual()) {
            throw new Poison("no text region");
        }
        boolean isSilence = word.equals("region.silent") || word.equals("region.returned");
        String other = word.startsWith("region.secrets_") ? "secrets/" : "suspect/";
        return (isSilence ? "silent/" : other) + event.path("region").textValue();
    }

    private static String anId(String text) throws Poison {
        if (!text.matches("[!-~]{1,200}")) {
            throw new Poison("an id is empty, too long or no ASCII");
        }
        return text;
    }

    private static String header(ConsumerRecord<byte[], byte[]> message, String name)
            throws Poison {
        Header header = message.headers().lastHeader(name);
        return text(header == null ? null : header.value(), "the header " + name);
    }

    private static String text(byte[] bytes, String what) throws Poison {
        if (bytes == null) {
            throw new Poison(what + " is missing");
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException why) {
            throw new Poison(what + " is not UTF-8");
        }
    }

    private static Event readOrSkip(ConsumerRecord<byte[], byte[]> message) {
        try {
            return read(message);
        } catch (Poison why) {
            System.err.printf(
                    "skipped %s/%d@%d: %.120s%n",
                    message.topic(), message.partition(), message.offset(), why.getMessage());
            return null;
        }
    }

    /** Stores the event's id, and its state unless an `at` there is larger; whether it was news. */
    private boolean take(Event event) throws SQLException {
        if (update("INSERT OR IGNORE INTO handled VALUES (?, ?)", event.id(), event.at()) == 0) {
            return false;
        }
        int changed =
                update(
                        "INSERT INTO states VALUES (?, ?, ?, ?, ?) ON CONFLICT (about) DO UPDATE"
                            + " SET ce_id = excluded.ce_id, at = excluded.at,"
                            + " open = excluded.open, event = excluded.event"
                            + " WHERE excluded.at >= states.at",
                        event.about(),
                        event.id(),
                        event.at(),
                        !NOT_OPEN.contains(event.word()),
                        event.json());
        return changed > 0;
    }

    /** Does the event's work and remembers its id, in one transaction: in effect exactly once. */
    private void handle(Event event) throws SQLException {
        if (take(event)) {
            // Your work. If it is a call of another service, give it ce_id as idempotency key.
            System.out.println(event.word() + " " + event.line());
        }
        db.commit();
    }

    /**
     * What is open now, from [incidents.open]; the group's first offsets of [incidents].
     *
     * <p>The offsets are taken first, so that nothing falls between the two topics.
     */
    private void bootstrap(KafkaConsumer<byte[], byte[]> consumer)
            throws SQLException, InterruptedException {
        List<TopicPartition> events = partitions(consumer, INCIDENTS);
        long begin = System.currentTimeMillis() - OVERLAP_MS;
        Map<TopicPartition, OffsetAndMetadata> starts = new HashMap<>();
        // The ends first: what is written between the two requests must not be left out.
        consumer.endOffsets(events)
                .forEach((partition, end) -> starts.put(partition, new OffsetAndMetadata(end)));
        Map<TopicPartition, Long> times = new HashMap<>();
        events.forEach(partition -> times.put(partition, begin));
        consumer.offsetsForTimes(times).forEach((partition, found) -> {
            if (found != null && found.offset() < starts.get(partition).offset()) {
                starts.put(partition, new OffsetAndMetadata(found.offset()));
            }
        });
        consumer.assign(events);
        commitStart(consumer, starts);

        List<TopicPartition> table = partitions(consumer, OPEN);
        consumer.assign(table);
        consumer.seekToBeginning(table);
        Map<TopicPartition, Long> ends = consumer.endOffsets(table);
        Map<String, Event> newest = new HashMap<>();
        while (table.stream().anyMatch(one -> consumer.position(one) < ends.get(one))) {
            for (ConsumerRecord<byte[], byte[]> message : consumer.poll(Duration.ofSeconds(1))) {
                String key =
                        message.key() == null
                                ? ""
                                : new String(message.key(), StandardCharsets.UTF_8);
                Event event = message.value() == null ? null : readOrSkip(message);
                if (event != null) {
                    newest.put(key, event);
                } else if (message.value() == null) {
                    newest.remove(key); // what can't be read leaves the older one
                }
            }
        }
        for (Event event : newest.values()) {
            if (take(event)) {
                System.out.println("open " + event.line());
            }
        }
        update("PRAGMA user_version = 1");
        db.commit();
        consumer.unsubscribe();
    }

    /** Commits for the group, once it has no member: one that was killed stays for some seconds. */
    private static void commitStart(
            KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, OffsetAndMetadata> starts)
            throws InterruptedException {
        while (true) {
            try {
                consumer.commitSync(starts);
                return;
            } catch (CommitFailedException
                    | RebalanceInProgressException
                    | UnknownMemberIdException why) {
                System.err.println("waits: the group " + GROUP + " still has a member");
                Thread.sleep(1_000);
            }
        }
    }

    private static List<TopicPartition> partitions(
            KafkaConsumer<byte[], byte[]> consumer, String topic) {
        return consumer.partitionsFor(topic).stream()
                .map(one -> new TopicPartition(topic, one.partition()))
                .toList();
    }

    private void follow(KafkaConsumer<byte[], byte[]> consumer) throws SQLException {
        consumer.subscribe(List.of(INCIDENTS));
        while (true) {
            for (ConsumerRecord<byte[], byte[]> message : consumer.poll(Duration.ofSeconds(1))) {
                Event event = readOrSkip(message);
                if (event != null) {
                    handle(event);
                }
            }
            // Only what is done is committed.
            consumer.commitSync();
        }
    }

    private List<String> query(String sql, Object... values) throws SQLException {
        try (var statement = db.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            List<String> found = new ArrayList<>();
            var rows = statement.executeQuery();
            while (rows.next()) {
                found.add(rows.getString(1));
            }
            return found;
        }
    }

    private int update(String sql, Object... values) throws SQLException {
        try (var statement = db.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            return statement.executeUpdate();
        }
    }

    private static String env(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }

    private static Properties options(String servers) {
        Properties options = new Properties();
        options.put("bootstrap.servers", servers);
        options.put("group.id", GROUP);
        options.put("session.timeout.ms", "10000"); // so long after kill -9 a restart waits
        options.put("max.poll.records", "100");
        options.put("enable.auto.commit", "false");
        options.put("auto.offset.reset", "earliest"); // a lost offset costs time, never an event
        options.put("key.deserializer", ByteArrayDeserializer.class);
        options.put("value.deserializer", ByteArrayDeserializer.class);
        String ca = System.getenv("KAFKA_CA");
        boolean tls = ca != null || System.getenv("KAFKA_TLS") != null;
        String user = System.getenv("KAFKA_USERNAME");
        options.put("security.protocol", (user == null ? "" : "SASL_") + (tls ? "SSL" : "PLAINTEXT"));
        if (ca != null) {
            options.put("ssl.truststore.type", "PEM");
            options.put("ssl.truststore.location", ca);
        }
        if (user != null) {
            String mechanism = env("KAFKA_SASL_MECHANISM", "PLAIN");
            String module = mechanism.startsWith("SCRAM") ? "scram.Scram" : "plain.Plain";
            options.put("sasl.mechanism", mechanism);
            options.put(
                    "sasl.jaas.config",
                    String.format(
                            "org.apache.kafka.common.security.%sLoginModule required"
                                + " username=\"%s\" password=\"%s\";",
                            module, quoted(user), quoted(System.getenv("KAFKA_PASSWORD"))));
        }
        return options;
    }

    private static String quoted(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"");
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 2) {
            System.err.println("Subscriber SERVERS STATE.sqlite");
            System.exit(2);
        }
        CountDownLatch ended = new CountDownLatch(1);
        try (Connection db = DriverManager.getConnection("jdbc:sqlite:" + args[1]);
                KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(options(args[0]))) {
            Subscriber subscriber = new Subscriber(db);
            subscriber.update("CREATE TABLE IF NOT EXISTS handled (ce_id TEXT PRIMARY KEY, at INTEGER)");
            subscriber.update(
                    "CREATE TABLE IF NOT EXISTS states (about TEXT PRIMARY KEY,"
                        + " ce_id TEXT, at INTEGER, open INTEGER, event TEXT)");
            db.setAutoCommit(false);
            // On SIGINT and SIGTERM the event in hand is done, and the program ends by itself.
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                consumer.wakeup();
                try {
                    ended.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                Runtime.getRuntime().halt(0);
            }));
            try {
                if (subscriber.query("PRAGMA user_version").equals(List.of("0"))) {
                    subscriber.bootstrap(consumer);
                }
                subscriber.follow(consumer);
            } catch (WakeupException end) {
                String open = "SELECT about FROM states WHERE open ORDER BY 1";
                List<String> words = new ArrayList<>(List.of("handled"));
                words.addAll(subscriber.query("SELECT count(*) FROM handled"));
                words.add("open");
                words.addAll(subscriber.query(open));
                System.out.println(String.join(" ", words));
                System.out.flush();
            }
        } catch (Throwable error) {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
        } finally {
            ended.countDown();
        }
    }
}
