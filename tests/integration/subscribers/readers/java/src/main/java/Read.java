import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads a topic from its beginning with kafka-clients and prints what it got, a record a line:
 * partition, offset, and the SHA-256 of the value ("null" without one).
 *
 * <p>Arguments: CLIENT BROKERS TOPIC PARTITIONS RECORDS
 */
public class Read {
    public static void main(String[] args) throws Exception {
        var settings = Map.<String, Object>of("bootstrap.servers", args[1]);
        var bytes = new ByteArrayDeserializer();
        int left = Integer.parseInt(args[4]);
        try (var consumer = new KafkaConsumer<>(settings, bytes, bytes)) {
            List<TopicPartition> all = consumer.partitionsFor(args[2]).stream()
                .map(one -> new TopicPartition(args[2], one.partition())).toList();
            consumer.assign(all);
            consumer.seekToBeginning(all);
            while (left > 0) {
                for (var record : consumer.poll(Duration.ofSeconds(1))) {
                    var said = record.value() == null ? "null" : HexFormat.of().formatHex(
                        MessageDigest.getInstance("SHA-256").digest(record.value()));
                    System.out.println(record.partition() + " " + record.offset() + " " + said);
                    left--;
                }
            }
        }
    }
}
