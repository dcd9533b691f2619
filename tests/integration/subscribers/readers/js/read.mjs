// Reads a topic from its beginning with kafkajs as it comes, or with zstd added, and prints what it
// got, a record a line: partition, offset, and the SHA-256 of the value ("null" without one).
//
//   node read.mjs kafkajs|kafkajs+zstd BROKERS TOPIC PARTITIONS RECORDS
import { createHash } from "node:crypto";
import { decompress } from "fzstd";
import kafkajs from "kafkajs";

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
const [client, broker, topic, , records] = process.argv.slice(2);
if (client === "kafkajs+zstd") {
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: () => { throw new Error("this program only reads"); },
    decompress: async (packed) => Buffer.from(decompress(packed)),
  });
}
const fail = (error) => { console.error(String(error)); process.exit(1); };
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({ groupId: `readers.${client}.${topic}` });
consumer.on(consumer.events.CRASH, ({ payload }) => fail(payload.error));
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
let left = Number(records);
await consumer.run({
  eachMessage: async ({ partition, message }) => {
    const { value } = message;
    const said = value === null ? "null" : createHash("sha256").update(value).digest("hex");
    console.log(partition, message.offset, said);
    if (--left === 0) process.exit(0);
  },
});
