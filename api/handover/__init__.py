"""Hand-over of a signature request to a device that has the key and no credential: a phone scans a QR code."""
