"""Messages between Python and the browser."""
