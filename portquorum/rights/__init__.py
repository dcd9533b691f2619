"""Rights in Kafka as the tools of those who run it take them."""
