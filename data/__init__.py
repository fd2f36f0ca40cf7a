"""Tasks in NumPy: generators, batching, exact entropy floors. No TensorFlow here."""
