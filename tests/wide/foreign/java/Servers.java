import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.nio.file.Path;
import java.util.List;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/** Servers on the JVM that have no program of their own: Servers NAME PORT OTHER-PORT MORE. */
public class Servers {
    public static void main(String[] words) throws Exception {
        int port = Integer.parseInt(words[1]);
        switch (words[0]) {
            case "mongo" -> new MongoServer(new MemoryBackend()).bind("127.0.0.1", port);
            case "artemis" -> {
                var config = new ConfigurationImpl();
                config.setPersistenceEnabled(false).setSecurityEnabled(false);
                config.addAcceptorConfiguration("amqp", "tcp://127.0.0.1:" + port + "?protocols=AMQP");
                config.addAcceptorConfiguration("mqtt", "tcp://127.0.0.1:" + words[2] + "?protocols=MQTT");
                config.addAcceptorConfiguration("secure", "tcp://127.0.0.1:" + words[3]
                    + "?protocols=AMQP;sslEnabled=true;keyStoreType=PKCS12;keyStorePassword=secret;keyStorePath="
                    + words[4]);
                new EmbeddedActiveMQ().setConfiguration(config).start();
            }
            case "opensearch" -> new OpenSearch(Settings.builder()
                .put("path.home", words[3]).put("cluster.name", "pq").put("node.name", "a")
                .put("discovery.type", "single-node").put("network.host", "127.0.0.1")
                .put("http.port", words[1]).put("transport.port", words[2])
                .put("http.type", "netty4").put("transport.type", "netty4").build()).start();
            default -> throw new IllegalArgumentException(words[0]);
        }
        Thread.currentThread().join();
    }

    /** A node with the plugin that speaks HTTP; only a subclass may name plugins. */
    private static final class OpenSearch extends Node {
        OpenSearch(Settings settings) {
            super(new Environment(settings, Path.of(settings.get("path.home"), "config")),
                List.of(Netty4Plugin.class), true);
        }
    }
}
