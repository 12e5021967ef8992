#!/usr/bin/env bash
# Makes the seeds of all targets from the test data: fuzz/corpus/<target>/, beside what runs have found there. Those of the arithmetic
# are the crate's: crates/mailverdict-crypto/fuzz/corpus/<target>/.
set -euo pipefail
cd "$(dirname "$0")/.."

# Lines on standard input become files of a target's corpus, each named by its hash.
lines() {
    mkdir -p "fuzz/corpus/$1"
    sort -u | while IFS= read -r line; do
        [ -n "$line" ] || continue
        printf '%s' "$line" >"fuzz/corpus/$1/$(printf '%s' "$line" | cksum | cut -d' ' -f1)"
    done
}

# Files named as arguments join a target's corpus.
files() {
    local target=$1
    shift
    mkdir -p "fuzz/corpus/$target"
    for file in "$@"; do
        [ -f "$file" ] && cp "$file" "fuzz/corpus/$target/$(cksum <"$file" | cut -d' ' -f1)"
    done
    return 0
}

shopt -s globstar nullglob
text=(tests/data/**/*.yml tests/data/**/*.db src/**/*.rs tests/*.rs)
grep -hoiE 'v=spf1[^"`]*' "${text[@]}" | lines spf_record
grep -hoE '[^" =:]*%[{%_-][^" ]*' "${text[@]}" | lines macro_string
grep -hoE 'v=DKIM1[^"`]*' "${text[@]}" | lines key_record
grep -hoE 'v=DMARC1[^"`]*' "${text[@]}" | lines dmarc_record
grep -hoE '[ ;"](v=1|a=rsa|i=1)[^"`]*' "${text[@]}" | lines tag_list
grep -hoE '[^"(]*@[^"`]*' src/lex/mailbox.rs src/message/author.rs src/message/possible_domains.rs | lines mailbox_list
sed -n "s/^from: *//p" tests/data/dmarc/author.yml | sed "s/^[\"']//; s/[\"']$//" | while IFS= read -r from; do printf '%b\n' "$from"; done |
    tr -d '\000' | lines mailbox_list
# Octets at places where they once bought something, and encoded words.
printf '%b\n' '<ceo@victim.test\xa0>' '<ceo@\x01victim.test>' 'ceo@victim.test\xa0<a@evil.test>' '=?x?b?Y2VvQHZpY3RpbS50ZXN0?=@evil.test' \
    '"=?utf-7?q?ceo+AEA-victim.test?="@evil.test' | lines mailbox_list
grep -hoE '[a-z.]+; *(spf|dkim|dmarc|arc|iprev)[^"`]*' "${text[@]}" | lines authentication_results
grep -hoE '[a-z_0-9-]+(\.[a-z_0-9-]+)+\.?' "${text[@]}" | awk 'NR <= 500' | lines name
cat tests/data/dkim/*.eml | grep -iA9 '^DKIM-Signature:' | tr -d '\n' | sed 's/DKIM-Signature:/\n/g' | lines dkim_signature
files message tests/data/**/*.eml
files canonicalize tests/data/**/*.eml
files master_file tests/data/**/*.db
# Targets whose octets decide over structure start from one input for each kind of result.
MAILVERDICT_SEEDS="$PWD/fuzz/corpus" cargo test --quiet --all-features --test fuzz_replay seeds_of_structure >/dev/null
arithmetic=crates/mailverdict-crypto/fuzz/corpus
mkdir -p "$arithmetic/rsa_public" "$arithmetic/ed25519"
# Numbers of every width: extremes of limbs, and the octets of keys.
for width in 7f 3f 5f 40 bf ff 01; do
    for octet in 00 01 80 ff; do
        for choice in 00 04 05 0c; do
            printf "\\x$choice\\x$width\\x04"
            printf "\\x$octet%.0s" $(seq 1 700)
        done | split -b 703 --filter="cat >'$arithmetic/rsa_public'/\$FILE" - "$width-$octet-"
    done
done
for file in tests/data/keys/*.pem; do
    name=$(basename "$file" .pem)
    { printf '\x04\x7f\x04'; grep -v '^-' "$file" | base64 -d; } >"$arithmetic/rsa_public/$name"
    { grep -v '^-' "$file" | base64 -d | tail -c 32; printf '\x80'; head -c 64 /dev/zero; printf 'message'; } >"$arithmetic/ed25519/$name"
done
# What was found once is where more may be.
for folder in tests/data/fuzz/*/; do
    files "$(basename "$folder")" "$folder"*
done
files evidence tests/data/evidence/*.json
# Reports as they are practised: those of the cases, and public samples where they are at hand.
sed -n 's/^ *xml: *//p' tests/data/report_read/aggregate.yml | sed 's|.*|<feedback>&</feedback>|' | lines report
files report "${MAILVERDICT_REPORTS:-/nowhere}"/*
for target in fuzz/corpus/*/ "$arithmetic"/*/; do
    printf '%s %s\n' "$(basename "$target")" "$(find "$target" -type f | wc -l)"
done
