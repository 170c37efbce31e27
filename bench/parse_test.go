package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseLoadLog(t *testing.T) {
	for _, c := range []struct {
		name, log string
		want      []time.Duration
		err       string
	}{
		{"answers", "1697040000000000\t200\t1500\n1697040000000100\t200\t7\n", []time.Duration{1500 * time.Microsecond, 7 * time.Microsecond}, ""},
		{"none", "", nil, "no answers"},
		{"another status", "1697040000000000\t503\t1500\n", nil, "not an answer with status 200"},
		{"a failed request", "1697040000000000\t-1\t-1\n", nil, "not an answer with status 200"},
		{"cut short", "1697040000000000\t200\n", nil, "not an answer with status 200"},
		{"no number", "1697040000000000\t200\tx\n", nil, "invalid syntax"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseLoadLog(strings.NewReader(c.log))
			checkError(t, err, c.err)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseBenchmark(t *testing.T) {
	const out = "goos: linux\nBenchmarkReconcile/1000x10-2 \t 1 \t 123 ns/op \t 1.25 cpu-s/op \t 0.0001 idle-%\nPASS\n"
	for _, c := range []struct {
		name, out string
		want      map[string]float64
		err       string
	}{
		{"a line", out, map[string]float64{"ns/op": 123, "cpu-s/op": 1.25, "idle-%": 0.0001}, ""},
		{"none", "PASS\n", nil, "no line of BenchmarkReconcile"},
		{"only a name, as with -v", "BenchmarkReconcile/1000x10\n" + out, map[string]float64{"ns/op": 123, "cpu-s/op": 1.25, "idle-%": 0.0001}, ""},
		{"no number", "BenchmarkReconcile 1 many ns/op\n", nil, "invalid syntax"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseBenchmark(c.out, "BenchmarkReconcile")
			checkError(t, err, c.err)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPerItem(t *testing.T) {
	before := []partTime{{"up", time.Second}, {"node", 0}}
	after := []partTime{{"up", 2 * time.Second}, {"node", 500 * time.Millisecond}}
	const want = "15.0 ms (up 10.0 ms, node 5.0 ms)"
	if got := perItem(before, after, 100); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// checkError wants an error that contains the text, or none when it is empty.
func checkError(t *testing.T, err error, text string) {
	t.Helper()
	if text == "" && err != nil || text != "" && (err == nil || !strings.Contains(err.Error(), text)) {
		t.Errorf("error %v, want %q", err, text)
	}
}
