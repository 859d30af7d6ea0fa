"""Plan2vec: a local metric, a graph of what is near, and shortest paths distilled into a metric."""
