"""What every domain of the service needs: identifiers, ETags, pages, idempotency, the edge of a request."""
