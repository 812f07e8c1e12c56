#!/bin/sh
# Sends an event by every route: examples/curl.sh [URL] [WRITE_KEY]
set -eu
url=${1:-http://127.0.0.1:8080}
key=${2:-my-key}
started=$(date +%s)
number=0

# Every event needs an id of its own: a second one with the same id is taken for a resend, and not queued again.
next_id() {
    number=$((number + 1))
    id="curl-$started-$$-$number"
}

# post ROUTE JSON [more of curl's arguments]
post() {
    route=$1 body=$2
    shift 2
    printf '%-32s ' "POST $route"
    curl -sS --fail-with-body -u "$key:" "$url$route" -d "$body" "$@"
    echo
}

# pixel KIND JSON: a GET request that a mail or a page without scripts can make; the answer is an image.
pixel() {
    printf '%-32s ' "GET /v1/pixel/$1"
    data=$(printf %s "$2" | base64 | tr -d '\n')
    curl -sS --fail -u "$key:" -G "$url/v1/pixel/$1" --data-urlencode "data=$data" -o /dev/null -w '%{content_type}\n'
}

# each KIND SHORT MEMBERS: one event by each of a kind's routes.
each() {
    for route in "/v1/$1" "/v1/$2"; do
        next_id
        post "$route" "{\"messageId\": \"$id\", \"userId\": \"user-1\", $3}"
    done
    next_id
    pixel "$1" "{\"messageId\": \"$id\", \"userId\": \"user-1\", $3}"
}

each identify i '"traits": {"name": "Arthur Dent", "hasTowel": true}'
each track t '"event": "Added File", "properties": {"fileSize": "42kb"}'
each page p '"name": "Home", "properties": {"path": "/"}'
each screen s '"name": "Start"'
each group g '"groupId": "group-1", "traits": {"name": "The Hitchhikers"}'
each alias a '"previousId": "anonymous-1"'

# Many events, and what is said for all of them.
for route in /v1/batch /v1/import /v1/b; do
    next_id && first=$id
    next_id
    post "$route" "{
        \"batch\": [
            {\"type\": \"track\", \"messageId\": \"$first\", \"userId\": \"user-1\", \"event\": \"Opened\"},
            {\"type\": \"page\", \"messageId\": \"$id\", \"anonymousId\": \"anonymous-1\", \"name\": \"Home\"}
        ],
        \"context\": {\"page\": {\"path\": \"/home\"}},
        \"integrations\": {\"All\": false, \"Mixpanel\": true}
    }"
done

# Another system's events: the key in the query overwrites the one that they have.
for route in /v1/webhook /v1/w; do
    next_id
    post "$route?writeKey=$key" "{\"type\": \"track\", \"messageId\": \"$id\", \"userId\": \"user-1\", \"event\": \"Paid\"}" -u ''
done

# MetaRouter's: any JSON, with what the collector needs to know in _metarouter.
next_id
post /v1/custom/event "{
    \"_metarouter\": {\"writeKey\": \"$key\", \"eventName\": \"Shipped\", \"eventID\": \"$id\", \"userID\": \"user-1\"},
    \"parcels\": [{\"weight\": 1.50}]
}"

# RudderStack's: an alias by another name, and a pixel whose members are parameters.
next_id
post /v1/merge "{\"messageId\": \"$id\", \"userId\": \"user-1\", \"previousId\": \"anonymous-1\"}"
for kind in track page; do
    next_id
    printf '%-32s ' "GET /pixel/v1/$kind"
    curl -sS --fail -G "$url/pixel/v1/$kind" -o /dev/null -w '%{content_type}\n' \
        --data-urlencode "writeKey=$key" --data-urlencode "messageId=$id" --data-urlencode 'anonymousId=anonymous-1' \
        --data-urlencode 'event=Opened mail' --data-urlencode 'context.page.path=/home'
done

printf '%-32s ' 'GET /version'
curl -sS --fail-with-body "$url/version"
echo
printf '%-32s ' 'GET /health'
curl -sS --fail-with-body "$url/health"
echo
