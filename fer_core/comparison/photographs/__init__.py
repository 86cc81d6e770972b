"""How a model fares on faces in photographs: small, turned, dark, blurred and compressed ones."""
