// clickhouse-go v2 over HTTP: `conn` is its own interface, `sql` is database/sql, and `grafana` is
// database/sql with the options of Grafana's plugin (pkg/plugin/driver.go, buildClickHouseOptions).
// Questions come from standard input, answers go to standard output.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

type question struct {
	Name, Do, Sql, Marks, Table string
}

type asked struct {
	Host, User, Password, Database, Columns string
	Port                                    int
	Secure                                  bool
	Bound                                   map[string]string
	List                                    []string
	Written                                 [][]string
	Questions                               []question
}

const iso = "2006-01-02T15:04:05.000Z"

var (
	escape = strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\t", "\\t")
	ask    asked
	input  = bufio.NewReaderSize(os.Stdin, 1<<20)
)

// found is what both interfaces have of rows.
type found interface {
	Next() bool
	Err() error
	Scan(...any) error
	Close() error
}

type client interface {
	query(ctx context.Context, sql string, args ...any) (found, int, []reflect.Type, []string, error)
	exec(sql string) error
	insert(table string) error
}

func options(mode string) *clickhouse.Options {
	o := &clickhouse.Options{
		Addr:     []string{fmt.Sprintf("%s:%d", ask.Host, ask.Port)},
		Auth:     clickhouse.Auth{Database: ask.Database, Username: ask.User, Password: ask.Password},
		Protocol: clickhouse.HTTP,
	}
	if ask.Secure {
		o.TLS = &tls.Config{}
	}
	if mode == "grafana" {
		o.ClientInfo = clickhouse.ClientInfo{Products: []struct{ Name, Version string }{
			{"grafana", "12.1.0"}, {"clickhouse-datasource", "4.20.0"},
		}}
		o.Compression = &clickhouse.Compression{Method: clickhouse.CompressionGZIP}
		o.DialTimeout = 10 * time.Second
		o.ReadTimeout = 60 * time.Second
		o.HttpHeaders = map[string]string{}
		o.Settings = clickhouse.Settings{}
	} else {
		o.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	}
	return o
}

type native struct{ driver.Conn }

func (n native) query(ctx context.Context, text string, args ...any) (found, int, []reflect.Type, []string, error) {
	rows, err := n.Conn.Query(ctx, text, args...)
	if err != nil {
		return nil, 0, nil, nil, err
	}
	var types []reflect.Type
	var kinds []string
	for _, column := range rows.ColumnTypes() {
		types = append(types, column.ScanType())
		kinds = append(kinds, column.DatabaseTypeName())
	}
	return rows, len(types), types, kinds, nil
}

func (n native) exec(text string) error { return n.Conn.Exec(context.Background(), text) }

func (n native) insert(table string) error {
	batch, err := n.Conn.PrepareBatch(context.Background(), "INSERT INTO "+table)
	if err != nil {
		return err
	}
	for _, row := range ask.Written {
		if err := batch.Append(values(row)...); err != nil {
			return err
		}
	}
	return batch.Send()
}

type standard struct{ *sql.DB }

func (s standard) query(ctx context.Context, text string, args ...any) (found, int, []reflect.Type, []string, error) {
	rows, err := s.DB.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, 0, nil, nil, err
	}
	columns, err := rows.ColumnTypes()
	if err != nil {
		return nil, 0, nil, nil, err
	}
	var types []reflect.Type
	var kinds []string
	for _, column := range columns {
		types = append(types, column.ScanType())
		kinds = append(kinds, column.DatabaseTypeName())
	}
	return rows, len(columns), types, kinds, nil
}

func (s standard) exec(text string) error {
	_, err := s.DB.Exec(text)
	return err
}

func (s standard) insert(table string) error {
	scope, err := s.DB.Begin()
	if err != nil {
		return err
	}
	batch, err := scope.Prepare("INSERT INTO " + table)
	if err != nil {
		return err
	}
	for _, row := range ask.Written {
		if _, err := batch.Exec(values(row)...); err != nil {
			return err
		}
	}
	return scope.Commit()
}

func values(row []string) []any {
	id, _ := strconv.ParseUint(row[0], 10, 32)
	big, _ := strconv.ParseUint(row[2], 10, 64)
	at, _ := time.Parse(iso, row[3])
	return []any{uint32(id), row[1], big, at}
}

func plain(value any, kind string) any {
	if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem().Interface(), strings.TrimPrefix(kind, "Nullable("))
	}
	switch one := value.(type) {
	case nil:
		return nil
	case string:
		return one
	case time.Time:
		if strings.HasPrefix(kind, "Date") && !strings.HasPrefix(kind, "DateTime") {
			return one.Format("2006-01-02")
		}
		return one.UTC().Format(iso)
	case fmt.Stringer:
		return one.String()
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i).Interface(), "")
		}
		return list
	case reflect.Map:
		fields := map[string]any{}
		for _, key := range v.MapKeys() {
			fields[fmt.Sprint(key.Interface())] = plain(v.MapIndex(key).Interface(), "")
		}
		return fields
	}
	return fmt.Sprint(value)
}

func all(c client, ctx context.Context, text string, args ...any) ([][]any, error) {
	rows, width, types, kinds, err := c.query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	seen := [][]any{}
	for rows.Next() {
		into := make([]any, width)
		for i := range into {
			into[i] = reflect.New(types[i]).Interface()
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row := make([]any, width)
		for i := range into {
			row[i] = plain(reflect.ValueOf(into[i]).Elem().Interface(), kinds[i])
		}
		seen = append(seen, row)
	}
	return seen, rows.Err()
}

func first(rows [][]any, err error) ([]any, error) {
	column := []any{}
	for _, row := range rows {
		column = append(column, row[0])
	}
	return column, err
}

func do(c client, q question) (any, error) {
	ctx := context.Background()
	switch q.Do {
	case "rows", "error":
		return all(c, ctx, q.Sql)
	case "count":
		rows, _, _, _, err := c.query(ctx, q.Sql)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		var count, total, number uint64
		var text string
		for rows.Next() {
			if err := rows.Scan(&number, &text); err != nil {
				return nil, err
			}
			count, total = count+1, total+number
		}
		return []uint64{count, total}, rows.Err()
	case "bind":
		at, _ := time.Parse(iso, ask.Bound["at"])
		return all(c, ctx, q.Sql,
			clickhouse.Named("n", ask.Bound["n"]),
			// Over HTTP it sends a text as it is, and a server reads escapes in it.
			clickhouse.Named("s", escape.Replace(ask.Bound["s"])),
			clickhouse.DateNamed("at", at, clickhouse.MilliSeconds))
	case "tables":
		return first(all(c, ctx, "SHOW TABLES"))
	case "columns":
		return first(all(c, ctx, "DESCRIBE TABLE "+q.Table))
	case "every":
		names, err := first(all(c, ctx, "SHOW TABLES"))
		if err != nil {
			return nil, err
		}
		sizes := map[string]int{}
		for _, name := range names {
			rows, err := all(c, ctx, fmt.Sprintf("SELECT * FROM `%s`", name))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			sizes[name.(string)] = len(rows)
		}
		return sizes, nil
	case "write":
		if err := c.exec("DROP TABLE IF EXISTS " + q.Table); err != nil {
			return nil, err
		}
		made := fmt.Sprintf("CREATE TABLE %s (%s) ENGINE = MergeTree ORDER BY id", q.Table, ask.Columns)
		if err := c.exec(made); err != nil {
			return nil, err
		}
		defer c.exec("DROP TABLE " + q.Table)
		if err := c.insert(q.Table); err != nil {
			return nil, err
		}
		return all(c, ctx, "SELECT * FROM "+q.Table+" ORDER BY id")
	case "cancel":
		ctx, cancel := context.WithCancel(ctx)
		go func() {
			_, _ = input.ReadString('\n')
			cancel()
		}()
		return all(c, ctx, q.Sql)
	}
	return nil, fmt.Errorf("unknown: %s", q.Do)
}

func opened(mode string) (client, error) {
	if mode == "conn" {
		conn, err := clickhouse.Open(options(mode))
		if err != nil {
			return nil, err
		}
		return native{conn}, conn.Ping(context.Background())
	}
	db := clickhouse.OpenDB(options(mode))
	return standard{db}, db.PingContext(context.Background())
}

func main() {
	line, err := input.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &ask)
	}
	if err != nil {
		panic(err)
	}
	answers := map[string]any{}
	c, err := opened(os.Args[1])
	for _, q := range ask.Questions {
		var value any
		failed := err
		if failed == nil {
			value, failed = do(c, q)
		}
		if failed != nil {
			answers[q.Name] = map[string]any{"error": failed.Error()}
		} else {
			answers[q.Name] = map[string]any{"value": value}
		}
	}
	version := "?"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/ClickHouse/clickhouse-go/v2" {
				version = strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"version": version, "answers": answers})
}
