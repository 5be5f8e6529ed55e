# SPDX-License-Identifier: Apache-2.0
"""Reports measurements: the table, and the chart."""

import collections
import dataclasses
import math
import statistics
import subprocess


@dataclasses.dataclass(frozen=True)
class Best:
    """A system on the number of threads that suits it best."""
    threads: int
    least: float
    median: float


def best(by_threads):
    threads, result = min(by_threads.items(), key=lambda item: min(item[1]["values"]))
    return Best(threads, min(result["values"]), statistics.median(result["values"]))


def words(value, unit="s"):
    return in_time(value) if unit == "s" else f"{value:.0f} {unit}"


def in_time(seconds):
    for unit, size in [("s", 1), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)]:
        if seconds >= size or unit == "ns":
            return f"{seconds / size:.3g} {unit}"


@dataclasses.dataclass(frozen=True)
class Row:
    job: str
    fusebox: str
    peer: str
    peers_time: str
    ratio: float  # Of the minimum times.
    of_medians: float


def rows(jobs, results, peaks):
    """One for each peer in each case; only their means for a job with many cases."""
    for name, job in jobs.items():
        means, efficiencies = collections.defaultdict(list), []
        for case in job.cases:
            systems = results[name].get(case.name, {})
            if "fusebox" not in systems:
                continue
            ours = best(systems["fusebox"])
            ours_in_words = f"{words(ours.least, job.unit)}, {in_threads(ours.threads)}"
            if case.flops > 0:
                efficiencies.append(case.flops / ours.least / peaks[ours.threads])
                ours_in_words += f", {efficiencies[-1]:.0%} of peak"
            for peer, by_threads in systems.items():
                if peer == "fusebox":
                    continue
                theirs = best(by_threads)
                row = Row(f"{name}: {case.name}", ours_in_words, peer,
                          f"{words(theirs.least, job.unit)}, {in_threads(theirs.threads)}", theirs.least / ours.least,
                          theirs.median / ours.median)
                means[peer].append(row)
                yield row
        if len(efficiencies) >= 10:
            for peer, of_cases in means.items():
                yield Row(f"{name}: geometric mean", f"{statistics.geometric_mean(efficiencies):.0%} of peak", peer, "",
                          statistics.geometric_mean([row.ratio for row in of_cases]),
                          statistics.geometric_mean([row.of_medians for row in of_cases]))
                worst = min(of_cases, key=lambda row: row.ratio)
                yield dataclasses.replace(worst, job=f"{name}: worst, {worst.job.removeprefix(f'{name}: ')}",
                                          peers_time="")


def with_itself(jobs, results):
    """Lines of a table: each system compared with itself on other threads, or on a quiet machine."""
    for name, job in jobs.items():
        for case, systems in results[name].items():
            for system, by_threads in systems.items():
                least = {threads: min(result["values"]) for threads, result in by_threads.items()}
                if job.versus == "threads" and len(least) > 1:
                    few, many = min(least), max(least)
                    yield (f"| {name}: {case} | {system} | {words(least[few])} on {in_threads(few)}, "
                           f"{words(least[many])} on {many}: {least[few] / least[many]:.2f} times as fast |")
                elif job.versus in results[name] and case != job.versus:
                    alone = min(min(r["values"]) for r in results[name][job.versus].get(system, by_threads).values())
                    now = min(least.values())
                    yield (f"| {name}: {case} | {system} | {words(now)}, {job.versus} {words(alone)}: "
                           f"{now / alone:.2f} times as long |")


def in_threads(threads):
    return f"{threads} thread" + ("s" if threads > 1 else "")


def table(all_rows):
    lines = ["| job | fusebox | peer | its time | peer / fusebox | of medians |", "|---|---|---|---|---|---|"]
    before = None
    for row in all_rows:
        job, fusebox = ("", "") if row.job == before else (row.job, row.fusebox)
        lines.append(f"| {job} | {fusebox} | {row.peer} | {row.peers_time} | {row.ratio:.2f} | {row.of_medians:.2f} |")
        before = row.job
    return "\n".join(lines)


def disagreements(jobs, results):
    """Peers whose results differ from fusebox's, so that their times are not comparable."""
    for name, job in jobs.items():
        for case, systems in results[name].items():
            expected = next(iter(systems.get("fusebox", {}).values()), {"check": math.nan})["check"]
            for system, by_threads in systems.items():
                for threads, result in by_threads.items():
                    got = result["check"]
                    if not abs(got - expected) <= job.tolerance * abs(expected):
                        yield f"{name}: {case}: {system}, {in_threads(threads)}: {got:.6g}; fusebox: {expected:.6g}"


def chart(all_rows, title, path):
    """Bars from 1 to the ratio, to the right if fusebox is faster. Jobs with means show only these."""
    averaged = {row.job.split(":")[0] for row in all_rows if not row.peers_time}
    drawn = [row for row in all_rows if not (row.peers_time and row.job.split(":")[0] in averaged)]
    colors = {peer: index + 1 for index, peer in enumerate(dict.fromkeys(row.peer for row in drawn))}
    data, ticks = [], []
    for place, row in enumerate(reversed(drawn)):
        data.append(f"{row.ratio} {place} {min(1, row.ratio)} {max(1, row.ratio)} {place - 0.4} {place + 0.4} "
                    f"{colors[row.peer]} {row.ratio:.2f}")
        ticks.append(f"'{row.job} | {row.peer}' {place}")
    script = f"""
set terminal pngcairo size 1200,{120 + 22 * len(drawn)} font 'DejaVu Sans,10' background '#FFFFFF' noenhanced
set output '{path}'
set label "{title}" at screen 0.5, screen 1 center offset 0, -1
set tmargin 3
set xlabel 'time of the peer / time of fusebox: to the right of 1, fusebox is faster'
set logscale x
set xtics (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
set xrange [{min([1] + [r.ratio for r in drawn]) / 1.5}:{max([1] + [r.ratio for r in drawn]) * 2}]
set yrange [-0.7:{len(drawn) - 0.3}]
set ytics ({', '.join(ticks)})
set grid xtics
set style fill solid 0.8 noborder
unset key
unset colorbox
set arrow from 1, graph 0 to 1, graph 1 nohead lw 2 front
$rows << END
{chr(10).join(data)}
END
plot $rows using 1:2:3:4:5:6:7 with boxxyerror lc variable, \\
     $rows using 4:2:8 with labels left offset 0.5,0
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
