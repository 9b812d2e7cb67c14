# What failed and why, from a part's log: awk -v part=http -v blocks=5 -v most=60 -f tools/failures.awk LOG
# A block begins with "PART: " and the test's name: node's TAP ("not ok" to the end of what stands indented below it), node's list of failing tests, our
# unit tests (FAIL and what was printed before it; a sanitizer's report from its start), what a compiler or make refuses.  Of a log with none of them, its end.

function indent(line) { match(line, /^ */); return RLENGTH }

function begin(name) {
    sub(/^ +/, "", name)
    n = 0
    add(part ": " name)
}

function add(line) { if (n < most) block[n++] = line }

function put(   i) {
    if (n && ++found <= blocks)
        for (i = 0; i < n; i++) print block[i]
    n = 0
}

# ---- node's TAP ----
inside == "tap" && indent($0) == deep + 2 && /^ *\.\.\.$/ { if (!of_subtests) put(); n = 0; inside = ""; next }
inside == "tap" {
    if (/failureType: 'subtestsFailed'/) of_subtests = 1
    if (!/^ *(---|duration_ms: .*|.*\(node:internal.*)$/) add($0)
    next
}
inside == "tap?" && /^ *---$/ { inside = "tap"; next }
inside == "tap?" { put(); inside = "" }
/^ *not ok / && !/# (SKIP|T[O]DO)/ { begin($0); deep = indent($0); of_subtests = 0; inside = "tap?"; said = 0; next }

# ---- node's list at the end ----
/^✖ failing tests:/ { begin($0); inside = "list"; next }
inside == "list" { if (NF) add($0); next }

# ---- unit tests: said[] is what was printed since the last verdict ----
/^FAIL / {
    begin($0)
    for (i = said > 30 && !report ? said - 30 : 0; i < said; i++) add(line[i])
    put()
    said = report = 0
    next
}
/^SKIP |^[0-9]+ passed, [0-9]+ failed|^(# )?Subtest|^ *ok / { said = report = 0; next }
/ERROR: [A-Za-z]+Sanitizer|runtime error:/ && !report { said = 0; report = 1 }

# ---- compilers and make ----
/: (fatal )?error: |undefined reference|^make.*\*\*\* / { begin($0); put() }
{ line[said++] = $0; last[NR % 15] = $0 }

END {
    put()
    if (found > blocks) print part ": " found - blocks " more"
    if (!found) {
        print part ": its last lines"
        for (i = NR > 15 ? NR - 14 : 1; i <= NR; i++) if (last[i % 15] != "") print last[i % 15]
    }
}
