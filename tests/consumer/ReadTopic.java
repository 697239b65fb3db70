// Reads a topic as any Java program would, with Kafka's own client and Kafka Streams' own
// deserializers, and prints one JSON object per record. Run from its source by the JDK:
//
//   java -cp 'build/kafka/libs/*' tests/consumer/ReadTopic.java BROKERS TOPIC plain|time:SIZE_MS|session
//
// Each object has partition, offset, timestamp, key, value (null for a tombstone), for windowed keys
// windowStart and windowEnd, and javaPartition: where Java's producer would have put the key.

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.kstream.SessionWindowedDeserializer;
import org.apache.kafka.streams.kstream.TimeWindowedDeserializer;
import org.apache.kafka.streams.kstream.Windowed;

public final class ReadTopic {
  private static final Duration DEADLINE = Duration.ofSeconds(60);
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] arguments) {
    if (arguments.length != 3) {
      System.err.println("usage: ReadTopic BROKERS TOPIC plain|time:SIZE_MS|session");
      System.exit(2);
    }
    String topic = arguments[1];
    Deserializer<Windowed<String>> windowedKeys = windowedDeserializer(arguments[2]);
    Properties properties = new Properties();
    properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
    properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
        properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
          .map(info -> new TopicPartition(topic, info.partition())).toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      long deadline = System.nanoTime() + DEADLINE.toNanos();
      while (!reached(consumer, ends)) {
        if (System.nanoTime() > deadline) {
          throw new IllegalStateException("the end of " + topic + " is not reached in time");
        }
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          System.out.println(describe(record, windowedKeys, partitions.size()));
        }
      }
    }
  }

  /** Positions pass over the markers of transactions, so they do reach the ends. */
  private static boolean reached(KafkaConsumer<?, ?> consumer, Map<TopicPartition, Long> ends) {
    return ends.entrySet().stream()
        .allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
  }

  private static Deserializer<Windowed<String>> windowedDeserializer(String kind) {
    if (kind.equals("session")) {
      return new SessionWindowedDeserializer<>(new StringDeserializer());
    }
    if (kind.startsWith("time:")) {
      return new TimeWindowedDeserializer<>(
          new StringDeserializer(), Long.parseLong(kind.substring("time:".length())));
    }
    return null;
  }

  private static String describe(ConsumerRecord<byte[], byte[]> record,
      Deserializer<Windowed<String>> windowedKeys, int partitions) {
    ObjectNode row = JSON.createObjectNode();
    row.put("partition", record.partition());
    row.put("offset", record.offset());
    row.put("timestamp", record.timestamp());
    byte[] placedBy = record.key();
    if (record.key() == null || windowedKeys == null) {
      row.put("key", text(record.key()));
    } else {
      Windowed<String> key = windowedKeys.deserialize(record.topic(), record.key());
      row.put("key", key.key());
      row.put("windowStart", key.window().start());
      row.put("windowEnd", key.window().end());
      // Kafka Streams places a windowed key by the key without its window.
      placedBy = key.key().getBytes(StandardCharsets.UTF_8);
    }
    row.put("value", text(record.value()));
    if (placedBy != null) {
      row.put("javaPartition", BuiltInPartitioner.partitionForKey(placedBy, partitions));
    }
    return row.toString();
  }

  private static String text(byte[] bytes) {
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }
}
