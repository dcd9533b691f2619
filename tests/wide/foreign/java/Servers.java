import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;

/** Servers on the JVM that have no program of their own: Servers NAME PORT OTHER-PORT. */
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
                new EmbeddedActiveMQ().setConfiguration(config).start();
            }
            default -> throw new IllegalArgumentException(words[0]);
        }
        Thread.currentThread().join();
    }
}
