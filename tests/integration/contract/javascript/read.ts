// Decodes each line of standard input, `{"type": …, "json": …}`, by the types that quicktype made,
// and writes what it has read as JSON, one a line.
import * as incidents from "./incidents.js";
import * as results from "./results.js";
import * as targets from "./targets.js";
import * as webhook from "./webhook.js";

declare const process: {
  stdin: AsyncIterable<Uint8Array>;
  stdout: { write(text: string): void };
};

const again: Record<string, (json: string) => unknown> = {
  IncidentEvent(json) {
    const event: incidents.IncidentEvent = incidents.Convert.toIncidentEvent(json);
    const verdict: string | undefined = Object.values(event.regions)[0]?.verdict;
    if (verdict === "") throw new Error("no verdict");
    return event;
  },
  RegionEvent: incidents.Convert.toRegionEvent,
  TargetsEvent: incidents.Convert.toTargetsEvent,
  CheckResult: results.Convert.toCheckResult,
  Target: targets.Convert.toTarget,
  WebhookData: webhook.Convert.toWebhookData,
};

let input = "";
const decoder = new TextDecoder();
for await (const part of process.stdin) input += decoder.decode(part, { stream: true });
for (const line of input.trimEnd().split("\n")) {
  const { type, json } = JSON.parse(line);
  process.stdout.write(JSON.stringify(again[type](json)) + "\n");
}
