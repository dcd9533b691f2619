import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TimeZone;
import java.util.UUID;

/**
 * clickhouse-jdbc as DBeaver and Metabase use it: `plain`, or `dbeaver` with the properties that
 * DBeaver sets. Questions come from standard input, answers go to standard output.
 */
public final class Jdbc {
    private static final DateTimeFormatter ISO =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final BufferedReader IN =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private static JsonNode asked;

    public static void main(String[] args) throws Exception {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        asked = JSON.readTree(IN.readLine());
        Properties properties = new Properties();
        properties.put("user", asked.get("user").asText());
        properties.put("password", asked.get("password").asText());
        if (args[0].equals("dbeaver")) {
            properties.put("use_time_zone", "UTC");
            properties.put("ignore_unknown_config_key", "true");
            properties.put("clickhouse_setting_session_id", "sess_" + UUID.randomUUID());
        }
        Map<String, Object> answers = new LinkedHashMap<>();
        String version = "?";
        try (Connection connection = DriverManager.getConnection(url(), properties)) {
            version = connection.getMetaData().getDriverVersion();
            for (JsonNode question : asked.get("questions")) {
                answers.put(question.get("name").asText(), answered(connection, question));
            }
        } catch (SQLException error) {
            for (JsonNode question : asked.get("questions")) {
                answers.putIfAbsent(question.get("name").asText(), Map.of("error", said(error)));
            }
        }
        Map<String, Object> all = Map.of("version", version, "answers", answers);
        System.out.println(JSON.writeValueAsString(all));
        System.exit(0);
    }

    private static String url() {
        return "jdbc:clickhouse:" + (asked.get("secure").asBoolean() ? "https" : "http") + "://"
                + asked.get("host").asText() + ":" + asked.get("port").asInt() + "/" + database();
    }

    private static Map<String, Object> answered(Connection connection, JsonNode question) {
        Map<String, Object> answer = new LinkedHashMap<>();
        try {
            answer.put("value", done(connection, question));
        } catch (Exception | LinkageError error) {
            answer.put("error", said(error));
        }
        return answer;
    }

    /** What a person sees: tools show the message, and those of its causes. */
    private static String said(Throwable error) {
        StringBuilder text = new StringBuilder(String.valueOf(error));
        for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
            text.append("\n").append(cause);
        }
        return text.toString();
    }

    private static Object done(Connection connection, JsonNode question) throws Exception {
        String sql = question.path("sql").asText();
        String table = question.path("table").asText();
        switch (question.get("do").asText()) {
            case "rows":
            case "error":
                try (Statement statement = connection.createStatement();
                        ResultSet found = statement.executeQuery(sql)) {
                    return all(found);
                }
            case "count":
                try (Statement statement = connection.createStatement();
                        ResultSet found = statement.executeQuery(sql)) {
                    long count = 0;
                    long total = 0;
                    while (found.next()) {
                        count++;
                        total += found.getLong(1);
                        found.getString(2);
                    }
                    return List.of(count, total);
                }
            case "bind":
                return bound(connection, question.get("marks").asText());
            case "tables":
                return names(connection.getMetaData().getTables(null, database(), "%", TYPES), "TABLE_NAME");
            case "columns":
                return names(connection.getMetaData().getColumns(null, database(), table, "%"), "COLUMN_NAME");
            case "every":
                Map<String, Integer> sizes = new LinkedHashMap<>();
                for (String name : shown(connection)) {
                    try (Statement statement = connection.createStatement();
                            ResultSet found = statement.executeQuery("SELECT * FROM `" + name + "`")) {
                        sizes.put(name, all(found).size());
                    } catch (Exception error) {
                        throw new IllegalStateException(name, error);
                    }
                }
                return sizes;
            case "write":
                return written(connection, table);
            case "cancel":
                return cancelled(connection, sql);
            default:
                throw new IllegalArgumentException(question.toString());
        }
    }

    /** Those that Metabase asks for. */
    private static final String[] TYPES = {
        "TABLE", "VIEW", "FOREIGN TABLE", "REMOTE TABLE", "DICTIONARY", "MATERIALIZED VIEW",
        "MEMORY TABLE", "LOG TABLE"
    };

    private static String database() {
        return asked.get("database").asText();
    }

    private static List<String> names(ResultSet found, String column) throws SQLException {
        try (found) {
            List<String> names = new ArrayList<>();
            while (found.next()) {
                names.add(found.getString(column));
            }
            return names;
        }
    }

    private static List<String> shown(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet found = statement.executeQuery("SHOW TABLES")) {
            List<String> names = new ArrayList<>();
            while (found.next()) {
                names.add(found.getString(1));
            }
            return names;
        }
    }

    private static Object bound(Connection connection, String sql) throws Exception {
        JsonNode bound = asked.get("bound");
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setObject(1, new BigInteger(bound.get("n").asText()));
            statement.setString(2, bound.get("s").asText());
            Calendar utc = Calendar.getInstance(TimeZone.getTimeZone("UTC"));
            statement.setTimestamp(3, Timestamp.from(Instant.parse(bound.get("at").asText())), utc);
            try (ResultSet found = statement.executeQuery()) {
                return all(found);
            }
        }
    }

    private static Object written(Connection connection, String table) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS " + table);
            statement.execute("CREATE TABLE " + table + " (" + asked.get("columns").asText()
                    + ") ENGINE = MergeTree ORDER BY id");
            try {
                String sql = "INSERT INTO " + table + " (id, name, big, at) VALUES (?, ?, ?, ?)";
                try (PreparedStatement insert = connection.prepareStatement(sql)) {
                    for (JsonNode row : asked.get("written")) {
                        insert.setLong(1, row.get(0).asLong());
                        insert.setString(2, row.get(1).asText());
                        insert.setObject(3, new BigInteger(row.get(2).asText()));
                        insert.setObject(4, Instant.parse(row.get(3).asText()).atZone(ZoneOffset.UTC));
                        insert.addBatch();
                    }
                    insert.executeBatch();
                }
                try (ResultSet found = statement.executeQuery("SELECT * FROM " + table + " ORDER BY id")) {
                    return all(found);
                }
            } finally {
                statement.execute("DROP TABLE " + table);
            }
        }
    }

    /** DBeaver's way where a session takes one request at a time: from a connection without it. */
    private static void killed(Statement statement, SQLException busy) throws Exception {
        if (!busy.getMessage().contains("SESSION_IS_LOCKED")) {
            throw busy;
        }
        Object id = statement.getClass().getMethod("getLastQueryId").invoke(statement);
        Properties properties = new Properties();
        properties.put("user", asked.get("user").asText());
        properties.put("password", asked.get("password").asText());
        try (Connection other = DriverManager.getConnection(url(), properties);
                Statement kill = other.createStatement()) {
            kill.execute("KILL QUERY WHERE query_id='" + id + "'");
        }
    }

    private static Object cancelled(Connection connection, String sql) throws Exception {
        try (Statement statement = connection.createStatement()) {
            Map<String, String> refused = new LinkedHashMap<>();
            Thread person = new Thread(() -> {
                try {
                    IN.readLine();
                    try {
                        statement.cancel();
                    } catch (SQLException busy) {
                        killed(statement, busy);
                    }
                } catch (Exception error) {
                    refused.put("cancel", said(error));
                }
            });
            person.setDaemon(true);
            person.start();
            try (ResultSet found = statement.executeQuery(sql)) {
                return all(found);
            } catch (SQLException error) {
                person.join(10_000);
                if (!refused.isEmpty()) {
                    throw new IllegalStateException("cancel() was refused: " + refused.get("cancel"), error);
                }
                throw error;
            }
        }
    }

    private static List<List<Object>> all(ResultSet found) throws Exception {
        int width = found.getMetaData().getColumnCount();
        List<List<Object>> rows = new ArrayList<>();
        while (found.next()) {
            List<Object> row = new ArrayList<>();
            for (int column = 1; column <= width; column++) {
                row.add(plain(found.getObject(column)));
            }
            rows.add(row);
        }
        return rows;
    }

    private static Object plain(Object value) throws Exception {
        if (value == null || value instanceof String) {
            return value;
        }
        if (value instanceof java.sql.Array) {
            return plain(((java.sql.Array) value).getArray());
        }
        if (value.getClass().isArray()) {
            List<Object> list = new ArrayList<>();
            for (int index = 0; index < java.lang.reflect.Array.getLength(value); index++) {
                list.add(plain(java.lang.reflect.Array.get(value, index)));
            }
            return list;
        }
        if (value instanceof Iterable) {
            List<Object> list = new ArrayList<>();
            for (Object one : (Iterable<?>) value) {
                list.add(plain(one));
            }
            return list;
        }
        if (value instanceof Map) {
            Map<String, Object> fields = new LinkedHashMap<>();
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                fields.put(String.valueOf(entry.getKey()), plain(entry.getValue()));
            }
            return fields;
        }
        if (value instanceof Timestamp) {
            return ISO.format(((Timestamp) value).toInstant());
        }
        if (value instanceof ZonedDateTime) {
            return ISO.format((ZonedDateTime) value);
        }
        if (value instanceof OffsetDateTime) {
            return ISO.format((OffsetDateTime) value);
        }
        if (value instanceof LocalDateTime) {
            return ISO.format(((LocalDateTime) value).atOffset(ZoneOffset.UTC));
        }
        if (value instanceof BigDecimal) {
            return ((BigDecimal) value).toPlainString();
        }
        return value.toString();
    }
}
