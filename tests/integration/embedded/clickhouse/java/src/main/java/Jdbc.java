import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;

/**
 * Short steps with clickhouse-jdbc against a ClickHouse. Prints a line for each: name, tab, what came.
 *
 * Arguments: URL, user, password, database (with the tables `typed` and `batch`), "owner" or "reader".
 */
public class Jdbc {
    interface Step {
        Object run() throws Exception;
    }

    static void step(String name, Step step) {
        Object found;
        try {
            found = step.run();
        } catch (Throwable error) {
            Throwable root = error;
            while (root.getCause() != null) root = root.getCause();
            found = "FAILED " + error + " <- " + root;
        }
        System.out.println(name + "\t" + String.valueOf(found).replace("\n", " "));
    }

    static List<Object> column(ResultSet rows, String name) throws SQLException {
        List<Object> found = new ArrayList<>();
        while (rows.next()) found.add(rows.getObject(name));
        return found;
    }

    /** Reads every column of every row; gives the number of rows. */
    static int all(ResultSet rows) throws SQLException {
        int count = 0;
        while (rows.next()) {
            for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) rows.getObject(i);
            count++;
        }
        return count;
    }

    static Object one(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getObject(1);
        }
    }

    public static void main(String[] arguments) throws Exception {
        String url = arguments[0];
        String database = arguments[3];
        boolean owner = arguments[4].equals("owner");
        Properties properties = new Properties();
        properties.setProperty("user", arguments[1]);
        properties.setProperty("password", arguments[2]);
        try (Connection connection = DriverManager.getConnection(url, properties)) {
            DatabaseMetaData about = connection.getMetaData();
            step("product", about::getDatabaseProductName);
            step("user", about::getUserName);
            step("driver", about::getDriverVersion);
            step("valid", () -> connection.isValid(5));
            step("one", () -> one(connection, "SELECT 1"));
            step("greeting", () -> one(connection, "SELECT timezone(), version(), currentUser()"));
            step("catalogs", () -> all(about.getCatalogs()) >= 0);
            step("schemas", () -> column(about.getSchemas(), "TABLE_SCHEM").contains(database));
            step("tables", () -> column(about.getTables(null, database, "%", null), "TABLE_NAME"));
            step("views", () -> column(about.getTables(null, "system", "%", null), "TABLE_NAME").contains("tables"));
            step("columns", () -> column(about.getColumns(null, database, "typed", "%"), "COLUMN_NAME"));
            step("keys", () -> all(about.getPrimaryKeys(null, database, "typed")) >= 0);
            step("types", () -> all(about.getTypeInfo()) > 10);
            step("tableTypes", () -> all(about.getTableTypes()) > 0);
            step("functions", () -> all(about.getFunctions(null, null, "%")) > 100);
            step("prepared", () -> {
                String sql = "SELECT ? + 1, ?, ?, toDate(?)";
                try (PreparedStatement statement = connection.prepareStatement(sql)) {
                    statement.setInt(1, 41);
                    statement.setString(2, "it's \\ \"so\"");
                    statement.setBigDecimal(3, new BigDecimal("1.50"));
                    statement.setDate(4, java.sql.Date.valueOf("2024-02-29"));
                    try (ResultSet rows = statement.executeQuery()) {
                        rows.next();
                        return List.of(rows.getLong(1), rows.getString(2), rows.getDouble(3), rows.getString(4));
                    }
                }
            });
            step("typed", () -> {
                List<Object> found = new ArrayList<>();
                try (Statement statement = connection.createStatement();
                        ResultSet rows = statement.executeQuery("SELECT * FROM " + database + ".typed ORDER BY id")) {
                    while (rows.next()) {
                        for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                            Object value = rows.getObject(i);
                            if (value instanceof java.time.ZonedDateTime at) value = at.toLocalDateTime();
                            if (value instanceof java.sql.Array array) value = Arrays.toString((Object[]) array.getArray());
                            if (value instanceof Timestamp at) value = at.toLocalDateTime();
                            found.add(value);
                        }
                    }
                }
                return found;
            });
            step("many", () -> {
                long sum = 0;
                int count = 0;
                try (Statement statement = connection.createStatement();
                        ResultSet rows = statement.executeQuery("SELECT number FROM numbers(1000000)")) {
                    while (rows.next()) {
                        sum += rows.getLong(1);
                        count++;
                    }
                }
                return count + " " + sum;
            });
            for (String sql : List.of("SHOW TABLES FROM " + database, "SHOW DATABASES", "DESCRIBE TABLE " + database + ".typed",
                    "EXPLAIN SELECT 1", "EXISTS TABLE " + database + ".typed", "SELECT * FROM system.tables",
                    "SELECT * FROM system.columns", "SELECT * FROM system.databases", "SELECT * FROM system.processes",
                    "SELECT * FROM system.functions", "SELECT * FROM system.settings", "SELECT * FROM system.data_type_families")) {
                step(sql.replace(database, "DB"), () -> {
                    try (Statement statement = connection.createStatement()) {
                        return all(statement.executeQuery(sql)) > 0;
                    }
                });
            }
            if (owner) {
                step("batch", () -> {
                    String sql = "INSERT INTO " + database + ".batch (id, name, at) VALUES (?, ?, ?)";
                    try (PreparedStatement statement = connection.prepareStatement(sql)) {
                        for (int i = 0; i < 1000; i++) {
                            statement.setInt(1, i);
                            statement.setString(2, "row " + i + " '\\\n");
                            statement.setTimestamp(3, Timestamp.valueOf("2024-02-29 12:00:00"));
                            statement.addBatch();
                        }
                        statement.executeBatch();
                    }
                    return one(connection, "SELECT (count(), sum(id), uniq(name))::String FROM " + database + ".batch");
                });
                step("ddl", () -> {
                    try (Statement statement = connection.createStatement()) {
                        statement.execute("CREATE TABLE " + database + ".made (a UInt8) ENGINE = MergeTree ORDER BY a");
                        statement.executeUpdate("INSERT INTO " + database + ".made VALUES (1), (2)");
                        Object sum = one(connection, "SELECT sum(a) FROM " + database + ".made");
                        statement.execute("DROP TABLE " + database + ".made");
                        return sum;
                    }
                });
            } else {
                step("refused", () -> {
                    try (Statement statement = connection.createStatement()) {
                        statement.execute("DROP TABLE " + database + ".typed");
                        return "done";
                    } catch (SQLException error) {
                        return error.getMessage().contains("READONLY");
                    }
                });
            }
            step("error", () -> {
                try {
                    return one(connection, "SELECT * FROM nowhere");
                } catch (SQLException error) {
                    return error.getMessage().contains("Code: 60.") && error.getMessage().contains("UNKNOWN_TABLE");
                }
            });
            step("halfway", () -> {
                String sql = "SELECT throwIf(number = 900000) FROM numbers(1000000)";
                try (Statement statement = connection.createStatement()) {
                    return all(statement.executeQuery(sql));
                } catch (SQLException error) {
                    return true;
                }
            });
            step("timeout", () -> {
                Properties limited = (Properties) properties.clone();
                limited.setProperty("clickhouse_setting_max_execution_time", "1");
                try (Connection other = DriverManager.getConnection(url, limited)) {
                    return one(other, "SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = 1");
                } catch (SQLException error) {
                    // 0.11 has a text of its own for the server's code 159.
                    return error.getMessage().contains("TIMEOUT_EXCEEDED")
                            || error.getMessage().contains("execution time exceeded");
                }
            });
            step("cancelled", () -> {
                try (Statement statement = connection.createStatement()) {
                    Thread running = new Thread(() -> {
                        try {
                            for (int i = 0; i < 50; i++) {
                                Thread.sleep(200);
                                statement.cancel();
                            }
                        } catch (InterruptedException ended) {
                        } catch (SQLException error) {
                            System.out.println("cancel\t" + error);
                        }
                    });
                    running.start();
                    try {
                        return all(statement.executeQuery("SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = 2"));
                    } catch (SQLException error) {
                        return error.getMessage().contains("QUERY_WAS_CANCELLED");
                    } finally {
                        running.interrupt();
                        running.join();
                    }
                }
            });
        }
    }
}
