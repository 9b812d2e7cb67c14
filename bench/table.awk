# From the results of bench/run.sh a table for people (standard output) and build/bench.json for programs.
BEGIN {
    FS = "\t"
    printf "{\"at\":\"%s\",\"cores\":%d,\"processor\":\"%s\",\"quick\":%s,\"results\":[", day, cores, model, quick ? "true" : "false" > json
    printf "%s, %d cores, %s\n", model, cores, day
}
function ratio(a, b) { return b > 0 ? sprintf("%.0f %%", 100 * a / b) : "-" }
function ms(us) { return sprintf("%.2f", us / 1000) }
function heading(section) {
    if (section == last) return
    last = section
    print ""
    if (section == "commands")
        printf "%-14s %5s %11s %9s %9s %7s %11s %7s %11s %7s\n", "durable", "conn.", "commands/s", "p50 ms", "p99 ms", "group", "bare HTTP/s", "", "raw rows/s", ""
    if (section == "writer")
        printf "%-14s %5s %11s %9s %9s %7s %11s %7s %11s %7s\n", "without HTTP", "wait", "commands/s", "", "us CPU", "group", "raw rows/s", "", "raw us CPU", ""
    if (section == "import") printf "%-14s %7s %11s %11s %11s %11s %7s\n", "import", "rows", "rows/s", "s", "again s", "raw rows/s", ""
    if (section == "dashboard") printf "%-28s %9s %9s %9s %9s %14s\n", "dashboard", "residents", "p50 ms", "p99 ms", "bytes", "bare p50 ms"
}
{
    heading($1)
    printf "%s\n{\"section\":\"%s\",\"load\":\"%s\",\"n\":%d", n++ ? "," : "", $1, $2, $3 > json
    delete v
    pairs = split($4, all, " ")
    for (i = 1; i <= pairs; i++) {
        split(all[i], p, "=")
        v[p[1]] = p[2]
        printf ",\"%s\":%s", p[1], p[2] > json
    }
    printf "}" > json
    if ($1 == "commands")
        printf "%-14s %5d %11.0f %9s %9s %7.1f %11.0f %7s %11.0f %7s\n", $2, $3, v["per_second"], ms(v["p50_us"]), ms(v["p99_us"]), v["group"], v["bare_per_second"], ratio(v["per_second"], v["bare_per_second"]), v["raw_per_second"], ratio(v["per_second"], v["raw_per_second"])
    if ($1 == "writer")
        printf "%-14s %5d %11.0f %9s %9s %7.1f %11.0f %7s %11s %7s\n", $2, $3, v["per_second"], "", v["cpu_us"], v["group"], v["raw_per_second"], ratio(v["per_second"], v["raw_per_second"]), v["raw_cpu_us"], ratio(v["raw_cpu_us"], v["cpu_us"])
    if ($1 == "import")
        printf "%-14s %7d %11.0f %11s %11s %11.0f %7s\n", $2, $3, v["per_second"], v["seconds"], v["again_seconds"], v["raw_per_second"], ratio(v["per_second"], v["raw_per_second"])
    if ($1 == "dashboard")
        printf "%-28s %9d %9s %9s %9d %14s\n", $2, $3, ms(v["p50_us"]), ms(v["p99_us"]), v["bytes"], ms(v["bare_p50_us"])
}
END {
    print "\n]}" > json
    print "\nwritten to " json
}
