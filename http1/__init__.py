"""HTTP/1.1 on a connection (RFC 9110 and 9112): heads, bodies, pipelining, time-outs. It knows nothing of events."""
