package main

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("rewrite", false, "rewrite testdata")

// TestReport compares a whole report with testdata/report.md.
func TestReport(t *testing.T) {
	r := &report{Machine: "2026-01-02: 2 cores", LoadBefore: "0.10 0.20 0.30"}
	starts := series{name: "a task starts"}
	for i := range 100 {
		starts.add(time.Duration(i+1) * time.Millisecond)
	}
	r.latencies = append(r.latencies, starts)
	r.budget("starts, p50", millis(starts.percentile(50)), check{singleLatency, inMillis(starts.percentile(50))})
	r.budget("memory", "200 MB", check{memorySize, 200})
	r.budget("processor time", "3.0 ms")
	r.ratio("starts", 30*time.Millisecond, "containerd", 60*time.Millisecond)
	r.missing("docker run -d")
	r.missing("docker run -d") // each time it is looked for
	r.notMeasured("reads", errors.New("not done within 1m0s"))
	r.notMeasured("idle services", errors.New("400 | bad\nand a log of many lines"))
	rounds := func(rate float64, p99, cost time.Duration) []round {
		return []round{{rate: rate, p50: p99 / 2, p99: p99, cost: cost}, {rate: 2 * rate, p50: p99, p99: 2 * p99, cost: cost}, {rate: rate, p50: p99 / 2, p99: p99, cost: cost}}
	}
	w := workload{name: "small answers", budget: true}
	r.proxied(w, []*proxy{{name: "Fargo"}, {name: "nginx"}},
		[][]round{rounds(1000, 2*time.Millisecond, 10*time.Microsecond), rounds(800, 4*time.Millisecond, 20*time.Microsecond)})
	r.proxied(w, []*proxy{{name: "Fargo"}}, [][]round{rounds(1000, 2*time.Millisecond, 10*time.Microsecond)})

	var got strings.Builder
	if err := r.print(&got); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(got.String(), r.LoadAfter+" after", "LOAD after", 1)
	const path = "testdata/report.md"
	if *rewrite {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("the report is\n%s\nwant\n%s", text, want)
	}
}
