# From the results of bench/run.sh a table for people (standard output) and build/bench.json for programs: a line for each load, the engines beside each
# other.
BEGIN {
    FS = "\t"
    printf "{\"at\":\"%s\",\"cores\":%d,\"processor\":\"%s\",\"load\":%s,\"postgresql\":\"%s\",\"quick\":%s,\"results\":[", day, cores, model, load, postgres, quick ? "true" : "false" > json
    printf "%s, %d cores, load %s at the end, %s%s\n", model, cores, load, day, postgres ? ", " postgres : ""
    n_engines = split("sqlite postgresql", engines, " ")
    title["sqlite"] = "SQLite"
    title["postgresql"] = "PostgreSQL"
}
function ratio(a, b) { return b > 0 ? sprintf("%.0f %%", 100 * a / b) : "-" }
function ms(us) { return us == "" ? "-" : sprintf("%.2f", us / 1000) }
function number(v) { return v == "" || v == 0 ? "-" : sprintf("%.0f", v) }
function tenth(v) { return v == "" ? "-" : sprintf("%.1f", v) }

# The value of the load at hand on an engine.
function of(e, name) { return v[row, e, name] }
function first(name) { return of("sqlite", name) }

# What stands for one engine, and its heading.
function head(section) {
    if (section == "commands") return sprintf("%10s %7s %8s %6s %8s %6s", "commands/s", "p50 ms", "p99 ms", "group", "raw/s", "")
    if (section == "writer") return sprintf("%10s %6s %8s %6s %9s %9s", "commands/s", "group", "raw/s", "", "us CPU", "raw")
    if (section == "import") return sprintf("%8s %7s %8s %8s %6s %8s", "rows/s", "s", "again s", "raw/s", "", "COPY/s")
    return sprintf("%9s %9s", "p50 ms", "p99 ms")
}
# us CPU: the writer's thread; a server's own behind the +.
function cpu(e, before) { return sprintf("%.0f%s", of(e, before "cpu_us"), e == "postgresql" ? sprintf("+%.0f", of(e, before "server_cpu_us")) : "") }
function cells(section, e) {
    if (of(e, "there") == "") return ""
    if (section == "commands")
        return sprintf("%10.0f %7s %8s %6.1f %8s %6s", of(e, "per_second"), ms(of(e, "p50_us")), ms(of(e, "p99_us")), of(e, "group"), number(of(e, "raw_per_second")), ratio(of(e, "per_second"), of(e, "raw_per_second")))
    if (section == "writer")
        return sprintf("%10.0f %6.1f %8s %6s %9s %9s", of(e, "per_second"), of(e, "group"), number(of(e, "raw_per_second")), ratio(of(e, "per_second"), of(e, "raw_per_second")), cpu(e, ""), cpu(e, "raw_"))
    if (section == "import")
        return sprintf("%8.0f %7s %8s %8s %6s %8s", of(e, "per_second"), of(e, "seconds"), of(e, "again_seconds"), number(of(e, "raw_per_second")), ratio(of(e, "per_second"), of(e, "raw_per_second")), number(of(e, "copy_per_second")))
    return sprintf("%9s %9s", ms(of(e, "p50_us")), ms(of(e, "p99_us")))
}
# What both engines share, before them.
function label(section) {
    if (section == "commands") return sprintf("%-14s %5d %11s", load_of[row], n_of[row], number(first("bare_per_second")))
    if (section == "writer") return sprintf("%-14s %5d %11s", load_of[row], n_of[row], "")
    if (section == "import") return sprintf("%-14s %7d %9s", load_of[row], n_of[row], "")
    return sprintf("%-26s %9d %7d %8s", load_of[row], n_of[row], first("bytes"), ms(first("bare_p50_us")))
}
function label_head(section) {
    if (section == "commands") return sprintf("%-14s %5s %11s", "durable", "conn.", "bare HTTP/s")
    if (section == "writer") return sprintf("%-14s %5s %11s", "without HTTP", "wait", "")
    if (section == "import") return sprintf("%-14s %7s %9s", "import", "rows", "")
    return sprintf("%-26s %9s %7s %8s", "dashboard", "residents", "bytes", "bare ms")
}
function line(before, section, heading,    i, text, e) {
    for (i = 1; i <= n_engines; i++) {
        e = engines[i]
        if (seen[e]) text = text " | " (heading ? head(section) : cells(section, e))
    }
    print before text
}
function titles(section,    i, text) {
    for (i = 1; i <= n_engines; i++)
        if (seen[engines[i]]) text = text sprintf(" | %-" length(head(section)) "s", title[engines[i]])
    text = sprintf("%" length(label_head(section)) "s", "") text
    sub(/ +$/, "", text)
    print text
}
{
    key = $1 SUBSEP $2 SUBSEP $3
    if (!(key in row_of)) {
        row_of[key] = ++rows
        section_of[rows] = $1
        load_of[rows] = $2
        n_of[rows] = $3
    }
    row = row_of[key]
    seen[$4] = 1
    v[row, $4, "there"] = 1
    printf "%s\n{\"section\":\"%s\",\"load\":\"%s\",\"n\":%d,\"engine\":\"%s\"", count++ ? "," : "", $1, $2, $3, $4 > json
    pairs = split($5, all, " ")
    for (i = 1; i <= pairs; i++) {
        split(all[i], p, "=")
        v[row, $4, p[1]] = p[2]
        printf ",\"%s\":%s", p[1], p[2] > json
    }
    printf "}" > json
}
END {
    for (row = 1; row <= rows; row++) {
        section = section_of[row]
        if (section != last) {
            print ""
            titles(section)
            line(label_head(section), section, 1)
            last = section
        }
        line(label(section), section, 0)
    }
    print "\n]}" > json
    print "\nwritten to " json
}
