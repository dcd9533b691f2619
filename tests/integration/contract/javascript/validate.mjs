// Compiles each JSON Schema in Ajv's strict mode, and holds the documents of standard input against
// them: `{"schemas": {name: schema}, "documents": [[name, document], …]}`. Writes the verdicts.
import Ajv2020 from "ajv/dist/2020.js";
import { readFileSync } from "node:fs";

const { schemas, documents } = JSON.parse(readFileSync(0, "utf8"));
const said = [];
const note = (...words) => said.push(words.join(" "));
const ajv = new Ajv2020.default({
  strict: true,
  allowUnionTypes: true,
  logger: { log: note, warn: note, error: note },
});
const validators = {};
for (const [name, schema] of Object.entries(schemas)) validators[name] = ajv.compile(schema);
const valid = documents.map(([name, document]) => validators[name](document));
process.stdout.write(JSON.stringify({ valid, said }));
