"""Framework agreements on electronic signatures, which contracts are signed under."""
