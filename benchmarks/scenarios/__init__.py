"""What users of an authority do, for locust: one module for each kind; ``benchmarks/locustfile.py`` lists them."""
