#!/bin/sh
# The whole journey with nothing but openssl, curl and the command line; GnuTLS gives a second opinion where asked.
# usage: journey.sh PECHATNIK PORT DIRECTORY LETTER.pdf FORM.pdf SHARPER.pdf
set -eu
pechatnik=$1 port=$2 dir=$3 letter=$4 form=$5 sharper=$6
base="http://127.0.0.1:$port"
cd "$dir"
say() { printf '%s\n' "== $*"; }
ca() { "$pechatnik" -c "$dir/pechatnik.toml" "$@"; }
as() { who=$1; shift; PECHATNIK_TOKEN=$(cat "$dir/$who.token") ca "$@"; }
field() { "$python" -c 'import json,sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[int(key)] if key.isdigit() else value[key]
print(value)' "$1"; }
python=$(dirname "$pechatnik")/python
expect() { [ "$1" = "$2" ] || { echo "expected '$2', got '$1'" >&2; exit 1; }; }
fails_with() { wanted=$1; shift; set +e; "$@" >/dev/null 2>&1; got=$?; set -e; expect "exit $got" "exit $wanted"; }

say "set up"
mkdir -m 700 secrets data
openssl rand -base64 48 > secrets/passphrase
chmod 600 secrets/passphrase
cat > pechatnik.toml <<TOML
[installation]
name = "Script CA"
data = "data"

[secrets]
passphrase_file = "secrets/passphrase"

[server]
port = $port
public_url = "$base"
TOML
ca config check
ca db upgrade
ca ca init --organization "Script CA" --country XX --algorithm ec-p256
ca centre add HQ --name "Head office"
for who in subscriber operator reviewer; do
  centre=""
  [ "$who" = operator ] && centre="--centre HQ"
  # shellcheck disable=SC2086
  ca --json account add "$who@example.org" --name "$who" --role "$who" $centre > "$who.json"
  field password < "$who.json" | ca --json token create --account "$who@example.org" --password-file - > "$who.out"
  field token < "$who.out" > "$who.token"
  chmod 600 "$who.token"
done
"$pechatnik" -c "$dir/pechatnik.toml" serve --port "$port" > server.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true' EXIT
curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors "$base/readyz" > ready.json
expect "$(field ready < ready.json)" True

say "key and request, made outside of the authority"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -subj /CN=ignored -out request.pem 2>/dev/null
openssl req -in request.pem -noout -verify 2>/dev/null

say "application with two documents"
as subscriber --json application new --profile private/code-signing -s C=XX -s O="Example Ltd" -s CN="Example Ltd" > application.json
number=$(field number < application.json)
as subscriber application attach "$number" organisation-letter "$letter"
as subscriber application attach "$number" request-form "$form"
as subscriber application submit "$number"

say "one document is refused and sent again"
as operator application claim "$number"
as operator --json application show "$number" > shown.json
for at in 0 1; do
  id=$(field "documents.$at.id" < shown.json)
  kind=$(field "documents.$at.kind" < shown.json)
  as operator application view "$id" --out "page-$at.png"
  if [ "$kind" = request-form ]; then
    as operator application refuse "$id" --reason unreadable --note "too dark"
  else
    as operator application accept "$id"
  fi
done
as operator --json application show "$number" > shown.json
fails_with 3 as operator application approve "$number" --digest "$(field digest < shown.json)"
as operator application return "$number"
as subscriber application attach "$number" request-form "$sharper"
as subscriber application submit "$number"

say "two approvals by two people"
approve() {
  as "$1" application claim "$number"
  as "$1" --json application show "$number" > shown.json
  "$python" -c 'import json,sys
for one in json.load(sys.stdin)["documents"]:
    if one["state"] in ("pending", "accepted"):
        print(one["id"], one["state"])' < shown.json > documents.txt
  while read -r id state; do
    rm -f page.png
    as "$1" application view "$id" --out page.png < /dev/null
    [ "$state" = accepted ] || as "$1" application accept "$id" < /dev/null
  done < documents.txt
  as "$1" --json application show "$number" > shown.json
  as "$1" application approve "$number" --digest "$(field digest < shown.json)"
}
approve operator
digest=$(field digest < shown.json)
fails_with 5 as subscriber application approve "$number" --digest "$digest"
fails_with 6 as operator application approve "$number" --digest "$digest"
fails_with 5 as subscriber cert issue "$number"
approve reviewer

say "issue, and verify with openssl"
as subscriber cert request "$number" request.pem
as subscriber cert issue "$number" --out certificate.pem
as subscriber --json cert accept "$number" > accepted.json
code=$(field report_code < accepted.json)
ca ca show root --out root.pem
ca ca show issuing --out issuing.pem
openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem -purpose any certificate.pem
openssl x509 -in certificate.pem -noout -pubkey > certified.pub
openssl pkey -in key.pem -pubout > own.pub
cmp certified.pub own.pub
serial=$(openssl x509 -in certificate.pem -noout -serial | cut -d= -f2)
url=$(openssl x509 -in certificate.pem -noout -ocsp_uri)
expect "$url" "$base/ocsp"

status() { # what openssl and GnuTLS read from the responder; both must verify the answer
  openssl ocsp -issuer issuing.pem -cert certificate.pem -CAfile root.pem -url "$base/ocsp" -resp_text > ocsp.txt 2> ocsp.err
  grep -q "Response verify OK" ocsp.err
  if command -v ocsptool >/dev/null 2>&1; then
    openssl ocsp -issuer issuing.pem -cert certificate.pem -no_nonce -noverify -url "$base/ocsp" -respout ocsp.der >/dev/null 2>&1
    ocsptool --verify-response --load-response ocsp.der --load-trust issuing.pem > gnutls.txt
    grep -q "Success" gnutls.txt
  fi
  sed -n 's/^certificate.pem: //p' ocsp.txt
  sed -n 's/^.*Revocation Reason: \([a-zA-Z]*\).*$/\1/p' ocsp.txt | tail -n 1
}
say "OCSP: good, hold, unhold, revoke"
expect "$(status)" good
expect "$(ca ocsp query "$serial")" "$(echo "$serial" | tr A-F a-f): good"
as operator cert hold "$serial" --because "the subscriber called"
expect "$(status | tr '\n' ' ')" "revoked certificateHold "
fails_with 3 ca ocsp query "$serial"
fails_with 3 ca cert verify certificate.pem
as operator cert unhold "$serial" --because "the token was found"
expect "$(status)" good
ca cert verify certificate.pem

say "a lost token, reported by its code, without a log-in"
id=$(as subscriber --json cert show "$serial" | field id)
expect "$(curl --silent --output /dev/null --write-out '%{http_code}' -H 'Content-Type: application/json' --data "{\"code\":\"$code\"}" "$base/api/v1/loss-reports")" 204
expect "$(status | tr '\n' ' ')" "revoked certificateHold "
as subscriber --json cert replace "$serial" --circumstance lost > application.json
number=$(field number < application.json)
as subscriber application attach "$number" organisation-letter "$letter"
as subscriber application attach "$number" request-form "$sharper"
as subscriber application submit "$number"
approve operator
approve reviewer
fails_with 3 as subscriber cert request "$number" request.pem
openssl req -new -newkey rsa:3072 -nodes -keyout key2.pem -subj /CN=ignored -out request2.pem 2>/dev/null
as subscriber cert request "$number" request2.pem
as subscriber cert issue "$number" --out certificate2.pem
openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem -purpose any certificate2.pem
expect "$(status | tr '\n' ' ')" "revoked superseded "

say "CRL and OCSP agree"
ca crl issue issuing
crl=$(openssl x509 -in certificate.pem -noout -ext crlDistributionPoints | sed -n 's/^ *URI://p')
curl --silent --fail --output list.crl "$crl"
openssl crl -inform DER -in list.crl -CAfile issuing.pem -noout -text > list.txt 2> list.err
grep -q "verify OK" list.err
grep -A 4 -i "$serial" list.txt | grep -q Superseded
openssl crl -inform DER -in list.crl -out list.pem
! openssl verify -crl_check -CAfile root.pem -untrusted issuing.pem -CRLfile list.pem -purpose any certificate.pem > /dev/null 2>&1
openssl verify -crl_check -CAfile root.pem -untrusted issuing.pem -CRLfile list.pem -purpose any certificate2.pem
if command -v certtool >/dev/null 2>&1; then
  cat issuing.pem root.pem > authorities.pem
  certtool --verify-crl --load-ca-certificate issuing.pem --infile list.pem > gnutls-crl.txt
  certtool --verify --load-ca-certificate authorities.pem --infile certificate2.pem > gnutls-cert.txt
fi

say "revoked for good only becomes worse: keyCompromise"
as operator cert revoke "$serial" --reason keyCompromise --because "the finder read the key" --yes
fails_with 6 as operator cert revoke "$serial" --reason superseded --because "again" --yes
expect "$(status | tr '\n' ' ')" "revoked keyCompromise "

say "the record"
ca audit seal
ca audit verify
ca audit export chain.jsonl
"$pechatnik" audit verify chain.jsonl
sed 's/application.approved/application.rejected/' chain.jsonl > forged.jsonl
fails_with 3 "$pechatnik" audit verify forged.jsonl
ca doctor > doctor.txt || { cat doctor.txt; exit 1; }
ca db backup "$dir/backup"
say "done"
