// Prints murmur2_vectors.json, made by Kafka's own Java client.
//
// It is not part of the tests' run (which needs no Java); it is here so that the vectors can be
// made again, for instance for a newer client. In a folder of your own:
//
//   mvn dependency:copy -Dartifact=org.apache.kafka:kafka-clients:4.1.0 -DoutputDirectory=jars
//   mvn dependency:copy -Dartifact=org.slf4j:slf4j-api:1.7.36 -DoutputDirectory=jars
//   java -cp 'jars/*' Murmur2Vectors.java > murmur2_vectors.json
//
// Each vector: the key's bytes in hex, the 32-bit hash as Java sees it (signed), and the partition
// for each partition count in "counts", as BuiltInPartitioner.partitionForKey chooses it.

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.AppInfoParser;
import org.apache.kafka.common.utils.Utils;

public class Murmur2Vectors {
  static final int[] COUNTS = {1, 2, 3, 7, 16, 64, 100, 1000};

  public static void main(String[] arguments) {
    List<byte[]> keys = new ArrayList<>();
    String[] texts = {
      "", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh",
      "db1.example.com", "localhost", "127.0.0.1", "10.0.0.7", "255.255.255.255",
      "::1", "2001:db8::1", "fe80::1", "2001:db8:85a3::8a2e:370:7334",
      "xn--bcher-kva.example", "prod-db", "eu-west", "us-east", "backup_nightly",
      "b\u00fccher.example", "\u4f8b\u3048.\u30c6\u30b9\u30c8", "\ud83d\ude80", "\u0000",
      "x".repeat(63) + ".example", "y".repeat(253), "z".repeat(1000)
    };
    for (String text : texts) {
      keys.add(text.getBytes(StandardCharsets.UTF_8));
    }
    Random random = new Random(2026); // a fixed seed: the same vectors each time
    for (int length = 1; length <= 8; length++) {
      for (int repeat = 0; repeat < 4; repeat++) {
        byte[] key = new byte[length]; // any bytes, also those above 0x7f
        random.nextBytes(key);
        keys.add(key);
      }
    }
    byte[] all = new byte[256];
    for (int value = 0; value < 256; value++) {
      all[value] = (byte) value;
    }
    keys.add(all);
    System.out.println(
        "{\"made_by\":\"Murmur2Vectors.java with kafka-clients " + AppInfoParser.getVersion()
            + "\",");
    System.out.println("\"counts\":" + java.util.Arrays.toString(COUNTS) + ",");
    System.out.println("\"vectors\":[");
    System.out.println(keys.stream().map(Murmur2Vectors::line).collect(Collectors.joining(",\n")));
    System.out.println("]}");
  }

  static String line(byte[] key) {
    String partitions =
        java.util.Arrays.stream(COUNTS)
            .map(count -> BuiltInPartitioner.partitionForKey(key, count))
            .mapToObj(Integer::toString)
            .collect(Collectors.joining(","));
    return "{\"key\":\"" + HexFormat.of().formatHex(key) + "\",\"murmur2\":" + Utils.murmur2(key)
        + ",\"partitions\":[" + partitions + "]}";
  }
}
