// Parses the AsyncAPI document of standard input by AsyncAPI's own parser and generates TypeScript
// of it by Modelina. Writes diagnostics, addresses, messages by channel, and names of models.
import parser from "@asyncapi/parser";
import { TypeScriptGenerator } from "@asyncapi/modelina";
import { readFileSync } from "node:fs";

const { document, diagnostics } = await new parser.Parser().parse(readFileSync(0, "utf8"));
const found = { diagnostics: diagnostics.map(({ code, severity }) => [code, severity]) };
if (document) {
  const channels = document.channels().all();
  found.messages = Object.fromEntries(
    channels.map((one) => [one.address(), one.messages().all().map((message) => message.name())]),
  );
  found.receives = document.operations().filterByReceive().length;
  const models = await new TypeScriptGenerator({ modelType: "interface" }).generate(document);
  found.models = models.map((model) => model.modelName).sort();
}
process.stdout.write(JSON.stringify(found));
