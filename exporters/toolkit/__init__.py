"""What every program here shares: exporter-toolkit, promhttp, promslog and kingpin in Python."""
