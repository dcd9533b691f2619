// Verdicts of JSON queries as Uptime Kuma has them: a line of JSON for each case in, 1 (up) or 0 out.
// JSONata is the real one; the comparison follows evaluateJsonQuery in Uptime Kuma's src/util.ts.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const jsonata = createRequire(`${process.env.WIDE_NODE}/node_modules/`)("jsonata");

async function isUp({ query, operator, expected, answer }) {
  let value;
  try {
    value = JSON.parse(answer);
  } catch {
    value = answer;
  }
  try {
    if (query) value = await jsonata(query).evaluate(value);
    if (value === null || value === undefined || typeof value === "object") return false;
    const found = String(value);
    if (operator === "==") return found === expected;
    if (operator === "!=") return found !== expected;
    if (operator === "contains") return found.includes(expected);
    const bare = `$number(a) ${operator} $number(b)`;
    return (await jsonata(bare).evaluate({ a: found, b: expected })) === true;
  } catch {
    return false;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log((await isUp(JSON.parse(line))) ? 1 : 0);
}
