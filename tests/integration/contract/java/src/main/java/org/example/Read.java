package org.example;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.example.topics.CheckResult;
import org.example.topics.IncidentEvent;
import org.example.topics.RegionEvent;
import org.example.topics.RegionVerdict;
import org.example.topics.Target;
import org.example.topics.TargetsEvent;
import org.example.webhook.WebhookData;

/**
 * Decodes each line of standard input, {"type": …, "schema": …, "json": …}, by the types that
 * jsonschema2pojo made, holds it against its schema, a file of the folder given, by networknt's
 * validator, and writes {"value": …, "faults": …}, one a line.
 */
public final class Read {
    private static final Map<String, Class<?>> TYPES =
            Map.of(
                    "IncidentEvent", IncidentEvent.class,
                    "RegionEvent", RegionEvent.class,
                    "TargetsEvent", TargetsEvent.class,
                    "CheckResult", CheckResult.class,
                    "Target", Target.class,
                    "WebhookData", WebhookData.class);

    public static void main(String[] arguments) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        JsonSchemaFactory factory = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);
        Map<String, JsonSchema> schemas = new HashMap<>();
        BufferedReader lines =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String text = lines.readLine(); text != null; text = lines.readLine()) {
            JsonNode line = mapper.readTree(text);
            String json = line.get("json").asText();
            String name = line.get("schema").asText();
            if (!schemas.containsKey(name)) {
                schemas.put(name, factory.getSchema(Files.readString(Path.of(arguments[0], name))));
            }
            Object value = mapper.readValue(json, TYPES.get(line.get("type").asText()));
            if (value instanceof IncidentEvent event) {
                for (RegionVerdict region : event.getRegions().getAdditionalProperties().values()) {
                    String verdict = region.getVerdict();
                    if (verdict.isEmpty()) throw new IOException("no verdict");
                }
            }
            int faults = schemas.get(name).validate(mapper.readTree(json)).size();
            byte[] answer = mapper.writeValueAsBytes(Map.of("value", value, "faults", faults));
            System.out.write(answer);
            System.out.write('\n');
        }
        System.out.flush();
    }
}
