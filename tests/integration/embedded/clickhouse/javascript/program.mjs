// A short real program with @clickhouse/client: what it saw goes to standard output as JSON.
// node program.mjs URL USER PASSWORD DATABASE
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { createClient } from "@clickhouse/client";

const [url, username, password, database] = process.argv.slice(2);
const options = { url, username, password, database };
const client = createClient(options);
const compressing = createClient({
  ...options,
  compression: { request: true, response: true },
});
const seen = {};

seen.ping = (await client.ping()).success;
seen.pingSelect = (await client.ping({ select: true })).success;

await client.command({
  query: "CREATE TABLE js (id UInt64, name String, at DateTime) ENGINE = MergeTree ORDER BY id",
});
const rows = Array.from({ length: 1000 }, (_, id) => ({
  id,
  name: `row ${id} "'\\\n`,
  at: "2026-01-02 03:04:05",
}));
const written = await client.insert({ table: "js", values: rows, format: "JSONEachRow" });
seen.written = written.summary.written_rows;
await compressing.insert({
  table: "js",
  values: Readable.from(rows.map((row) => ({ ...row, id: row.id + 1000 }))),
  format: "JSONEachRow",
});
await client.insert({
  table: "js",
  values: Readable.from(["2000,a,2026-01-01 00:00:00\n", "2001,b,2026-01-01 00:00:00\n"], {
    objectMode: false,
  }),
  format: "CSV",
  columns: ["id", "name", "at"],
});

const answer = await client.query({
  query: "SELECT count() AS n, sum(id) AS s FROM js WHERE id < {most:UInt64}",
  query_params: { most: 2000 },
  clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
});
seen.json = (await answer.json()).data;

const typed = await compressing.query({
  query: "SELECT id, name FROM js ORDER BY id LIMIT 3 OFFSET 1",
  format: "JSONCompactEachRowWithNamesAndTypes",
});
seen.typed = await typed.json();

// More rows than fit into one block of the engine, read as they come.
const many = await compressing.query({
  query: "SELECT number FROM numbers(300000)",
  format: "JSONEachRow",
});
seen.streamed = 0;
for await (const batch of many.stream()) seen.streamed += batch.length;
const names = await client.query({
  query: "SELECT number AS n FROM numbers(300000)",
  format: "CSVWithNames",
});
const lines = (await names.text()).trimEnd().split("\n");
seen.csv = [lines[0], lines.length, lines.filter((line) => line === '"n"').length];

const session_id = randomUUID();
await client.command({ query: "CREATE TEMPORARY TABLE kept (x UInt8)", session_id });
await client.insert({ table: "kept", values: [{ x: 7 }], format: "JSONEachRow", session_id });
await client.command({ query: "SET max_block_size = 77", session_id });
const kept = await client.query({
  query: "SELECT x, getSetting('max_block_size') AS size FROM kept",
  format: "JSONEachRow",
  session_id,
});
seen.session = await kept.json();

const long = await client.query({
  query: "SELECT length({text:String}) AS n",
  query_params: { text: "x".repeat(100_000) },
  format: "JSONEachRow",
  use_multipart_params: true,
});
seen.multipart = await long.json();

try {
  await client.query({ query: "SELECT * FROM nowhere" });
} catch (error) {
  seen.error = [error.code, error.type];
}
try {
  const broken = await client.query({
    query: "SELECT throwIf(number = 5000000) FROM numbers(6000000)",
    format: "JSONEachRow",
    clickhouse_settings: { max_threads: 1 },
  });
  for await (const _ of broken.stream());
} catch (error) {
  seen.broken = [error.code, error.type];
}

const controller = new AbortController();
const query_id = randomUUID();
const endless = client.query({
  query: "SELECT count() FROM numbers(1e13) WHERE sipHash64(number) = 3",
  query_id,
  abort_signal: controller.signal,
});
const running = async () => {
  const found = await client.query({
    query:
      "SELECT count() AS n FROM system.processes WHERE Settings['log_comment'] = {id:String}",
    query_params: { id: query_id },
    format: "JSONEachRow",
  });
  return Number((await found.json())[0].n);
};
const becomes = async (wanted) => {
  for (let tries = 0; tries < 500; tries++) {
    if ((await running()) === wanted) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
};
seen.ran = await becomes(1);
controller.abort();
await endless.catch(() => {});
seen.ended = await becomes(0);

await client.close();
await compressing.close();
console.log(JSON.stringify(seen));
