// What a Go program does with clickhouse-go v2 over HTTP; prints what it found as JSON.
//
// Arguments: host:port, user, password, database, compression (or `native`, which only pings by
// the native protocol); then `write` for an owner.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"sort"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const typed = `SELECT
	toUInt64(18446744073709551615) AS u64, toInt64(-9223372036854775808) AS i64,
	toInt256('-57896044618658097711785492504343953926634992332820282019728792003956564819968') AS i256,
	toFloat64(0.1) AS f64, toDecimal128('-1234567890.123456789', 9) AS dec, true AS yes,
	'a\0b' AS str, toFixedString('abc', 5) AS fixed, toDate('2026-11-29') AS day,
	toDate32('1925-01-02') AS day32, toDateTime('2026-11-29 01:02:03', 'Asia/Tokyo') AS second,
	toDateTime64('2026-11-29 01:02:03.456789', 6, 'UTC') AS micro,
	toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS uuid, toIPv4('10.0.0.1') AS v4,
	toIPv6('2001:db8::1') AS v6, CAST('b', 'Enum8(\'a\' = 1, \'b\' = 2)') AS enum,
	CAST(NULL, 'Nullable(String)') AS none, toNullable(7) AS some,
	toLowCardinality('low') AS low, CAST(['x', NULL, 'x'], 'Array(LowCardinality(Nullable(String)))') AS lows,
	[[1, 2], [], [3]]::Array(Array(UInt16)) AS arrays, map('k', 1::UInt8, 'l', 2::UInt8) AS pairs,
	(1::UInt8, 'two', [3::UInt8]) AS tuple, emptyArrayString() AS empty
FROM numbers(3)`

func fail(err error) {
	if err != nil {
		panic(err)
	}
}

// Every value of every row, as text; pointers are what they point to.
func all(rows driver.Rows, err error) [][]string {
	fail(err)
	defer rows.Close()
	var found [][]string
	for rows.Next() {
		var values []any
		for _, column := range rows.ColumnTypes() {
			values = append(values, reflect.New(column.ScanType()).Interface())
		}
		fail(rows.Scan(values...))
		var row []string
		for _, value := range values {
			row = append(row, text(reflect.ValueOf(value).Elem()))
		}
		found = append(found, row)
	}
	fail(rows.Err())
	return found
}

func text(value reflect.Value) string {
	if value.Kind() == reflect.Pointer && value.Type().Elem().Kind() != reflect.Struct {
		if value.IsNil() {
			return "NULL"
		}
		return text(value.Elem())
	}
	if value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Pointer {
		var parts []string
		for at := range value.Len() {
			parts = append(parts, text(value.Index(at)))
		}
		return fmt.Sprint(parts)
	}
	if at, ok := value.Interface().(time.Time); ok {
		return at.Format(time.RFC3339Nano)
	}
	return fmt.Sprint(value.Interface())
}

func main() {
	address, user, password, database := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	methods := map[string]clickhouse.CompressionMethod{
		"none": clickhouse.CompressionNone, "lz4": clickhouse.CompressionLZ4,
		"zstd": clickhouse.CompressionZSTD, "gzip": clickhouse.CompressionGZIP,
	}
	if os.Args[5] == "native" {
		connection, err := clickhouse.Open(&clickhouse.Options{
			Addr: []string{address},
			Auth: clickhouse.Auth{Database: database, Username: user, Password: password},
		})
		fail(err)
		fail(connection.Ping(context.Background()))
	}
	connection, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{address}, Protocol: clickhouse.HTTP,
		Auth:        clickhouse.Auth{Database: database, Username: user, Password: password},
		Compression: &clickhouse.Compression{Method: methods[os.Args[5]]},
		Settings:    clickhouse.Settings{"max_execution_time": 20},
	})
	fail(err)
	found := map[string]any{}
	ctx := context.Background()
	fail(connection.Ping(ctx))
	version, err := connection.ServerVersion()
	fail(err)
	found["version"] = version.Version.String()
	if len(os.Args) > 6 {
		write(ctx, connection, found)
	}
	read(ctx, connection, found)
	if len(os.Args) <= 6 {
		refused(ctx, connection, found)
	}
	standard(address, user, password, database, found)
	fail(connection.Close())
	fail(json.NewEncoder(os.Stdout).Encode(found))
}

func read(ctx context.Context, connection driver.Conn, found map[string]any) {
	found["tables"] = all(connection.Query(ctx, "SHOW TABLES"))
	found["columns"] = all(connection.Query(ctx, "DESCRIBE TABLE given"))
	found["created"] = len(all(connection.Query(ctx, "SHOW CREATE TABLE given"))[0][0]) > 20
	found["nothing"] = all(connection.Query(ctx, "SELECT number FROM numbers(0)"))
	found["typed"] = all(connection.Query(ctx, typed))

	named := clickhouse.Context(ctx, clickhouse.WithParameters(clickhouse.Parameters{
		"n": "200", "s": "it's {here}",
	}))
	found["parameters"] = all(connection.Query(named, "SELECT {n:UInt8} AS n, {s:String} AS s"))
	found["bound"] = all(connection.Query(ctx, "SELECT ? AS a, ? AS b", 3, "it's"))
	with := clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"async_insert": 1, "wait_for_async_insert": 1, "final": 1, "priority": 1,
	}))
	found["settings"] = all(connection.Query(with, "SELECT count() FROM given"))

	var count, sum uint64
	rows, err := connection.Query(ctx, "SELECT number, toString(number) AS s FROM numbers(1000000)")
	fail(err)
	for rows.Next() {
		var number uint64
		var written string
		fail(rows.Scan(&number, &written))
		count++
		sum += number + uint64(len(written))
	}
	fail(rows.Err())
	found["million"] = []uint64{count, sum}

	_, err = connection.Query(ctx, "SELECT * FROM nowhere")
	found["error"] = err.Error()
	rows, err = connection.Query(ctx, "SELECT throwIf(number = 900000, 'on purpose') FROM numbers(1000000)")
	if err == nil {
		for rows.Next() {
		}
		err = rows.Err()
	}
	found["late"] = err.Error()

	short, cancel := context.WithCancel(ctx)
	go func() {
		time.Sleep(300 * time.Millisecond)
		cancel()
	}()
	_, err = connection.Query(short, "SELECT sleepEachRow(1) FROM numbers(3)")
	found["cancelled"] = errors.Is(err, context.Canceled)

	table, err := ext.NewTable("mine", ext.Column("id", "UInt64"), ext.Column("name", "String"))
	fail(err)
	for at := range 3 {
		fail(table.Append(uint64(at), fmt.Sprint("name ", at)))
	}
	outside := clickhouse.Context(ctx, clickhouse.WithExternalTable(table))
	found["external"] = all(connection.Query(outside, "SELECT name FROM mine WHERE id IN (SELECT id FROM mine WHERE id > 0) ORDER BY id"))
}

func refused(ctx context.Context, connection driver.Conn, found map[string]any) {
	err := connection.Exec(ctx, "CREATE TABLE no (a UInt8) ENGINE = Memory")
	found["refused"] = err.Error()
	batch, err := connection.PrepareBatch(ctx, "INSERT INTO given (a)")
	fail(err)
	fail(batch.Append(uint8(1)))
	found["insert"] = batch.Send().Error()
}

func write(ctx context.Context, connection driver.Conn, found map[string]any) {
	fail(connection.Exec(ctx, "CREATE TABLE made ENGINE = MergeTree ORDER BY u64 AS "+typed+" LIMIT 0"))
	rows, err := connection.Query(ctx, typed)
	fail(err)
	batch, err := connection.PrepareBatch(ctx, "INSERT INTO made")
	fail(err)
	for rows.Next() {
		var values []any
		for _, column := range rows.ColumnTypes() {
			values = append(values, reflect.New(column.ScanType()).Interface())
		}
		fail(rows.Scan(values...))
		for at := range values {
			values[at] = reflect.ValueOf(values[at]).Elem().Interface()
		}
		fail(batch.Append(values...))
	}
	fail(rows.Err())
	fail(batch.Send())
	found["made"] = all(connection.Query(ctx, "SELECT * FROM made"))
	// Go has no order in a map, and a Map of ClickHouse has one.
	sorted := " REPLACE (mapSort(pairs) AS pairs) FROM "
	found["other"] = all(connection.Query(ctx, "SELECT count() FROM (SELECT *"+sorted+"made EXCEPT SELECT *"+sorted+"("+typed+"))"))

	fail(connection.Exec(ctx, "CREATE TABLE big (n UInt64, s String) ENGINE = MergeTree ORDER BY n"))
	batch, err = connection.PrepareBatch(ctx, "INSERT INTO big (n, s)")
	fail(err)
	for at := range 100000 {
		fail(batch.Append(uint64(at), fmt.Sprint(at)))
	}
	fail(batch.Send())
	found["inserted"] = all(connection.Query(ctx, "SELECT count(), sum(n), uniqExact(s) FROM big"))
	fail(connection.AsyncInsert(ctx, "INSERT INTO big VALUES (7, 'seven')", true))
	fail(connection.Exec(ctx, "DROP TABLE big"))
	fail(connection.Exec(ctx, "DROP TABLE made"))
}

// database/sql, by a URL.
func standard(address, user, password, database string, found map[string]any) {
	place := url.URL{Scheme: "http", Host: address, Path: database, User: url.UserPassword(user, password)}
	if password == "" {
		place.User = url.User(user)
	}
	db, err := sql.Open("clickhouse", place.String())
	fail(err)
	fail(db.Ping())
	rows, err := db.Query("SELECT name FROM system.tables WHERE database = currentDatabase()")
	fail(err)
	names := []string{}
	for rows.Next() {
		var name string
		fail(rows.Scan(&name))
		names = append(names, name)
	}
	fail(rows.Err())
	sort.Strings(names)
	found["standard"] = names
	fail(db.Close())
}
