#!/bin/sh
# Makes throw-away certificates for development and tests. Run with --help for the options.
set -eu

usage() {
    cat <<'USAGE'
usage: make-certs.sh [--force] [--out DIR]

Makes a throw-away certificate authority with server and client certificates in DIR
(default: the folder "out" beside this script). Does nothing when all of them are there
and none is about to expire; --force makes them anew. What each file is for: README.md.
USAGE
}

fail() {
    echo "make-certs.sh: $1" >&2
    exit 1
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=$here/out
force=no
while [ $# -gt 0 ]; do
    case $1 in
    --force) force=yes ;;
    --out)
        [ $# -ge 2 ] || fail "--out needs a folder"
        out=$2
        shift
        ;;
    --out=*) out=${1#--out=} ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 64
        ;;
    esac
    shift
done
[ -n "$out" ] || fail "the folder's name is empty"
command -v openssl >/dev/null 2>&1 || fail "the openssl command is missing: install the package openssl"

# ca.crt is removed first and put in place last, so that an interrupted run counts as incomplete. Its key is not kept.
current="ca foreign-ca server client client-operator client-serverauth foreign-client"
keys="server client client-operator client-expired client-serverauth foreign-client"

all_there() {
    for name in $current; do
        # A week: enough for whoever starts now to finish.
        openssl x509 -in "$out/$name.crt" -noout -checkend 604800 >/dev/null 2>&1 || return 1
    done
    for name in $keys; do
        [ -s "$out/$name.crt" ] && [ -s "$out/$name.key" ] || return 1
    done
    [ -s "$out/server-encrypted.key" ] && [ -s "$out/server-encrypted.passphrase" ]
}

if [ "$force" = no ] && all_there; then
    echo "development certificates are already in $out"
    exit 0
fi

mkdir -p -- "$out" || fail "cannot make the folder $out"
out=$(CDPATH='' cd -- "$out" && pwd)
umask 077
new=$(mktemp -d "$out/.new.XXXXXX") || fail "cannot write to $out"
trap 'cd "$out"; rm -rf "$new"' EXIT
trap 'exit 130' HUP INT TERM
cd "$new"

quietly() {
    "$@" >log 2>&1 || {
        cat log >&2
        fail "openssl failed"
    }
}

# key NAME
key() {
    quietly openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
}

# authority NAME COMMON-NAME
authority() {
    key "$1"
    cat >"$1.cnf" <<CNF
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
O = tcp-multiplexer development
CN = $2
[extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
CNF
    quietly openssl req -x509 -new -sha256 -days 3650 -config "$1.cnf" -key "$1.key" -out "$1.crt"
}

# leaf AUTHORITY NAME COMMON-NAME USAGE [EXTENSION [START END]]: the last two make it valid from START until END
leaf() {
    key "$2"
    cat >"$2.cnf" <<CNF
[req]
distinguished_name = name
prompt = no
[name]
O = tcp-multiplexer development
CN = $3
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = $4
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
${5:-}
[ca]
default_ca = authority
[authority]
database = $2.index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = policy
unique_subject = no
[policy]
organizationName = supplied
commonName = supplied
CNF
    quietly openssl req -new -sha256 -config "$2.cnf" -key "$2.key" -out "$2.csr"
    : >"$2.index"
    if [ -n "${6:-}" ]; then
        set -- "$1" "$2" -startdate "$6" -enddate "$7"
    else
        set -- "$1" "$2" -days 820
    fi
    authority=$1
    name=$2
    shift 2
    quietly openssl ca -batch -notext -config "$name.cnf" -extensions extensions -cert "$authority.crt" \
        -keyfile "$authority.key" -in "$name.csr" -out "$name.crt" "$@"
}

authority ca "Development CA"
authority foreign-ca "Foreign development CA"
leaf ca server localhost serverAuth "subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1"
leaf ca client client clientAuth
leaf ca client-operator operator clientAuth "1.3.6.1.4.1.50316.802.1 = ASN1:UTF8String:operator"
leaf ca client-expired expired clientAuth "" 20240101000000Z 20240201000000Z
leaf ca client-serverauth serverauth serverAuth
leaf foreign-ca foreign-client foreigner clientAuth

# Modbus/TCP Security wants the whole chain sent, up to the root (R-46).
cat ca.crt >>server.crt
openssl rand -hex 16 >server-encrypted.passphrase
quietly openssl pkcs8 -topk8 -v2 aes-256-cbc -in server.key -out server-encrypted.key \
    -passout file:server-encrypted.passphrase

chmod 644 ./*.crt
rm -f "$out/ca.crt"
for name in $keys; do
    mv -f "$name.key" "$name.crt" "$out/"
done
mv -f server-encrypted.key server-encrypted.passphrase foreign-ca.crt "$out/"
mv -f ca.crt "$out/"
echo "made development certificates in $out"
