"""Messages to and from the browser."""
