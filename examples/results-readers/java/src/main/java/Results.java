import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Prints each check result of [results]; arguments: BROKERS TOPIC. */
public class Results {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) {
        var settings = Map.<String, Object>of(
            "bootstrap.servers", args[0], "group.id", "results-java",
            "auto.offset.reset", "earliest");
        var text = new StringDeserializer();
        try (var consumer = new KafkaConsumer<>(settings, text, text)) {
            consumer.subscribe(List.of(args[1]));
            while (true) {
                for (var message : consumer.poll(Duration.ofSeconds(1))) {
                    var place = message.partition() + ":" + message.offset();
                    // A control record has an empty value, hence no lines.
                    var value = message.value() == null ? "" : message.value();
                    int number = 0;
                    for (var line : value.split("\n")) {
                        print(place + " line " + number++, line);
                    }
                }
            }
        }
    }

    private static void print(String place, String line) {
        if (line.isBlank()) {
            return;
        }
        try {
            JsonNode result = JSON.readTree(line);
            System.out.println(result.required("target").asText() + " "
                + result.required("region").asText() + " " + result.required("status").asText());
        } catch (JsonProcessingException | IllegalArgumentException error) {
            System.err.println(place + ": " + error.getMessage().lines().findFirst().orElse(""));
        }
    }
}
