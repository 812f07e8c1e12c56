#!/bin/sh
# Makes the certificates that tests of TLS use: of two authorities, each a server's and a client's, good for 100 years.
# They are committed, so that the tests need no openssl.
set -eu
cd "$(dirname "$0")"
new="req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500"
names="subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
for prefix in "" other-; do
    authority="${prefix}authority"
    openssl $new -subj "/CN=$authority" -keyout "$authority.key" -out "$authority.pem"
    for end in server client; do
        openssl $new -CA "$authority.pem" -CAkey "$authority.key" -subj "/CN=$prefix$end" \
            -addext "$names" -addext basicConstraints=CA:FALSE -keyout "$prefix$end.key" -out "$prefix$end.pem"
    done
    rm "$authority.key"
done
