// Prints each check result of [results]: npm ci; node results.mjs BROKERS TOPIC
import { decompress } from "fzstd";
import kafkajs from "kafkajs";

// kafkajs reads gzip alone by itself; [results] is zstd.
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
  compress: () => { throw new Error("this program only reads"); },
  decompress: async (packed) => Buffer.from(decompress(packed)),
});

const [brokers, topic] = process.argv.slice(2);
const { WARN } = kafkajs.logLevel; // what is less goes to standard output
const kafka = new kafkajs.Kafka({ brokers: brokers.split(","), logLevel: WARN });
const consumer = kafka.consumer({ groupId: "results-javascript" });
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  eachMessage: async ({ partition, message }) => {
    // A control record has an empty value, hence no lines.
    for (const [number, line] of (message.value ?? "").toString().split("\n").entries()) {
      if (!line.trim()) continue;
      try {
        const { target, region, status } = JSON.parse(line);
        if (!target) throw new Error("no result");
        console.log(target, region, status);
      } catch (error) {
        console.error(`${partition}:${message.offset} line ${number}: ${error}`);
      }
    }
  },
});
