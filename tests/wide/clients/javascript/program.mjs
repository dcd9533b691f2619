// @clickhouse/client: questions come from standard input, answers go to standard output.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createClient } from "@clickhouse/client";

const lines = createInterface({ input: process.stdin });
const waiting = [];
const come = [];
lines.on("line", (line) => (waiting.length ? waiting.shift()(line) : come.push(line)));
const nextLine = () =>
  new Promise((resolve) => (come.length ? resolve(come.shift()) : waiting.push(resolve)));

const asked = JSON.parse(await nextLine());
const client = createClient({
  url: `${asked.secure ? "https" : "http"}://${asked.host}:${asked.port}`,
  username: asked.user,
  password: asked.password,
  database: asked.database,
  request_timeout: 100_000,
});
// 64-bit integers and decimals as text: a number of JavaScript can't hold them.
const exact = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
  date_time_output_format: "iso",
};

function plain(value, type) {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((one) => plain(one, ""));
  if (typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one, "")]));
  }
  if (/DateTime/.test(type)) return new Date(value).toISOString();
  return String(value);
}

async function all(query, more = {}) {
  const found = await client.query({
    query,
    format: "JSONCompactEachRowWithNamesAndTypes",
    clickhouse_settings: exact,
    ...more,
  });
  const [names, types, ...rows] = await found.json();
  if (!names) return [];
  return rows.map((row) => row.map((value, number) => plain(value, types[number])));
}

const first = async (query) => (await all(query)).map((row) => row[0]);

const ways = {
  rows: ({ sql }) => all(sql),
  error: ({ sql }) => all(sql),
  async count({ sql }) {
    let count = 0;
    let total = 0;
    const found = await client.query({ query: sql, format: "JSONCompactEachRow" });
    for await (const rows of found.stream()) {
      for (const row of rows) {
        count += 1;
        total += Number(row.json()[0]);
      }
    }
    return [count, total];
  },
  bind: ({ sql }) =>
    all(sql, {
      query_params: { n: BigInt(asked.bound.n), s: asked.bound.s, at: new Date(asked.bound.at) },
    }),
  tables: () => first("SHOW TABLES"),
  columns: ({ table }) => first(`DESCRIBE TABLE ${table}`),
  async every() {
    const sizes = {};
    for (const name of await first("SHOW TABLES")) {
      sizes[name] = (await all(`SELECT * FROM \`${name}\``)).length;
    }
    return sizes;
  },
  async write({ table }) {
    await client.command({ query: `DROP TABLE IF EXISTS ${table}` });
    await client.command({
      query: `CREATE TABLE ${table} (${asked.columns}) ENGINE = MergeTree ORDER BY id`,
    });
    try {
      await client.insert({
        table,
        values: asked.written.map(([id, name, big, at]) => ({ id, name, big, at })),
        format: "JSONEachRow",
        clickhouse_settings: { date_time_input_format: "best_effort" },
      });
      return await all(`SELECT * FROM ${table} ORDER BY id`);
    } finally {
      await client.command({ query: `DROP TABLE ${table}` });
    }
  },
  async cancel({ sql }) {
    const controller = new AbortController();
    nextLine().then(() => controller.abort());
    return await all(sql, { abort_signal: controller.signal });
  },
};

const answers = {};
for (const question of asked.questions) {
  try {
    answers[question.name] = { value: await ways[question.do](question) };
  } catch (error) {
    const { code = "", type = "", message } = error;
    answers[question.name] = { error: `${code} ${type} ${message}` };
  }
}
const { version } = JSON.parse(
  readFileSync(new URL("node_modules/@clickhouse/client/package.json", import.meta.url)),
);
process.stdout.write(`${JSON.stringify({ version, answers })}\n`, () => process.exit(0));
